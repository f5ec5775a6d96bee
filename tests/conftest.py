"""What every test may rely on: a quiet, repeatable environment and the root of the checkout."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

os.environ.pop("JUNHENG_WORKSPACE", None)
os.environ.setdefault("MPLBACKEND", "agg")

# Two cores shared by several processes make single examples slow; the same examples on every machine.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the root of the checkout."""
    return Path(__file__).parent.parent
