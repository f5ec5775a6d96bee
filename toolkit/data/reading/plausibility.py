"""Money and areas whose size says that their unit is not the one that was taken."""

import numpy as np

from toolkit.data.reading.stacking import Stack

SMALLEST_YUAN_PER_STUDENT = 10.0
LARGEST_YUAN_PER_STUDENT = 1_000_000.0
SMALLEST_M2_PER_STUDENT = 0.2
LARGEST_M2_PER_STUDENT = 5_000.0
"""Medians over schools outside these are no matter of equipment or land, but of units."""

_MONEY = ("equipment_value", "public_funds_budget", "public_funds_settled")
_AREA = ("teaching_area", "sports_ground_area")


def doubt_units(stack: Stack) -> None:
    """Tell columns whose median per student cannot be in the unit that was taken."""
    stages = [f"enrolment_{stage}" for stage in ("primary", "junior", "senior")]
    present = [name for name in stages if name in stack.frame]
    if not present:
        return
    students = stack.frame[present].sum(axis=1, min_count=1)
    for names, low, high, units in (
        (_MONEY, SMALLEST_YUAN_PER_STUDENT, LARGEST_YUAN_PER_STUDENT, ("万元", "元")),
        (_AREA, SMALLEST_M2_PER_STUDENT, LARGEST_M2_PER_STUDENT, ("亩", "平方米")),
    ):
        for name in (name for name in names if name in stack.frame):
            for file, sheet in dict.fromkeys(zip(stack.origin["file"], stack.origin["sheet"], strict=True)):
                here = (stack.origin["file"] == file) & (stack.origin["sheet"] == sheet)
                rates = (stack.frame[name] / students)[here & (students > 0) & (stack.frame[name] > 0)]
                median = float(np.median(rates)) if len(rates) else np.nan
                declared = (file, sheet, name) not in stack.undeclared
                if not (median < low or median > high):
                    continue
                code = "unit_undeclared" if median < low and not declared else "unit_implausible"
                if median < low and declared and units[0] == "亩":
                    continue
                stack.tell(
                    code,
                    "error" if code == "unit_undeclared" else "warning",
                    int(rates.index[0]),
                    name,
                    column_label=f"@{name}",
                    median=f"{median:,.4g}",
                    large=units[0],
                    small=units[1],
                )
