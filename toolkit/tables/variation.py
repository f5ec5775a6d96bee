"""Drivers, sensitivities, town and country, trends and doubtful rules, as tables."""

from collections.abc import Hashable, Mapping

import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.standards import Standard, indicator_name
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.verdicts import COEFFICIENT_DECIMALS
from toolkit.variation.locations import LocationComparison
from toolkit.variation.readings import OtherReadings
from toolkit.variation.school_drivers import SchoolDrivers
from toolkit.variation.sensitivities import Sensitivities
from toolkit.variation.series import CoefficientTrends
from toolkit.vocabulary import Language, label, sentence

DRIVERS_PER_COEFFICIENT = 3
SCHOOLS_NAMED = 5


def tabulate_drivers(drivers: SchoolDrivers, standard: Standard, language: Language) -> TableExhibit:
    """Return, for every coefficient, the schools that contribute most to it."""
    data = drivers.schools.sort_values(
        ["stage", "indicator", "variance_share"], ascending=[False, True, False], kind="stable"
    )
    first = (
        data.groupby(["stage", "indicator"], sort=False).head(DRIVERS_PER_COEFFICIENT).reset_index(drop=True)
    )
    first["name"] = [indicator_name(standard, indicator, language) for indicator in first["indicator"]]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("value", language, kind="number", decimals=2),
        vocabulary_column("student_share", language, kind="share"),
        vocabulary_column("variance_share", language, kind="share"),
        _number("leave_one_out", language),
    )
    caption = exhibit_caption("drivers", language, count=DRIVERS_PER_COEFFICIENT)
    return TableExhibit(caption, columns, first)


def tabulate_additions(drivers: SchoolDrivers, standard: Standard, language: Language) -> TableExhibit:
    """Return, for every coefficient, the schools in which an addition would lower it most."""
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
    sensitivities: Sensitivities, standard: Standard, language: Language
) -> TableExhibit:
    """Return the named sensitivities of every coefficient."""
    table = sensitivities.table
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        deciding_schools=[_named(names, language) for names in table["deciding_schools"]],
    )
    without_points = tuple(
        CellMark(row, "without_teaching_points", "not_applicable")
        for row, value in enumerate(data["without_teaching_points"])
        if pd.isna(value)
    )
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
        vocabulary_column("deciding_schools", language),
    )
    percent = f"{100 * sensitivities.reporting_error:g}"
    caption = exhibit_caption("sensitivities", language, percent=percent)
    return TableExhibit(caption, columns, data, marks=without_points)


def tabulate_inequality(
    comparison: LocationComparison, standard: Standard, language: Language
) -> TableExhibit:
    """Return Gini, Theil and the shares between locations of every indicator."""
    table = comparison.table
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]]
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_schools", language),
        _number("gini", language),
        _number("theil", language),
        vocabulary_column("theil_between_share", language, kind="share"),
        vocabulary_column("variance_between_share", language, kind="share"),
    )
    return TableExhibit(exhibit_caption("inequality", language), columns, data)


def tabulate_locations(
    comparison: LocationComparison, standard: Standard, language: Language
) -> TableExhibit:
    """Return the mean of every indicator in urban, town and rural schools."""
    means = comparison.locations.pivot(index=["stage", "indicator"], columns="location", values="mean")
    places = [name for name in ("urban", "town_area", "rural") if name in means.columns]
    data = means.reindex(comparison.table.set_index(["stage", "indicator"]).index).reset_index()
    data["name"] = [indicator_name(standard, indicator, language) for indicator in data["indicator"]]
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        *(TableColumn(place, label(place, language), "number", decimals=2) for place in places),
    )
    counts = comparison.n_without_location
    caption = exhibit_caption("locations", language, count=counts)
    return TableExhibit(caption, columns, data)


def tabulate_trends(trends: CoefficientTrends, standard: Standard, language: Language) -> TableExhibit:
    """Return the slope of every coefficient and what it means for the limit."""
    table = trends.trends
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        outlook=[_outlook(row, language) for row in table.to_dict("records")],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_points", language),
        _number("last_value", language),
        _number("limit", language),
        _number("slope", language),
        vocabulary_column("outlook", language),
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


def _outlook(trend: Mapping[Hashable, object], language: Language) -> str:
    """Say in words where a slope leads."""
    if trend["outlook"] == "insufficient":
        return label("outlook_insufficient", language)
    reaching = float(str(trend["reaching_year"]))
    if trend["is_met"]:
        rising = float(str(trend["slope"])) > 0
        return label("outlook_met_rising" if rising else "outlook_met", language)
    if reaching == float("inf"):
        return label("outlook_never", language)
    return label("outlook_reaching", language).format(year=int(reaching))


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
