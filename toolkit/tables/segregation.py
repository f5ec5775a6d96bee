"""Segregation of groups of pupils between schools, as tables."""

from dataclasses import replace

import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.tables.exhibit import CellMark, ColumnKind, TableColumn, TableExhibit
from toolkit.tables.variation import school_year
from toolkit.variation.pupil_segregation import PupilSegregation
from toolkit.vocabulary import Language, label, sentence, term

INDICES = tuple(
    f"{index}{kind}" for index in ("dissimilarity", "information") for kind in ("", "_random", "_corrected")
)
RAW = ("dissimilarity", "information")
# Shown only where some row has any.
IF_ANY = ("n_missing", "n_inconsistent", "n_pupils_left_out")
# Both kinds of schools that are not in an index.
LEFT_OUT = "n_left_out"


def tabulate_segregation(segregation: PupilSegregation, language: Language) -> TableExhibit:
    """Return both indices of every group of pupils in the year of the report: raw, random, corrected."""
    data = segregation.latest.reset_index(drop=True)
    columns = (
        _column("pupils", language, "code"),
        _column("part", language, "code"),
        *(_column(name, language, "number") for name in ("n_schools", *_needed(data), "students")),
        _column("members", language, "number"),
        _column("share", language, "share"),
        *(_column(name, language, "number") for name in INDICES),
        *([_column("state", language, "code")] if (data["state"] != "").any() else []),
        replace(_column(LEFT_OUT, language, "number"), in_files_only=True),
    )
    data[LEFT_OUT] = data["n_missing"] + data["n_inconsistent"]
    return _exhibit("segregation", segregation, data, columns, language)


def tabulate_segregation_trend(segregation: PupilSegregation, language: Language) -> TableExhibit:
    """Return both indices of every group of pupils in every year."""
    data = segregation.table.reset_index(drop=True)
    data["year_name"] = [school_year(int(year)) for year in data["year"]]
    columns = (
        _column("pupils", language, "code"),
        _column("part", language, "code"),
        TableColumn("year_name", label("segregation_year", language)),
        *(_column(name, language, "number") for name in ("n_schools", *_needed(data), "students")),
        _column("members", language, "number"),
        _column("share", language, "share"),
        *(_column(name, language, "number") for name in INDICES),
    )
    return _exhibit("segregation_trend", segregation, data, columns, language)


def _exhibit(
    key: str,
    segregation: PupilSegregation,
    data: pd.DataFrame,
    columns: tuple[TableColumn, ...],
    language: Language,
) -> TableExhibit:
    """Return a table whose indices are marked where schools are missing or nothing is defined."""
    undefined = (data["state"] != "").tolist()
    missing = (data["n_missing"] + data["n_inconsistent"] > 0).tolist()
    marks = [
        CellMark(row, name, "not_applicable") for row, no in enumerate(undefined) if no for name in INDICES
    ]
    marks += [
        CellMark(row, name, "provisional")
        for row, some in enumerate(missing)
        if some and not undefined[row]
        for name in RAW
    ]
    shown = data.assign(state=data["state"].replace("", pd.NA))
    if any(column.name == "state" for column in columns):
        marks += [CellMark(row, "state", "not_applicable") for row, no in enumerate(undefined) if not no]
    caption = exhibit_caption(
        key,
        language,
        year=school_year(segregation.last_year),
        percent=f"{100 * segregation.low_prior_share:g}",
    )
    empty = sentence("people_no_data", language)
    return TableExhibit(caption, columns, shown, marks=tuple(marks), empty_text=empty)


def _needed(data: pd.DataFrame) -> list[str]:
    """Return the counts of what is left out that some row has."""
    return [name for name in IF_ANY if (data[name] > 0).any()]


def _column(name: str, language: Language, kind: ColumnKind) -> TableColumn:
    """Return a column labelled by its term, which has the prefix of this part."""
    entry = term(f"segregation_{name}")
    decimals = 1 if entry.decimals is None else entry.decimals
    return TableColumn(name, label(f"segregation_{name}", language), kind, decimals=decimals)
