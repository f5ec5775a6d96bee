"""一校一策: one page for each school, with its values, gaps, problems and a place to sign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.county import CLASS_SIZE_BANDS
from toolkit.errors import ParameterError
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.planning.gaps import GapList
from toolkit.planning.ledger import Ledger, LedgerRow
from toolkit.reporting.page import LANGUAGE_CODES, TEMPLATES, PageHeader, shell_resources, template_text
from toolkit.standards import indicator_name
from toolkit.tables.exhibit import verdict_text
from toolkit.tables.planning import gap_text
from toolkit.tables.variation import school_year
from toolkit.variation.compliance import Compliance
from toolkit.vocabulary import Language, format_number, label, sentence, term, unit_label

if TYPE_CHECKING:
    from jinja2 import Environment

INDEX_NAME = "index.html"
YEARS_SHOWN = 5
# The bar ends at twice the minimum.
BAR_RATIO, BAR_WIDTH = 2.0, 100.0
LABELS = (
    "school_page_type",
    "school_page_town",
    "school_page_enrolment",
    "school_page_indicators",
    "school_page_years",
    "school_page_classes",
    "school_page_problems",
    "school_page_no_problems",
    "school_page_sign_head",
    "school_page_sign_inspector",
    "school_page_sign_date",
    "school_page_to_index",
    "school_page_indicator",
    "school_page_minimum",
    "school_page_mean",
    "school_page_value",
    "school_page_bar",
    "school_page_met",
    "school_page_gap",
    "school_page_legend",
    "school_page_missing",
    "school_page_school",
    "school_page_verdict",
    "school_page_unmet",
    "school_page_colon",
    "school_page_no_classes",
    "ledger_title",
    "ledger_measure",
    "ledger_person",
    "ledger_deadline",
    "ledger_state",
    "stage",
    "report_brand",
    "report_self_assessment",
)


@dataclass(frozen=True, slots=True)
class SchoolData:
    """What the pages of all schools are made from.

    Attributes
    ----------
    resources : ResourceIndicators
        Values of all years.
    compliance, gaps
        Verdicts and gaps of the year.
    ledger : Ledger
        The problems with what people plan.
    classes : pandas.DataFrame or None
        Table `classes`.
    """

    resources: ResourceIndicators
    compliance: Compliance
    gaps: GapList
    ledger: Ledger
    classes: pd.DataFrame | None


def write_school_pages(folder: Path, data: SchoolData, header: PageHeader) -> tuple[Path, ...]:
    """Write one page per school in scope and a page that lists them; return the index, then the pages.

    Parameters
    ----------
    folder : pathlib.Path
        Receives ``index.html`` and ``school-<number>.html``, numbered in the order of the data.
    data : SchoolData
        The results of the year.
    header : PageHeader
        County, year, standard, language and edition of the run.

    Raises
    ------
    ParameterError
        In the public edition: pages of single schools are work for the office.
    """
    if header.edition == "public":
        raise ParameterError("school_pages_internal_only")
    language = header.language
    schools = school_contexts(data, language)
    folder.mkdir(parents=True, exist_ok=True)
    template = _environment().get_template("report/school_page.html.j2")
    shared = _shared(header, data)
    paths = []
    for number, school in enumerate(schools, start=1):
        path = folder / f"school-{number:0{max(3, len(str(len(schools))))}d}.html"
        path.write_text(template.render(**shared, school=school), encoding="utf-8", newline="\n")
        paths.append(path)
    index = folder / INDEX_NAME
    index.write_text(_index(header, shared, schools, paths), encoding="utf-8", newline="\n")
    return (index, *paths)


def school_contexts(data: SchoolData, language: Language) -> list[dict[str, Any]]:
    """Return what the page of each school shows, in the order of the data."""
    year, units = data.compliance.year, data.resources.units
    own = units[units["year"] == year]
    verdicts = _by_school(data.compliance.schools)
    values = _by_school(data.compliance.indicator_values)
    gaps = _by_school(data.gaps.gaps)
    means = {
        (row["stage"], row["indicator"]): row["mean"]
        for row in data.compliance.coefficients.to_dict("records")
    }
    history, classes = _history(data.resources, year), _class_sizes(data.classes, year)
    problems: dict[str, list[LedgerRow]] = {}
    for row in data.ledger.rows:
        problems.setdefault(row.school_id, []).append(row)
    contexts = []
    for code, stages in _by_school(own).items():
        found = {(row["stage"], row["indicator"]): row for row in gaps.get(code, ())}
        contexts.append(
            {
                "name": stages[0]["school_name"],
                "code": code,
                "type": _word(stages[0]["school_type"], language),
                "town": "" if pd.isna(stages[0]["town"]) else stages[0]["town"],
                "location": _word(stages[0]["location"], language),
                "ownership": _word(stages[0]["ownership"], language),
                "enrolment": [
                    (label(row["stage"], language), format_number(row["enrolment"], 0)) for row in stages
                ],
                "verdicts": [_verdict(row, language) for row in verdicts.get(code, ())],
                "stages": _stage_values(data, values.get(code, []), means, found, language),
                "years": _year_table(data, history.get(code, {}), year, language),
                "classes": _class_table(classes.get(code, {}), language),
                "problems": [_problem(row, language) for row in problems.get(code, ())],
            }
        )
    return contexts


def _by_school(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of each school, in the order of the table."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in table.to_dict("records"):
        rows.setdefault(row["school_id"], []).append({str(name): value for name, value in row.items()})
    return rows


def _verdict(row: Mapping[str, Any], language: Language) -> dict[str, Any]:
    """Return the verdict on one stage with the indicators missed and the cells that decide."""
    separator = label("list_separator", language)
    return {
        "stage": label(row["stage"], language),
        "status": row["verdict"] or "none",
        "text": verdict_text(row["verdict"], language, kind="met") if row["verdict"] else "–",
        "missed": separator.join(row["missed"]),
        "missing": separator.join(label(column, language) for column in row["deciding"]),
    }


def _stage_values(
    data: SchoolData,
    values: Sequence[Mapping[str, Any]],
    means: Mapping[tuple[str, str], float],
    gaps: Mapping[tuple[str, str], Mapping[str, Any]],
    language: Language,
) -> list[dict[str, Any]]:
    """Return the indicators of each stage against minimum and county mean."""
    stages: dict[str, list[dict[str, Any]]] = {}
    for row in values:
        key = row["stage"], row["indicator"]
        stages.setdefault(row["stage"], []).append(
            _indicator(data, row, means.get(key, float("nan")), gaps.get(key), language)
        )
    return [{"stage": label(stage, language), "rows": rows} for stage, rows in stages.items()]


def _indicator(
    data: SchoolData,
    row: Mapping[str, Any],
    mean: float,
    gap: Mapping[str, Any] | None,
    language: Language,
) -> dict[str, Any]:
    """Return one line: value, minimum, mean, the places of its bar, and the gap."""
    standard = data.resources.standard
    indicator = standard.indicator(row["indicator"])
    decimals = term(indicator.name).decimals or 0
    missing = ""
    if gap:
        missing = gap_text(gap["gap_low"], gap["gap_high"], gap["unit"], language)
        missing = f"{missing} {label(gap['unit'], language)}".strip()
    return {
        "name": indicator_name(standard, row["indicator"], language),
        "unit": unit_label(indicator_terms(standard, indicator, row["stage"])[0][0], language),
        "minimum": format_number(row["minimum"], decimals),
        "mean": format_number(mean, decimals),
        "value": format_number(row["value"], decimals),
        "bar": _place(row["value"], row["minimum"]),
        "mean_at": _place(mean, row["minimum"]),
        "floor_at": _place(row["floor"], row["minimum"]),
        "minimum_at": _place(row["minimum"], row["minimum"]),
        "met": row["met"] or "none",
        "met_text": verdict_text(row["met"], language, kind="met") if row["met"] else "–",
        "gap": missing,
    }


def _place(value: float, minimum: float) -> str:
    """Return where a value lies on the bar; empty where there is none."""
    if pd.isna(value) or pd.isna(minimum) or minimum <= 0:
        return ""
    return f"{min(value / minimum, BAR_RATIO) / BAR_RATIO * BAR_WIDTH:.1f}"


def _history(resources: ResourceIndicators, last: int) -> dict[str, dict[tuple[str, int], list[float]]]:
    """Return the values of all indicators by school, stage and year, of the last years."""
    units = resources.units
    history: dict[str, dict[tuple[str, int], list[float]]] = {}
    years = units["year"].astype("int64").tolist()
    for code, stage, year, values in zip(
        units["school_id"], units["stage"], years, resources.value.tolist(), strict=True
    ):
        if last - YEARS_SHOWN < year <= last:
            history.setdefault(code, {})[stage, year] = values
    return history


def _year_table(
    data: SchoolData, history: Mapping[tuple[str, int], Sequence[float]], last: int, language: Language
) -> dict[str, Any]:
    """Return the indicators of the last years, stages side by side."""
    stages = [stage for stage in COMPULSORY_STAGES if any(at == stage for at, _ in history)]
    present = {year for _, year in history}
    years = [year for year in range(last - YEARS_SHOWN + 1, last + 1) if year in present]
    rows = []
    for k, indicator in enumerate(data.resources.standard.indicators):
        decimals = term(indicator.name).decimals or 0
        cells = [
            format_number(history[stage, year][k] if (stage, year) in history else None, decimals)
            for stage in stages
            for year in years
        ]
        rows.append({"name": indicator_name(data.resources.standard, indicator.id, language), "cells": cells})
    return {
        "stages": [label(stage, language) for stage in stages],
        "years": [school_year(year) for year in years],
        "rows": rows,
    }


def _class_sizes(classes: pd.DataFrame | None, year: int) -> dict[str, dict[str, dict[str, float]]]:
    """Return the number of classes by school, stage and size band."""
    if classes is None:
        return {}
    sizes: dict[str, dict[str, dict[str, float]]] = {}
    for row in classes[classes["year"] == year].to_dict("records"):
        band = row["size_band"] if isinstance(row["size_band"], str) else _band(row["class_size"])
        number = 1.0 if pd.isna(row["class_count"]) else float(row["class_count"])
        if band and isinstance(row["stage"], str):
            bands = sizes.setdefault(row["school_id"], {}).setdefault(row["stage"], {})
            bands[band] = bands.get(band, 0.0) + number
    return sizes


def _band(size: float) -> str:
    """Return the size band of a class, empty for a missing size or an empty class."""
    if pd.isna(size) or size < 1:
        return ""
    # The names of the bands begin with their least size: band_41_45, band_66_up.
    return [band for band in CLASS_SIZE_BANDS if int(band.split("_")[1]) <= size][-1]


def _class_table(sizes: Mapping[str, Mapping[str, float]], language: Language) -> dict[str, Any]:
    """Return the classes by stage and those size bands that occur."""
    bands = [band for band in CLASS_SIZE_BANDS if any(band in row for row in sizes.values())]
    return {
        "bands": [label(band, language) for band in bands],
        "rows": [
            {
                "stage": label(stage, language),
                "cells": [format_number(sizes[stage].get(band, 0.0), 0) for band in bands],
            }
            for stage in COMPULSORY_STAGES
            if stage in sizes
        ],
    }


def _problem(row: LedgerRow, language: Language) -> dict[str, str]:
    """Return one row of the ledger."""
    return {
        "title": row.title,
        "stage": label(row.stage, language) if row.stage in COMPULSORY_STAGES else row.stage,
        "measure": row.measure,
        "person": row.person,
        "deadline": row.deadline,
        "state": label(f"ledger_state_{row.state}", language),
        "remark": label(f"ledger_proposal_{row.proposal}", language) if row.proposal else "",
    }


def _word(code: object, language: Language) -> str:
    return label(code, language) if isinstance(code, str) else ""


def _shared(header: PageHeader, data: SchoolData) -> dict[str, Any]:
    """Return what stands on every page."""
    language = header.language
    years = {"year": header.year, "next_year": header.year + 1}
    rule = data.resources.standard.pass_rule
    return {
        "language_code": LANGUAGE_CODES[language],
        "labels": {name: label(name, language) for name in LABELS},
        "legend": sentence(
            "school_page_bar_legend", language, floor=f"{100 * rule.floor_ratio:g}" if rule else "–"
        ),
        "county": header.county,
        "school_year": sentence("report_school_year", language, **years),
        "statistic_date": sentence("report_statistic_date", language, year=header.year),
        "standard": header.standard,
        "edition_label": label(f"report_edition_{header.edition}", language),
        "synthetic": sentence("report_synthetic", language) if header.is_synthetic else "",
        "version": header.version,
        "data_hash": header.data_hash,
        "bar_width": f"{BAR_WIDTH:g}",
        "css": template_text("schools.css"),
        "index_href": INDEX_NAME,
    }


def _index(
    header: PageHeader, shared: Mapping[str, Any], schools: Sequence[Mapping[str, Any]], paths: Sequence[Path]
) -> str:
    """Return the page that lists the schools."""
    title = label("school_page_index", header.language)
    shell = shell_resources(header, title=title, text="", embed_font=False)
    entries = [{"href": path.name, "school": school} for path, school in zip(paths, schools, strict=True)]
    template = _environment().get_template("report/school_index.html.j2")
    intro = sentence("school_page_index_intro", header.language, count=len(schools))
    return template.render(labels=shared["labels"], entries=entries, intro=intro, shell_values=shell)


@cache
def _environment() -> "Environment":
    """Return the template environment, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([TEMPLATES, TEMPLATES / "report"])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
