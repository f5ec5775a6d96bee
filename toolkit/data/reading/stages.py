"""Columns and rows whose stage is said by the sheet, by a column, or by the type of the school."""

from typing import Any

import pandas as pd

from toolkit.data.reading.blocks import STEM_MARK
from toolkit.data.reading.references import Register
from toolkit.data.reading.stacking import Stack
from toolkit.data.schema import STAGES
from toolkit.data.words import STAGE_OF_TYPE


def settle_stages(stack: Stack, register: Register | None) -> None:
    """Give every value the stage it belongs to; what stays unclear is told."""
    types = register.types if register else {}
    if "school_id" not in stack.frame:
        return
    from_type = stack.frame["school_id"].map(lambda code: STAGE_OF_TYPE.get(types.get(code, ""), None))
    if stack.table.name == "school_years":
        _settle_columns(stack, from_type)
        _join_stage_rows(stack)
    elif "stage" in stack.table.column_names and stack.table.column("stage").required:
        _settle_rows(stack, from_type)


def _settle_rows(stack: Stack, from_type: Any) -> None:
    """Fill the missing stage of rows from the type of the school."""
    said = (
        stack.frame["stage"]
        if "stage" in stack.frame
        else pd.Series(None, index=stack.frame.index, dtype="str")
    )
    told = {(p.file, p.sheet, p.cell) for p in stack.log.problems if p.column == "stage"}
    for index in stack.frame.index[said.isna() & from_type.isna()]:
        if (*stack.place(index), stack.cell(index, "stage")) not in told:
            stack.tell(
                "stage_unclear", "error", index, "stage", school=_school(stack, index), header="@stage"
            )
    filled = said.isna() & from_type.notna()
    stack.frame = stack.frame.assign(stage=said.where(said.notna(), from_type).astype("str"))
    if filled.any():
        place = (stack.table.name, *stack.place(stack.frame.index[0]))
        stack.log.convert(place, "stage", "stage_from_type", int(filled.sum()))


def _settle_columns(stack: Stack, from_type: Any) -> None:
    """Move values of columns without a stage to the column of the row's stage."""
    stems = [name for name in stack.frame.columns if name.endswith(STEM_MARK)]
    stage = (
        stack.frame["stage"]
        if "stage" in stack.frame
        else pd.Series(None, index=stack.frame.index, dtype="str")
    )
    stage = stage.where(stage.notna(), from_type)
    frame = stack.frame.drop(columns=stems)
    for mark in stems:
        stem, values = mark.removesuffix(STEM_MARK), stack.frame[mark]
        for name in STAGES:
            column = f"{stem}_{name}"
            mine = values.where(stage == name)
            if column in stack.table.column_names and mine.notna().any():
                frame[column] = frame[column].where(frame[column].notna(), mine) if column in frame else mine
        targets = {name for name in STAGES if f"{stem}_{name}" in stack.table.column_names}
        unclear = values.notna() & ~stage.isin(targets)
        for index in stack.frame.index[unclear]:
            stack.tell(
                "stage_unclear",
                "error",
                index,
                mark,
                school=_school(stack, index),
                header=f"@{stem}_{sorted(targets)[-1]}",
            )
        settled = int((values.notna() & stage.isin(targets)).sum())
        if settled:
            stack.log.convert(
                (stack.table.name, *stack.place(stack.frame.index[0])), stem, "stage_settled", settled
            )
        for (file, sheet, name), letters in list(stack.letters.items()):
            if name == mark:
                stack.letters |= {(file, sheet, f"{stem}_{target}"): letters for target in targets}
    stack.frame = frame


def _join_stage_rows(stack: Stack) -> None:
    """Join the rows that give one school's stages apart."""
    if "stage" not in stack.frame or "year" not in stack.frame:
        return
    frame = stack.frame
    key = ["school_id", "year"]
    several = frame.groupby(key, dropna=True)["stage"].transform("nunique") > 1
    candidates = frame[several.fillna(False) & frame[key].notna().all(axis=1)]
    joined: list[int] = []
    for _, rows in candidates.groupby(key, sort=False):
        first = rows.index[0]
        for column in rows.columns.difference([*key, "stage", "school_name"], sort=False):
            values = rows[column].dropna()
            if len(set(values)) > 1:
                index = values.index[-1]
                stack.tell(
                    "stage_rows_conflict",
                    "error",
                    index,
                    column,
                    school=_school(stack, index),
                    column_label=f"@{column}",
                    first=stack.cell(values.index[0], column),
                )
            elif len(values):
                frame.at[first, column] = values.iloc[0]
        joined.extend(rows.index[1:])
    if not joined:
        return
    sheets = {stack.place(index) for index in joined}
    stage_columns = tuple(f"_{stage}" for stage in STAGES)
    for file, sheet in sheets:
        # The values of a joined row stand in several rows: no address is better than a wrong one.
        for place in [
            key for key in stack.letters if key[:2] == (file, sheet) and key[2].endswith(stage_columns)
        ]:
            del stack.letters[place]
    gone = frame.index.isin(joined)
    stack.frame, stack.origin = frame[~gone], stack.origin[~gone]
    stack.log.convert((stack.table.name, *sheets.pop()), "stage", "stage_rows_joined", len(joined))


def _school(stack: Stack, index: int) -> str:
    for column in ("school_name", "school_id"):
        if column in stack.frame and not pd.isna(stack.frame.at[index, column]):
            return str(stack.frame.at[index, column])
    return ""
