"""Rows without a key, rows with a key that was there before, and years that stand alone."""

import pandas as pd

from toolkit.data.reading.stacking import Stack
from toolkit.data.text import visible

LONELY_DISTANCE = 6
"""Years between one school year and the nearest other from which it is taken for a slip of the pen."""

LONELY_SHARE = 0.05
"""Share of the rows below which a year that stands alone is doubted."""


def leave_out_rows_without_key(stack: Stack, *, schools: bool) -> None:
    """Leave out rows whose required key columns are empty; they were told when they were read.

    Parameters
    ----------
    stack : Stack
        The table.
    schools : bool
        Whether codes of schools count, which names may still fill.
    """
    columns = [stack.table.column(name) for name in stack.table.key if name in stack.frame]
    needed = [
        column.name for column in columns if column.required and (schools or not column.names_school_in)
    ]
    needed = [name for name in needed if schools or name != "stage"]
    if needed:
        stack.leave_out(stack.frame[needed].isna().any(axis=1), "no_key")


def leave_out_repeated_rows(stack: Stack) -> None:
    """Leave out rows that repeat an earlier one in every value."""
    stack.leave_out(stack.frame.astype("object").duplicated(), "repeated_row")


def refuse_double_keys(stack: Stack) -> None:
    """Tell rows whose key was there before, and leave them out."""
    key = [name for name in stack.table.key if name in stack.frame]
    if not key:
        return
    comparable = stack.frame[key].astype("object").where(stack.frame[key].notna(), "")
    twice = comparable.duplicated()
    if not twice.any():
        return
    first = {
        tuple(values): index
        for index, values in zip(comparable.index[::-1], comparable.to_numpy()[::-1], strict=True)
    }
    for index in comparable.index[twice]:
        original = first[tuple(comparable.loc[index])]
        file, sheet = stack.place(original)
        column = key[0]
        stack.tell(
            "key_twice",
            "error",
            index,
            column,
            school=_shown(stack, index),
            key="|".join(f"@{name}" for name in key),
            values=_key_text(comparable.loc[index].tolist()),
            other=f"{sheet or file}!{stack.cell(original, column)}",
            this=f"{stack.place(index)[1] or stack.place(index)[0]}!{stack.cell(index, column)}",
        )
    stack.leave_out(twice, "double_key")


def doubt_lonely_years(stack: Stack) -> None:
    """Warn of a school year far from all others that few rows hold."""
    if "year" not in stack.frame:
        return
    counts = stack.frame["year"].dropna().astype(int).value_counts()
    for year, count in counts.items():
        others = [other for other in counts.index if other != year]
        if (
            others
            and min(abs(year - other) for other in others) >= LONELY_DISTANCE
            and count < LONELY_SHARE * len(stack.frame)
        ):
            for index in stack.frame.index[stack.frame["year"] == year]:
                stack.tell("year_lonely", "warning", index, "year", school=_shown(stack, index), year=year)


def _shown(stack: Stack, index: int) -> str:
    for column in ("school_name", "receiver_name", "school_id"):
        if column in stack.frame and not pd.isna(stack.frame.at[index, column]):
            return visible(str(stack.frame.at[index, column]))
    return ""


def _key_text(values: list[object]) -> str:
    texts = (
        value.strftime("%Y-%m-%d") if isinstance(value, pd.Timestamp) else str(value) for value in values
    )
    return " / ".join(text for text in texts if text)
