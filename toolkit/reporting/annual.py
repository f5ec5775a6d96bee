"""The year of a county put together: verdicts, gaps and ledger, for annual report and school pages."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.errors import ParameterError
from toolkit.indicators.items import UNITS_TESTED, ItemValues, compute_items
from toolkit.indicators.roster import school_rows
from toolkit.planning.gaps import GapList, compute_gaps
from toolkit.planning.ledger import Ledger, carry_over
from toolkit.planning.problems import collect_problems
from toolkit.reporting.findings import Finding, Findings, FindingsExhibit, show_findings
from toolkit.reporting.item_findings import findings_of_part
from toolkit.reporting.ledger_reading import load_ledger
from toolkit.reporting.ledger_workbook import place_ledger
from toolkit.reporting.parameters import AnnualReport
from toolkit.reporting.saved_results import Notice, SavedResults
from toolkit.reporting.study import Study
from toolkit.share import resolve_path
from toolkit.standards import Item
from toolkit.variation.compliance import Compliance, judge_resources
from toolkit.variation.county_verdict import CountyVerdict, judge_county
from toolkit.variation.items import ItemCompliance, judge_items
from toolkit.variation.three_valued import all_of
from toolkit.vocabulary import label, sentence

ANNUAL_REPORT = "07_annual_report"
LEDGER_NAME = "rectification_ledger.xlsx"
# Other findings as important as this stand among the key findings, too.
URGENT = 2


@dataclass(frozen=True, slots=True)
class AnnualAnalysis:
    """Everything that is judged in a year, and what follows from it.

    Attributes
    ----------
    compliance : Compliance
        Verdicts on the resource indicators.
    item_values : ItemValues
        Values of the other items of the standard, of all years.
    items : ItemCompliance
        Verdicts on them.
    verdict : CountyVerdict
        Both together.
    gaps : GapList
        What is missing to the minimum, by school, stage and indicator.
    ledger : Ledger
        The problems with what people plan to do about them.
    """

    compliance: Compliance
    item_values: ItemValues
    items: ItemCompliance
    verdict: CountyVerdict
    gaps: GapList
    ledger: Ledger


def analyse_year(study: Study) -> AnnualAnalysis:
    """Judge the year of a study, list the gaps, and bring the ledger up to it.

    Raises
    ------
    InputError
        If the ledger of the parameters cannot be read.
    ParameterError
        If a ledger is given although schools have pseudonyms: its rows carry the codes of the schools.
    """
    compliance = judge_resources(study.resources, year=study.year)
    item_values = compute_items(study.county, study.standard)
    items = judge_items(item_values, year=study.year)
    gaps = compute_gaps(study.resources, compliance, year=study.year)
    problems = collect_problems(
        study.county,
        study.resources,
        compliance,
        gaps,
        further=_item_problems(items, study),
        language=study.language,
    )
    ledger = carry_over(
        problems,
        _previous_ledger(study),
        study.county.tables.get("school_links"),
        year=study.year,
        language=study.language,
    )
    return AnnualAnalysis(compliance, item_values, items, judge_county(compliance, items), gaps, ledger)


def _previous_ledger(study: Study) -> Ledger | None:
    """Return the ledger that people edited, if one was given."""
    parameters = study.parameters
    path = parameters.ledger_path if isinstance(parameters, AnnualReport) else ""
    if not path:
        return None
    if parameters.school_names == "pseudonym":
        raise ParameterError("ledger_with_pseudonyms")
    return load_ledger(resolve_path(path))


def _item_problems(items: ItemCompliance, study: Study) -> pd.DataFrame | None:
    """Return what is judged beside the resource indicators: items of schools, then items of the county.

    An item that every school must meet is a problem of those schools that miss it, and not of the county
    beside them. None when the standard has no such items.
    """
    tested = {item.id for item in items.standard.items if item.tested_on in UNITS_TESTED}
    of_county = items.items[~items.items["item"].isin(tested)]
    schools = school_rows(study.county)
    schools = schools[schools["year"] == study.year]
    names = dict(zip(schools["school_id"], schools["school_name"], strict=True))
    rows = [
        _school_problem(item, own, study) | {"school_id": school, "school_name": names.get(school, school)}
        for (item, school), own in _by_school(items)
    ]
    rows += [
        _problem(items.standard.item(row["item"]), study, value=row["value"], met=row["verdict"])
        for row in of_county.to_dict("records")
    ]
    return pd.DataFrame(rows) if rows else None


def _by_school(items: ItemCompliance) -> Iterable[tuple[tuple[Item, str], pd.DataFrame]]:
    """Give the units of each item and school, in the order of the standard."""
    units = items.units[items.units["school_id"] != ""]
    for (item, school), own in units.groupby(["item", "school_id"], sort=False):
        yield (items.standard.item(str(item)), str(school)), own


def _school_problem(item: Item, units: pd.DataFrame, study: Study) -> dict[str, Any]:
    """Return an item of one school: its value, or the largest class and how many classes are too large."""
    met = all_of(units["verdict"].tolist())
    if item.room_bands:
        # The limit is an area, and what is counted are the rooms that have it.
        has, needs = units["numerator"].sum(), units["denominator"].sum()
        found = _problem(item, study, value=has, met=met, limit=needs, gap=max(needs - has, 0), unit="rooms")
        area = f"{units['limit'].iloc[0]:g}"
        title = sentence("rooms_of_area", study.language, title=found["title"], area=area)
        return found | {"title": title}
    if item.tested_on == "class":
        too_large = float((units["verdict"] == "fail").sum())
        return _problem(item, study, value=units["value"].max(), met=met, gap=too_large, unit="classes_unit")
    value, limit = units["value"].iloc[0], units["limit"].iloc[0]
    return _problem(item, study, value=value, met=met, limit=limit)


def _problem(
    item: Item,
    study: Study,
    *,
    value: float,
    met: str,
    limit: float | None = None,
    gap: float = math.nan,
    unit: str = "",
) -> dict[str, Any]:
    """Return one row of what was judged; of the county when no school is put in."""
    own_limit = item.limits[0] if item.limits else math.nan
    return {
        "school_id": "",
        "school_name": "",
        "item": item.id,
        "stage": "",
        "title": f"{item.id} {label(item.name, study.language)}",
        "value": value,
        "limit": own_limit if limit is None else limit,
        "gap": gap,
        "unit": unit or item.unit,
        "met": met,
    }


def select_key_findings(*parts: Iterable[Finding]) -> list[Finding]:
    """Return what a reader must know first: verdicts, what is not judged, and urgent cautions.

    What is told of a single item stands in the part of the report that it belongs to.
    """
    return [
        finding for finding in chain(*parts) if finding.kind == "headline" or finding.importance <= URGENT
    ]


def show_chapter(
    results: SavedResults, notebook: str, beginnings: tuple[str, ...]
) -> FindingsExhibit | Notice:
    """Return the findings of another notebook whose ids begin as given, or the line in their place."""
    shown = results.show_findings(notebook)
    if not isinstance(shown, FindingsExhibit):
        return shown
    told = tuple(finding for finding in shown.findings.findings if finding.id.startswith(beginnings))
    return replace(shown, findings=replace(shown.findings, findings=told))


def show_items(findings: Iterable[Finding], part: str, study: Study) -> FindingsExhibit:
    """Return the findings on the items of one part of the standard as a list."""
    return show_part(findings_of_part(findings, study.standard, part), study)


def show_part(findings: Iterable[Finding], study: Study) -> FindingsExhibit:
    """Return the findings of one part of the report as a list; the key ones are saved apart."""
    return show_findings(Findings(notebook=ANNUAL_REPORT, findings=tuple(findings)), study.language)


def write_ledger(ledger: Ledger, study: Study) -> Path | None:
    """Write the ledger that people edit beside the tables of the report; never in the public edition."""
    if not study.parameters.results_dir or study.edition == "public":
        return None
    path = resolve_path(study.parameters.results_dir) / LEDGER_NAME
    return place_ledger(ledger, path, county=study.county.name, language=study.language).path
