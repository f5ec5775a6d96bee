"""Trends of means, coefficients and items against limits, and changes split into their parts, as tables."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.standards import Standard, indicator_name
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.variation.breaks import Break
from toolkit.variation.changes import YearlyChanges
from toolkit.variation.limit_series import LimitSeries
from toolkit.variation.series_names import scale_of, series_name, unit_of_series
from toolkit.vocabulary import Language, label, sentence

DECIMALS = {"mean": 2, "coefficient": 3, "item": 3, "item_units": 1}
PARTS = ("stock_part", "enrolment_part", "schools_part")


def tabulate_mean_trends(found: LimitSeries, standard: Standard, language: Language) -> TableExhibit:
    """Return the trend of every county mean against the minimum of each school."""
    return _trends(found, standard, ("mean",), "mean_trends", language)


def tabulate_coefficient_trends(found: LimitSeries, standard: Standard, language: Language) -> TableExhibit:
    """Return the trend of every coefficient against its limit, from the last break on."""
    return _trends(found, standard, ("coefficient",), "coefficient_trends", language)


def tabulate_item_trends(found: LimitSeries, standard: Standard, language: Language) -> TableExhibit:
    """Return the trend of every item with a number against its limit."""
    return _trends(found, standard, ("item", "item_units"), "item_trends", language)


def tabulate_breaks(found: LimitSeries, standard: Standard, language: Language) -> TableExhibit:
    """Return the breaks of definition that the county declared."""
    data = pd.DataFrame(
        [
            (_break_name(entry, standard, language), entry.year, entry.text or None)
            for entry in found.breaks
            if entry.year <= found.year
        ],
        columns=["series_name", "break_year", "break_text"],
    )
    columns = tuple(vocabulary_column(str(name), language) for name in data.columns)
    return TableExhibit(exhibit_caption("breaks", language), columns, data)


def tabulate_mean_changes(changes: YearlyChanges, standard: Standard, language: Language) -> TableExhibit:
    """Return the change of every county mean, split into stock and enrolment."""
    table = changes.means
    data = _named(table, standard, language).assign(
        unit=[unit_of_series(standard, "mean", code, language) for code in table["indicator"]],
        change_first_year=table["first_year"],
        **{str(name): own for name, own in mean_directions(changes).items()},
    )
    columns = (
        vocabulary_column("series_name", language, below="change_span"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("change_span", language, in_files_only=True),
        *(vocabulary_column(name, language) for name in ("mean_before", "mean_after")),
        TableColumn("change", label("change_total", language), "number", decimals=DECIMALS["mean"]),
        *(_part(name, "mean", language) for name in PARTS[:2]),
        vocabulary_column("unit", language),
        vocabulary_column("n_left_out", language),
        *(
            vocabulary_column(name, language, kind="text", in_files_only=True)
            for name in ("change_first_year", "mean_direction", "mean_reason")
        ),
    )
    return TableExhibit(
        exhibit_caption("mean_changes", language), columns, data, marks=_provisional(table, "mean_after")
    )


def mean_directions(changes: YearlyChanges) -> pd.DataFrame:
    """Say of every mean whether it rose or fell, and whether enrolment alone made it.

    What is zero as printed counts as level. `mean_reason` is "by_itself" for a mean that rose although its
    stock shrank, "diluted" for one that fell although its stock did not; both are empty without a change.
    """
    printed = changes.means[["change", "stock_part", "enrolment_part"]].astype(float).round(DECIMALS["mean"])
    change, stock, enrolment = (printed[name] for name in printed)
    return pd.DataFrame(
        {
            "mean_direction": np.select(
                [change > 0, change < 0, change == 0], ["risen", "fallen", "level"], default=""
            ),
            "mean_reason": np.select(
                [(change > 0) & (stock < 0) & (enrolment > 0), (change < 0) & (stock >= 0)],
                ["by_itself", "diluted"],
                default="",
            ),
        },
        index=printed.index,
    )


def tabulate_coefficient_changes(
    changes: YearlyChanges, standard: Standard, language: Language
) -> TableExhibit:
    """Return the change of every coefficient, split into stock, enrolment, and entry and exit."""
    table = changes.coefficients
    columns = (
        vocabulary_column("series_name", language, below="change_span"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("change_span", language, in_files_only=True),
        *(vocabulary_column(name, language) for name in ("coefficient_before", "coefficient_after")),
        TableColumn("change", label("change_total", language), "number", decimals=DECIMALS["coefficient"]),
        *(_part(name, "coefficient", language) for name in PARTS),
        *(vocabulary_column(name, language) for name in ("n_both", "n_entered", "n_left", "n_left_out")),
    )
    return TableExhibit(
        exhibit_caption("coefficient_changes", language),
        columns,
        _named(table, standard, language),
        marks=_provisional(table, "coefficient_after"),
    )


def outlook_of_series(trend: Mapping[Hashable, Any], language: Language) -> str:
    """Say in words what a series allows to say about its limit."""
    reaching = float(trend["reaching_year"])
    return sentence(
        f"series_outlook_{trend['outlook']}",
        language,
        last_year=school_year(int(trend["last_year"])),
        year=school_year(int(reaching)) if np.isfinite(reaching) else "",
    )


def series_id(row: Mapping[Hashable, Any]) -> str:
    """Return what tells a series from the others: subject, indicator or item, and entry."""
    return "|".join(str(row[name]) for name in ("subject", "code", "entry"))


def _trends(
    found: LimitSeries, standard: Standard, subjects: tuple[str, ...], key: str, language: Language
) -> TableExhibit:
    own = found.trends[found.trends["subject"].isin(subjects) & (found.trends["standard"] == standard.id)]
    own = own.reset_index(drop=True)
    rows = own.to_dict("records")
    scale = np.array([scale_of(standard, row["subject"], row["code"]) for row in rows])
    data = own.assign(
        series_name=[series_name(standard, row["code"], row["entry"], language) for row in rows],
        series_measure=[label(f"series_{row['subject']}", language) for row in rows],
        series_id=[series_id(row) for row in rows],
        unit=[unit_of_series(standard, row["subject"], row["code"], language) for row in rows],
        outlook=[outlook_of_series(row, language) for row in rows],
        break_years=[_years(row["breaks"], language) for row in rows],
        last_year=[school_year(int(row["last_year"])) for row in rows],
        verdict=own["is_met"].replace("", pd.NA),
        **{name: own[name].to_numpy(dtype=float) * scale for name in ("last_value", "limit", "slope")},
    )
    decimals = DECIMALS[subjects[0]]
    of_items, has_unit = "item" in subjects, "coefficient" not in subjects
    below = "series_measure" if of_items else "unit" if has_unit else ""
    columns = (
        vocabulary_column("series_name", language, below=below),
        *((vocabulary_column("series_measure", language, in_files_only=True),) if of_items else ()),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_points", language),
        TableColumn("last_year", label("last_year", language)),
        *(
            vocabulary_column(
                name,
                language,
                kind="number",
                decimals=decimals,
                trims_whole=of_items,
                below="unit" if of_items and name == "last_value" else "",
            )
            for name in ("last_value", "limit")
        ),
        vocabulary_column("slope", language, kind="number", decimals=decimals if of_items else decimals + 1),
        *((vocabulary_column("unit", language, in_files_only=True),) if has_unit else ()),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("break_years", language),
        vocabulary_column("outlook", language),
        vocabulary_column("series_id", language, kind="text", in_files_only=True),
    )
    marks = [
        CellMark(row, name, "not_applicable")
        for name in ("limit", "verdict", "slope")
        for row, value in enumerate(data[name])
        if pd.isna(value)
    ]
    return TableExhibit(exhibit_caption(key, language), columns, data, marks=tuple(marks))


def _named(table: pd.DataFrame, standard: Standard, language: Language) -> pd.DataFrame:
    return table.assign(
        series_name=[indicator_name(standard, code, language) for code in table["indicator"]],
        change_span=[
            sentence("year_span", language, first=school_year(int(first)), last=school_year(int(last)))
            for first, last in zip(table["first_year"], table["last_year"], strict=True)
        ],
    )


def _part(name: str, subject: str, language: Language) -> TableColumn:
    return TableColumn(name, label(f"change_{name}", language), "number", decimals=DECIMALS[subject])


def _provisional(table: pd.DataFrame, column: str) -> tuple[CellMark, ...]:
    """Mark the values from which schools without data in one of the years are left out."""
    return tuple(
        CellMark(row, column, "provisional") for row, count in enumerate(table["n_left_out"]) if count > 0
    )


def _years(years: tuple[int, ...], language: Language) -> str:
    return label("list_separator", language).join(school_year(year) for year in years) or "–"


def _break_name(entry: Break, standard: Standard, language: Language) -> str:
    known = {found.id: found.name for found in (*standard.indicators, *standard.items)}
    if entry.code.casefold() == "all":
        return label("every_series", language)
    return f"{entry.code} {label(known[entry.code], language)}" if entry.code in known else entry.code
