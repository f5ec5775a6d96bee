"""Verdicts of a standard, as tables."""

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from toolkit.data.county import Reading
from toolkit.exhibits import exhibit_caption, schools_counted
from toolkit.indicators.resources import ResourceIndicators, special_cases_applied
from toolkit.standards import Standard, indicator_name
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.variation.compliance import Compliance
from toolkit.variation.readings import OtherReadings
from toolkit.variation.yearly_change import YearlyChange
from toolkit.vocabulary import Language, format_number, label, sentence, term, unit_label

COEFFICIENT_DECIMALS = 3


def tabulate_stage_verdicts(compliance: Compliance, language: Language) -> TableExhibit:
    """Return the verdict on each stage, with the counts it rests on."""
    columns = (
        vocabulary_column("stage", language, kind="code"),
        *(vocabulary_column(name, language) for name in ("n_schools", "n_pass", "n_fail", "n_undecided")),
        _verdict("schools_verdict", language),
        *(
            vocabulary_column(name, language)
            for name in ("n_coefficients_pass", "n_coefficients_fail", "n_coefficients_undecided")
        ),
        _verdict("coefficients_verdict", language),
        _verdict("overall_verdict", language),
        vocabulary_column("n_coefficients", language, in_files_only=True),
    )
    data = compliance.stages.rename(
        columns={
            "schools": "schools_verdict",
            "coefficients": "coefficients_verdict",
            "overall": "overall_verdict",
        }
    ).replace("", pd.NA)
    return TableExhibit(exhibit_caption("stage_verdicts", language), columns, data)


def tabulate_yearly_change(change: YearlyChange, language: Language) -> TableExhibit:
    """Return, by stage, coefficients above the limit and failing schools in the year before and now."""
    names = ("n_coefficients_fail", "n_coefficients_undecided", "n_fail", "n_undecided")
    columns = (
        vocabulary_column("stage", language, kind="code"),
        *(vocabulary_column(f"{name}{when}", language) for name in names for when in ("_before", "")),
    )
    caption = exhibit_caption("yearly_change", language)
    empty = sentence("no_year_before", language)
    return TableExhibit(caption, columns, change.stages, empty_text=empty)


def tabulate_coefficients(
    compliance: Compliance, readings: OtherReadings, language: Language
) -> TableExhibit:
    """Return county mean, coefficient, limit, margin and verdict of every indicator and stage.

    A verdict that another reading of a doubtful rule would turn is marked.
    """
    standard, table = compliance.standard, compliance.coefficients.reset_index(drop=True)
    data = table.assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        unit=[_unit(standard, indicator, language) for indicator in table["indicator"]],
        verdict=table["verdict"].replace("", pd.NA),
        indicator_id=table["indicator"],
        coefficient_low=table["low"].where(table["n_missing"] > 0),
        range=[
            sentence("range", language, low=format_number(row["low"], 3), high=format_number(row["high"], 3))
            if row["n_missing"]
            else ""
            for row in table.to_dict("records")
        ],
    )
    columns = (
        TableColumn("name", label("indicator", language), below="unit"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("mean", language, kind="number", decimals=2),
        vocabulary_column("unit", language, in_files_only=True),
        replace(_number("coefficient", language), below="range"),
        *(_number(name, language) for name in ("limit", "margin")),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("near_limit", language, kind="flag"),
        vocabulary_column("n_schools", language),
        vocabulary_column("n_missing", language),
        vocabulary_column("range", language, in_files_only=True),
        vocabulary_column("coefficient_low", language, in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    marks = [
        CellMark(row, "coefficient", "provisional")
        for row in range(len(data))
        if data["n_missing"].iloc[row] > 0 and not pd.isna(data["coefficient"].iloc[row])
    ]
    marks += [
        CellMark(row, "coefficient_low", "not_applicable")
        for row, missing in enumerate(data["n_missing"])
        if not missing
    ]
    marks += _doubtful(readings, "coefficient", zip(table["stage"], table["indicator"], strict=True))
    return TableExhibit(exhibit_caption("coefficients", language), columns, data, marks=tuple(marks))


def tabulate_school_verdicts(
    compliance: Compliance, readings: OtherReadings, language: Language
) -> TableExhibit:
    """Return the values of every school with the number met and the verdict.

    A verdict that another reading of a doubtful rule would turn is marked.
    """
    ids = [indicator.id for indicator in compliance.standard.indicators]
    values = compliance.indicator_values.pivot(
        index=["stage", "school_id"], columns="indicator", values="value"
    )
    schools = compliance.schools.merge(values, on=["stage", "school_id"], how="left")
    marks = _doubtful(readings, "school", zip(schools["stage"], schools["school_id"], strict=True))
    separator = label("list_separator", language)
    schools["missed"] = [separator.join(missed) for missed in schools["missed"]]
    schools["near_limit"] = [separator.join(near) for near in schools["near_limit"]]
    schools["verdict"] = schools["verdict"].replace("", pd.NA)
    columns = (
        TableColumn("school_name", label("school_name", language), below="location"),
        vocabulary_column("verdict", language, kind="met"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("location", language, kind="code", in_files_only=True),
        vocabulary_column("enrolment", language),
        *(
            TableColumn(
                indicator,
                indicator,
                "number",
                decimals=_decimals(compliance.standard, indicator),
            )
            for indicator in ids
        ),
        vocabulary_column("n_met", language),
        vocabulary_column("missed", language),
        vocabulary_column("near_limit", language, kind="text"),
        vocabulary_column("school_id", language, in_files_only=True),
    )
    names = [
        sentence(
            "quantity_with_unit",
            language,
            name=indicator_name(compliance.standard, indicator, language),
            unit=_unit(compliance.standard, indicator, language),
        )
        for indicator in ids
    ]
    notes = (label("report_list_separator", language).join(names), *_school_rule(compliance, language))
    caption = exhibit_caption(
        "school_verdicts", language, n=schools_counted(len(schools), language), notes=notes
    )
    return TableExhibit(caption, columns, schools, marks=tuple(marks))


def tabulate_unmet(compliance: Compliance, language: Language) -> TableExhibit:
    """Return every indicator that a school misses, with the value, the minimum and the floor."""
    values = compliance.indicator_values[compliance.indicator_values["met"] == "fail"].reset_index(drop=True)
    verdicts = compliance.schools.set_index(["stage", "school_id"])["verdict"]
    units = pd.MultiIndex.from_frame(values[["stage", "school_id"]])
    data = values.assign(
        indicator_id=values["indicator"],
        school_verdict=verdicts.reindex(units).to_numpy(),
        name=[indicator_name(compliance.standard, indicator, language) for indicator in values["indicator"]],
        unit=[_unit(compliance.standard, indicator, language) for indicator in values["indicator"]],
        below_floor=values["above_floor"] == "fail",
    )
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("name", label("indicator", language)),
        vocabulary_column("value", language, kind="number", decimals=2),
        vocabulary_column("minimum", language, kind="number", decimals=2),
        vocabulary_column("unit", language),
        vocabulary_column("ratio", language, kind="share"),
        vocabulary_column("below_floor", language, kind="flag"),
        vocabulary_column("school_verdict", language, kind="met", in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    return TableExhibit(exhibit_caption("unmet", language), columns, data)


def tabulate_open_schools(compliance: Compliance, reading: Reading, language: Language) -> TableExhibit:
    """Return the missing cells on which verdicts hang, with their address in the workbook."""
    years, origin = reading.county.tables["school_years"], reading.origins["school_years"]
    positions = {key: at for at, key in enumerate(zip(years["school_id"], years["year"], strict=True))}
    schools = compliance.schools[compliance.schools["verdict"] == "undecided"]
    rows = []
    for school in schools.to_dict("records"):
        for column in school["deciding"]:
            file, sheet, cell = origin.cell(positions[school["school_id"], school["year"]], column)
            address = sentence("cell_address", language, file=file, sheet=sheet, cell=cell or "–")
            rows.append((school["school_name"], school["stage"], label(column, language), address))
    data = pd.DataFrame(rows, columns=["school_name", "stage", "column", "address"])
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("column", language),
        vocabulary_column("address", language),
    )
    return TableExhibit(exhibit_caption("open_schools", language), columns, data)


def tabulate_left_out(resources: ResourceIndicators, year: int, language: Language) -> TableExhibit:
    """Return the schools that the standard does not count, each with its reason."""
    data = resources.left_out[resources.left_out["year"] == year].reset_index(drop=True)
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("school_type", language, kind="code"),
        vocabulary_column("enrolment", language),
        vocabulary_column("reason", language, kind="code"),
    )
    return TableExhibit(exhibit_caption("left_out", language), columns, data)


def tabulate_special_cases(resources: ResourceIndicators, year: int, language: Language) -> TableExhibit:
    """Return the schools to which a special case was applied."""
    applied = special_cases_applied(resources)
    applied = applied[applied["year"] == year].reset_index(drop=True)
    data = applied.assign(
        case=[getattr(resources.standard.exception(case).name, language) for case in applied["case"]],
        name=[indicator_name(resources.standard, indicator, language) for indicator in applied["indicator"]],
    )
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("name", label("indicator", language)),
        vocabulary_column("case", language),
    )
    return TableExhibit(exhibit_caption("special_cases", language), columns, data)


def tabulate_assumed(resources: ResourceIndicators, year: int, language: Language) -> TableExhibit:
    """Return the teachers of combined schools that were split between stages by assumption."""
    assumed = resources.assumed[resources.assumed["year"] == year].reset_index(drop=True)
    data = assumed.assign(column=[label(column, language) for column in assumed["column"]])
    columns = (
        TableColumn("school_name", label("school_name", language)),
        vocabulary_column("column", language),
    )
    return TableExhibit(exhibit_caption("assumed", language), columns, data)


def _doubtful(readings: OtherReadings, subject: str, judged: Iterable[tuple[str, str]]) -> list[CellMark]:
    """Return a mark at every verdict that another reading of a doubtful rule would turn."""
    flips = readings.flips[readings.flips["subject"] == subject]
    names = flips["school_id"] if subject == "school" else flips["name"]
    turned = set(zip(flips["stage"], names, strict=True))
    return [CellMark(row, "verdict", "unsure") for row, key in enumerate(judged) if key in turned]


def _school_rule(compliance: Compliance, language: Language) -> tuple[str, ...]:
    """Say when a school passes; nothing where the standard has no such rule."""
    rule = compliance.standard.pass_rule
    if rule is None:
        return ()
    return (
        sentence(
            "school_rule",
            language,
            met=rule.minimum_met,
            indicators=len(compliance.standard.indicators),
            floor=f"{100 * rule.floor_ratio:g}",
        ),
    )


def _verdict(name: str, language: Language) -> TableColumn:
    return vocabulary_column(name, language, kind="verdict")


def _number(name: str, language: Language) -> TableColumn:
    return vocabulary_column(name, language, kind="number", decimals=COEFFICIENT_DECIMALS)


def _unit(standard: Standard, indicator_id: str, language: Language) -> str:
    return "" if indicator_id == "composite" else unit_label(standard.indicator(indicator_id).name, language)


def _decimals(standard: Standard, indicator_id: str) -> int:
    decimals = term(standard.indicator(indicator_id).name).decimals
    return 2 if decimals is None else decimals
