"""What every test may rely on: a quiet, repeatable environment and the root of the checkout."""

import gc
import os
from pathlib import Path

import pytest
from hypothesis import settings

from toolkit.reporting.notebook import block_unused_grammars

os.environ.pop("JUNHENG_WORKSPACE", None)
os.environ.setdefault("MPLBACKEND", "agg")

# Two cores shared by several processes make single examples slow; the same examples on every machine.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")

# Before any test imports nbformat by itself: three seconds in every process.
block_unused_grammars()


def pytest_configure(config: pytest.Config) -> None:
    """Leave warm kernels to the slow tests: the others use few kernels; a server costs more than it saves."""
    if "not slow" in config.option.markexpr:
        os.environ.setdefault("JUNHENG_WARM_KERNELS", "0")


def pytest_collection_finish() -> None:
    """Spare the garbage collector the thousands of objects that live as long as the process."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout."""
    return Path(__file__).parent.parent
