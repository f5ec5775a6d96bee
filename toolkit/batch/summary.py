"""What became of a batch, as tables: verdicts of all counties, their coefficients, what failed and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from toolkit.batch.county_results import CountyResults, binding_indicators
from toolkit.batch.status import LOG_FILE, UnitStatus
from toolkit.batch.units import UNITS_FOLDER
from toolkit.exhibits import exhibit_caption
from toolkit.standards import available_standards, load_standard
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.vocabulary import Language, format_number, label, sentence

SUMMARY_KEY = "summary"
FAILURES_KEY = "batch_failures"
COEFFICIENTS_KEY = "batch_coefficients"
STAGE_ORDER = ("primary", "junior")
COEFFICIENT_DECIMALS = 3


@dataclass(frozen=True, slots=True, eq=False)
class SummaryUnit:
    """A unit with what its report says, None where there is no report to read."""

    status: UnitStatus
    results: CountyResults | None


def in_order(units: Sequence[SummaryUnit]) -> tuple[SummaryUnit, ...]:
    """Return the units by county and year; those of unknown counties last."""
    return tuple(
        sorted(
            units,
            key=lambda unit: (
                not unit.status.county_id,
                unit.status.county_id,
                unit.status.year,
                unit.status.unit,
            ),
        )
    )


def tabulate_units(units: Sequence[SummaryUnit], language: Language) -> TableExhibit:
    """Return one row a unit: verdicts, indicators above their limits, the report; coefficients in the files.

    Parameters
    ----------
    units : sequence of SummaryUnit
        The units, from `in_order`.
    language : {"zh", "en"}
        Language.
    """
    pairs = _indicators(units)
    data = pd.DataFrame([_unit_row(unit, pairs, language) for unit in units])
    columns = (
        vocabulary_column("batch_county", language, kind="text"),
        vocabulary_column("year", language, kind="text"),
        vocabulary_column("batch_verdict", language, kind="verdict"),
        *(vocabulary_column(f"batch_verdict_{stage}", language, kind="verdict") for stage in STAGE_ORDER),
        vocabulary_column("batch_binding", language),
        vocabulary_column("batch_state", language, kind="code"),
        vocabulary_column("batch_report", language),
        vocabulary_column("county_id", language, in_files_only=True),
        vocabulary_column("batch_standard", language, in_files_only=True),
        vocabulary_column("batch_data", language, in_files_only=True),
        *(
            TableColumn(
                f"{stage}_{indicator}",
                sentence(
                    "batch_coefficient_column",
                    language,
                    stage=label(stage, language),
                    indicator=indicator,
                ),
                "number",
                decimals=COEFFICIENT_DECIMALS,
                in_files_only=True,
            )
            for stage, indicator in pairs
        ),
    )
    marks = tuple(
        CellMark(row, f"{entry['stage']}_{entry['indicator_id']}", "provisional")
        for row, unit in enumerate(units)
        for entry in _coefficients(unit)
        if entry["is_provisional"] and not pd.isna(entry["coefficient"])
    )
    verdicts = ("batch_verdict", *(f"batch_verdict_{stage}" for stage in STAGE_ORDER))
    # Where there is no report nothing is missing in the data, as an empty cell would say.
    marks += tuple(
        CellMark(row, name, "not_applicable")
        for row, unit in enumerate(units)
        if unit.results is None
        for name in verdicts
    )
    n = sentence("batch_n_units", language, count=len(units))
    return TableExhibit(exhibit_caption(SUMMARY_KEY, language, n=n), columns, data, marks=marks)


def tabulate_batch_coefficients(units: Sequence[SummaryUnit], language: Language) -> tuple[TableExhibit, ...]:
    """Return the coefficients of every county, year and stage, a table for each standard.

    Coefficients of different standards never stand in one table.
    """
    judged = [unit for unit in units if _coefficients(unit)]
    standards = sorted({unit.results.record.standard for unit in judged if unit.results})
    return tuple(
        _coefficient_table(
            [unit for unit in judged if unit.results and unit.results.record.standard == standard],
            standard,
            number,
            language,
        )
        for number, standard in enumerate(standards)
    )


def tabulate_failures(units: Sequence[SummaryUnit], language: Language) -> TableExhibit:
    """Return what failed, each with its reason on one line."""
    rows = [
        {
            "batch_county": _county(unit.status),
            "batch_data": unit.status.data,
            "year": _year(unit.status, language),
            "reason": getattr(reason, language),
            "batch_state": f"batch_state_{unit.status.state}",
            "batch_log": f"{UNITS_FOLDER}/{unit.status.unit}/{LOG_FILE}",
        }
        for unit in units
        for reason in unit.status.reasons
    ]
    columns = (
        vocabulary_column("batch_county", language, kind="text"),
        vocabulary_column("batch_data", language),
        vocabulary_column("year", language, kind="text"),
        vocabulary_column("reason", language),
        vocabulary_column("batch_state", language, kind="code"),
        vocabulary_column("batch_log", language),
    )
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    n = sentence("batch_n_failures", language, count=len(rows))
    return TableExhibit(exhibit_caption(FAILURES_KEY, language, n=n), columns, data)


def counted(units: Sequence[SummaryUnit], language: Language) -> tuple[str, ...]:
    """Return how many reports there are, how many failed, and how the counties were judged, in sentences."""
    states = [unit.status.state for unit in units]
    counts = {state: states.count(state) for state in ("done", "incomplete", "failed")}
    told = [sentence("batch_counted", language, total=len(units), **counts)]
    verdicts = [unit.results.verdict for unit in units if unit.results and unit.results.verdict]
    if verdicts:
        judged = {verdict: verdicts.count(verdict) for verdict in ("pass", "fail", "undecided")}
        told.append(
            sentence(
                "batch_judged",
                language,
                n_judged=len(verdicts),
                n_pass=judged["pass"],
                n_fail=judged["fail"],
                n_undecided=judged["undecided"],
            )
        )
    return tuple(told)


def standard_title(standard: str, language: Language) -> str:
    """Return the title of a standard that ships, the id of another."""
    if standard not in available_standards():
        return standard
    return getattr(load_standard(standard).title, language)


def _unit_row(unit: SummaryUnit, pairs: Sequence[tuple[str, str]], language: Language) -> Mapping[str, Any]:
    status, results = unit.status, unit.results
    stages = {} if results is None or results.stages.empty else dict(
        zip(results.stages["stage"], results.stages["overall_verdict"], strict=True)
    )  # fmt: skip
    values = {(entry["stage"], entry["indicator_id"]): entry["coefficient"] for entry in _coefficients(unit)}
    return {
        "batch_county": _county(status),
        "year": _year(status, language),
        "batch_verdict": (results.verdict if results else "") or None,
        **{f"batch_verdict_{stage}": stages.get(stage) or None for stage in STAGE_ORDER},
        "batch_binding": _binding(results, language),
        "batch_state": f"batch_state_{status.state}",
        "batch_report": status.report,
        "county_id": status.county_id,
        "batch_standard": results.record.standard if results else "",
        "batch_data": status.data,
        **{
            f"{stage}_{indicator}": values.get((stage, indicator), float("nan")) for stage, indicator in pairs
        },
    }


def _coefficient_table(
    units: Sequence[SummaryUnit], standard: str, number: int, language: Language
) -> TableExhibit:
    indicators = list(dict.fromkeys(indicator for _, indicator in _indicators(units)))
    rows, marks = [], []
    for unit in units:
        table = pd.DataFrame(_coefficients(unit))
        for stage, own in table.groupby("stage", sort=False):
            entries = own.set_index("indicator_id")
            rows.append(
                {
                    "batch_county": _county(unit.status),
                    "year": _year(unit.status, language),
                    "stage": stage,
                    "limit": entries["limit"].iloc[0],
                    **entries["coefficient"].to_dict(),
                }
            )
            provisional = entries.index[entries["is_provisional"] & entries["coefficient"].notna()]
            marks += [CellMark(len(rows) - 1, str(name), "provisional") for name in provisional]
    columns = (
        vocabulary_column("batch_county", language, kind="text"),
        vocabulary_column("year", language, kind="text"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("limit", language, kind="number", decimals=2),
        *(TableColumn(name, name, "number", decimals=COEFFICIENT_DECIMALS) for name in indicators),
    )
    names = _indicator_names(units)
    notes = tuple(sentence("batch_indicator_name", language, name=names[name]) for name in indicators)
    key = f"{COEFFICIENTS_KEY}_{number + 1}" if number else COEFFICIENTS_KEY
    title = standard_title(standard, language)
    caption = exhibit_caption(COEFFICIENTS_KEY, language, standard=title, notes=notes)
    data = pd.DataFrame(rows, columns=[column.name for column in columns])
    return TableExhibit(replace(caption, key=key), columns, data, marks=tuple(marks))


def _indicators(units: Sequence[SummaryUnit]) -> list[tuple[str, str]]:
    """Return stage and id of every coefficient, stages in their order, indicators in that of the tables."""
    found = dict.fromkeys(
        (entry["stage"], entry["indicator_id"]) for unit in units for entry in _coefficients(unit)
    )
    return sorted(found, key=lambda pair: STAGE_ORDER.index(pair[0]) if pair[0] in STAGE_ORDER else 99)


def _indicator_names(units: Sequence[SummaryUnit]) -> dict[str, str]:
    return {entry["indicator_id"]: entry["name"] for unit in units for entry in _coefficients(unit)}


def _coefficients(unit: SummaryUnit) -> list[dict[str, Any]]:
    """Return the coefficients of a unit, none where it was not judged."""
    table = pd.DataFrame() if unit.results is None else unit.results.coefficients
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _binding(results: CountyResults | None, language: Language) -> str:
    """Return the indicators above their limits, each with stage, coefficient and limit."""
    if results is None:
        return ""
    return label("list_separator", language).join(
        sentence(
            "batch_binding_indicator",
            language,
            stage=label(row["stage"], language),
            indicator=row["indicator_id"],
            coefficient=format_number(row["coefficient"], COEFFICIENT_DECIMALS),
            limit=format_number(row["limit"], 2),
        )
        for row in binding_indicators(results).to_dict("records")
    )


def _county(status: UnitStatus) -> str:
    """Return name and code of the county as far as they are known, else the file."""
    return " ".join(filter(None, (status.county_name, status.county_id))) or status.data


def _year(status: UnitStatus, language: Language) -> str:
    return str(status.year) if status.year else label("batch_latest_year", language)
