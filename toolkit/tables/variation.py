"""Drivers, sensitivities, town and country, trends and doubtful rules, as tables."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.exhibits import Caption, exhibit_caption
from toolkit.standards import Standard, indicator_name
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.verdicts import COEFFICIENT_DECIMALS
from toolkit.variation.locations import LocationComparison
from toolkit.variation.readings import OtherReadings
from toolkit.variation.school_drivers import SchoolDrivers
from toolkit.variation.sensitivities import Sensitivities
from toolkit.variation.series import CoefficientTrends
from toolkit.vocabulary import Language, format_number, label, sentence

DRIVERS_PER_COEFFICIENT = 3
SCHOOLS_NAMED = 5


def tabulate_drivers(
    drivers: SchoolDrivers, standard: Standard, language: Language, *, named: bool = True
) -> TableExhibit:
    """Return, for every coefficient, the schools that contribute most to it.

    Where none is named: how the contributions are distributed over the schools.
    """
    if not named:
        return _spread_of_contributions(drivers, standard, language)
    data = drivers.schools.sort_values(
        ["stage", "indicator", "variance_share"], ascending=[False, True, False], kind="stable"
    )
    first = (
        data.groupby(["stage", "indicator"], sort=False).head(DRIVERS_PER_COEFFICIENT).reset_index(drop=True)
    )
    first["name"] = [indicator_name(standard, indicator, language) for indicator in first["indicator"]]
    first["indicator_id"] = first["indicator"]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("value", language, kind="number", decimals=2),
        vocabulary_column("mean", language, kind="number", decimals=2),
        vocabulary_column("student_share", language, kind="share"),
        vocabulary_column("variance_share", language, kind="share"),
        _number("leave_one_out", language),
        vocabulary_column("school_id", language, in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    caption = exhibit_caption("drivers", language, count=DRIVERS_PER_COEFFICIENT)
    return TableExhibit(caption, columns, first)


def tabulate_additions(
    drivers: SchoolDrivers, standard: Standard, language: Language, *, named: bool = True
) -> TableExhibit:
    """Return, for every coefficient, the schools in which an addition would lower it most.

    Where none is named: how the effects are distributed over the schools.
    """
    if not named:
        return _spread_of_additions(drivers, standard, language)
    data = drivers.schools.sort_values(["stage", "indicator", "unit_effect"], ascending=[False, True, True])
    first = data.groupby(["stage", "indicator"], sort=False).head(3).reset_index(drop=True)
    first["name"] = [indicator_name(standard, indicator, language) for indicator in first["indicator"]]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("value", language, kind="number", decimals=2),
        vocabulary_column("addition", language, kind="number", decimals=0),
        vocabulary_column("unit_effect", language, kind="number", decimals=5),
    )
    return TableExhibit(exhibit_caption("additions", language), columns, first)


def tabulate_sensitivities(
    sensitivities: Sensitivities, standard: Standard, language: Language, *, named: bool = True
) -> TableExhibit:
    """Return the named sensitivities of every coefficient; deciding schools are named or counted."""
    table = sensitivities.table
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        deciding_schools=[_named(names, language) for names in table["deciding_schools"]],
        n_deciding_schools=table["deciding_schools"].map(len),
        indicator_id=table["indicator"],
        reporting_error=sensitivities.reporting_error,
    )
    marks = [
        CellMark(row, "without_teaching_points", "not_applicable")
        for row, value in enumerate(data["without_teaching_points"])
        if pd.isna(value)
    ]
    marks += [CellMark(row, "coefficient", "provisional") for row, n in enumerate(data["n_missing"]) if n > 0]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        *(
            _number(name, language)
            for name in (
                "coefficient",
                "limit",
                "leave_one_out_low",
                "leave_one_out_high",
                "without_teaching_points",
                "error_low",
                "error_high",
                "largest_yearly_change",
            )
        ),
        *((vocabulary_column("deciding_schools", language),) if named else ()),
        vocabulary_column("n_deciding_schools", language, in_files_only=named),
        vocabulary_column("reporting_error", language, kind="share", in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    percent = f"{100 * sensitivities.reporting_error:g}"
    caption = exhibit_caption("sensitivities", language, percent=percent)
    return TableExhibit(caption, columns, data, marks=tuple(marks))


def tabulate_inequality(
    comparison: LocationComparison, standard: Standard, language: Language
) -> TableExhibit:
    """Return Gini, Theil and the shares between locations of every indicator."""
    table = comparison.table
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        indicator_id=table["indicator"],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_schools", language),
        _number("gini", language),
        _number("theil", language),
        vocabulary_column("theil_between_share", language, kind="share"),
        vocabulary_column("variance_between_share", language, kind="share"),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    return TableExhibit(exhibit_caption("inequality", language), columns, data)


def tabulate_locations(
    comparison: LocationComparison, standard: Standard, language: Language
) -> TableExhibit:
    """Return the mean of every indicator in urban, town and rural schools, and who is where."""
    shares = comparison.locations.drop_duplicates(["stage", "location"])
    means = comparison.locations.pivot(index=["stage", "indicator"], columns="location", values="mean")
    places = [name for name in ("urban", "town_area", "rural") if name in means.columns]
    data = means.reindex(comparison.table.set_index(["stage", "indicator"]).index).reset_index()
    data["name"] = [indicator_name(standard, indicator, language) for indicator in data["indicator"]]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        *(TableColumn(place, label(place, language), "number", decimals=2) for place in places),
    )
    notes = [
        sentence(
            "location_share",
            language,
            stage=label(row["stage"], language),
            location=label(row["location"], language),
            count=int(row["n_schools"]),
            share=f"{100 * row['student_share']:.1f}",
        )
        for row in shares.to_dict("records")
    ]
    if comparison.n_without_location:
        notes.append(sentence("without_location", language, count=comparison.n_without_location))
    caption = exhibit_caption(
        "locations", language, notes=(label("report_list_separator", language).join(notes),)
    )
    return TableExhibit(caption, columns, data)


def tabulate_trends(trends: CoefficientTrends, standard: Standard, language: Language) -> TableExhibit:
    """Return the slope of every coefficient and what it means for the limit."""
    table = trends.trends
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        outlook=[outlook_words(row, language) for row in table.to_dict("records")],
        changed=[_changed_years(trends, row, language) for row in table.to_dict("records")],
        last_year=[school_year(int(year)) for year in table["last_year"]],
        first_point_year=[school_year(int(year)) for year in table["first_year"]],
        indicator_id=table["indicator"],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_points", language),
        vocabulary_column("last_year", language, kind="text"),
        _number("last_value", language),
        _number("limit", language),
        _number("slope", language),
        vocabulary_column("outlook", language),
        vocabulary_column("changed", language),
        vocabulary_column("first_point_year", language, in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    return TableExhibit(exhibit_caption("trends", language), columns, data)


def tabulate_readings(readings: OtherReadings, standard: Standard, language: Language) -> TableExhibit:
    """Return the verdicts that a doubtful rule would turn, both ways."""
    table = readings.flips
    names = [
        indicator_name(standard, name, language) if subject == "coefficient" else name
        for subject, name in zip(table["subject"], table["name"], strict=True)
    ]
    data = table.assign(
        doubt=[getattr(standard.marks[mark].doubt, language) for mark in table["mark"]],
        subject=[label(f"subject_{subject}", language) for subject in table["subject"]],
        name=names,
        verdict=table["verdict"].replace("", pd.NA),
        other_verdict=table["other_verdict"].replace("", pd.NA),
    )
    columns = (
        vocabulary_column("doubt", language),
        TableColumn("subject", label("subject_judged", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("name", label("name_judged", language)),
        vocabulary_column("verdict", language, kind="verdict"),
        vocabulary_column("other_verdict", language, kind="verdict"),
    )
    not_counted = tuple(
        CellMark(row, name, "not_applicable")
        for name in ("verdict", "other_verdict")
        for row, verdict in enumerate(table[name])
        if not verdict
    )
    return TableExhibit(exhibit_caption("readings", language), columns, data, marks=not_counted)


def tabulate_rules_tried(readings: OtherReadings, standard: Standard, language: Language) -> TableExhibit:
    """Return the doubtful rules that were read the other way, and what that turned."""
    flips = readings.flips
    dropped = (flips["verdict"] == "") | (flips["other_verdict"] == "")
    data = pd.DataFrame(
        [
            (
                getattr(standard.marks[mark].doubt, language),
                int(((flips["mark"] == mark) & ~dropped).sum()),
                int(((flips["mark"] == mark) & dropped).sum()),
            )
            for mark in readings.marks
        ],
        columns=["doubt", "n_turned", "n_dropped"],
    )
    columns = tuple(vocabulary_column(str(name), language) for name in data.columns)
    return TableExhibit(exhibit_caption("rules_tried", language), columns, data)


def outlook_words(trend: Mapping[Hashable, Any], language: Language) -> str:
    """Say in words what a trend allows to say about its limit."""
    reaching = trend["reaching_year"]
    return sentence(
        f"outlook_{trend['outlook']}",
        language,
        last_year=school_year(trend["last_year"]),
        value=format_number(trend["last_value"], COEFFICIENT_DECIMALS),
        year=school_year(int(reaching)) if np.isfinite(reaching) else "",
    )


def school_year(year: int) -> str:
    """Return a school year as it is written, such as 2025/2026."""
    return f"{year}/{year + 1}"


def _spread_of_contributions(drivers: SchoolDrivers, standard: Standard, language: Language) -> TableExhibit:
    """Return how much of each coefficient comes from few schools, and from which side of the mean."""
    rows = []
    for stage, indicator, schools in _by_coefficient(drivers):
        shares = schools["variance_share"].sort_values(ascending=False)
        below = schools["value"] < schools["mean"]
        rows.append(
            {
                "name": indicator_name(standard, indicator, language),
                "stage": stage,
                "n_schools": len(schools),
                "n_below_mean": int(below.sum()),
                "below_mean_share": schools.loc[below, "variance_share"].sum(min_count=below.sum()),
                "largest_share": shares.max(),
                "three_largest_share": shares.head(DRIVERS_PER_COEFFICIENT).sum(min_count=1),
            }
        )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_schools", language),
        vocabulary_column("n_below_mean", language),
        *(
            vocabulary_column(name, language, kind="share")
            for name in ("below_mean_share", "largest_share", "three_largest_share")
        ),
    )
    return TableExhibit(_unnamed("drivers", language), columns, _frame(rows, columns))


def _spread_of_additions(drivers: SchoolDrivers, standard: Standard, language: Language) -> TableExhibit:
    """Return in how many schools an addition would lower each coefficient, and by how much."""
    rows = [
        {
            "name": indicator_name(standard, indicator, language),
            "stage": stage,
            "addition": schools["addition"].iloc[0],
            "n_schools": len(schools),
            "n_lowering": int((schools["unit_effect"] < 0).sum()),
            "effect_low": schools["unit_effect"].min(),
            "effect_median": schools["unit_effect"].median(),
            "effect_high": schools["unit_effect"].max(),
        }
        for stage, indicator, schools in _by_coefficient(drivers)
    ]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("addition", language, kind="number", decimals=0),
        *(
            vocabulary_column(name, language)
            for name in ("n_schools", "n_lowering", "effect_low", "effect_median", "effect_high")
        ),
    )
    return TableExhibit(_unnamed("additions", language), columns, _frame(rows, columns))


def _by_coefficient(drivers: SchoolDrivers) -> list[tuple[str, str, pd.DataFrame]]:
    """Return stage, indicator and schools of every coefficient, in the order of the tables."""
    data = drivers.schools.sort_values(["stage", "indicator"], ascending=[False, True], kind="stable")
    return [
        (str(own["stage"].iloc[0]), str(own["indicator"].iloc[0]), own)
        for _, own in data.groupby(["stage", "indicator"], sort=False)
    ]


def _unnamed(key: str, language: Language) -> Caption:
    """Return the caption of a table in place of the one that names schools."""
    return replace(exhibit_caption(f"{key}_unnamed", language), key=key)


def _frame(rows: list[dict[str, Any]], columns: tuple[TableColumn, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=[column.name for column in columns])


def _changed_years(trends: CoefficientTrends, trend: Mapping[Hashable, Any], language: Language) -> str:
    """Return the years in which other schools count than in the year before."""
    series = trends.series
    own = series[(series["stage"] == trend["stage"]) & (series["indicator"] == trend["indicator"])]
    years = own.loc[own["schools_changed"].astype(bool), "year"]
    return label("list_separator", language).join(str(int(year)) for year in years) or "–"


def _named(schools: tuple[str, ...], language: Language) -> str:
    """Return the first few names, and how many there are when that is not all."""
    if not schools:
        return "–"
    names = label("list_separator", language).join(schools[:SCHOOLS_NAMED])
    if len(schools) <= SCHOOLS_NAMED:
        return names
    return sentence("schools_and_others", language, schools=names, count=len(schools))


def _number(name: str, language: Language) -> TableColumn:
    return vocabulary_column(name, language, kind="number", decimals=COEFFICIENT_DECIMALS)
