"""The planned numbers of `plan.toml`, and how a stock is split by them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

PER_100 = ("R1", "R2", "R3", "R7")
COMBINED = ("nine_year_school", "twelve_year_school")


@cache
def constants() -> dict[str, Any]:
    """Return the planned numbers of `plan.toml`."""
    return tomllib.loads(Path(__file__).with_name("plan.toml").read_text(encoding="utf-8"))


def split_weights(kind: str) -> tuple[float, float, float]:
    """Return the weight of a primary, junior and senior student in the stock of a school."""
    split = constants()["split"]
    if kind in COMBINED:
        return 1.0, split["junior"], split["senior_in_twelve_year_school"]
    return 1.0, 1.0, split["senior_in_complete_secondary_school"]
