"""Runs of small counties, written as a report leaves them: made from the library, without kernels."""

import hashlib
from unittest.mock import patch

import pandas as pd

from tests.counties import make_county
from tests.reporting.pages import record
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.findings import Findings, build_finding, save_findings
from toolkit.reporting.record import InputFile, NotebookOutcome, write_record
from toolkit.standards import hash_standard, load_standard
from toolkit.tables.saved import save_table
from toolkit.tables.school_values import tabulate_school_values
from toolkit.tables.verdicts import (
    tabulate_coefficients,
    tabulate_left_out,
    tabulate_school_verdicts,
    tabulate_stage_verdicts,
)
from toolkit.variation.compliance import judge_resources
from toolkit.variation.readings import OtherReadings

NOTEBOOK = "02_inter_school_variation"
NO_READINGS = OtherReadings(
    pd.DataFrame(columns=["mark", "subject", "stage", "school_id", "name", "verdict", "other_verdict"]), ()
)

SCHOOL = {"school_type": "primary_school", "ownership": "public", "location": "urban", "opened": 1990}
# 1,000 students who have just a little more of everything than is asked for.
FIGURES = {
    "year": 2025,
    "enrolment_primary": 1000,
    "teachers_above_required_qualification_primary": 50,
    "backbone_teachers_primary": 12,
    "pe_teachers_primary": 6,
    "arts_teachers_primary": 6,
    "visiting_pe_arts_teachers_primary": 0,
    "teaching_area": 5000,
    "indoor_sports_area": 0,
    "gymnasium_area": 0,
    "sports_ground_area": 8000,
    "equipment_value": 2_500_000,
    "multimedia_rooms": 25,
}


def county(*changes, year=2025, **registers):
    """Return a county of three primary schools; a change is (school, column, value)."""
    numbers = registers.get("schools", (1, 2, 3))
    schools = [{**SCHOOL, "school_id": f"36010100{n:02}", "school_name": f"第{n}小学"} for n in numbers]
    figures = [{**FIGURES, "school_id": school["school_id"], "year": year} for school in schools]
    for number, column, value in changes:
        table = figures if column in FIGURES else schools
        table[list(numbers).index(number)][column] = value
    return make_county(schools, figures)


def make_run(
    folder, data, *, year=2025, rules="", standard="national_2017", language="zh", tables=(), **changes
):
    """Write the folder of a run of the notebook on variation; further tables are saved beside its own."""
    judged_by = load_standard(standard, rules=rules)
    resources = compute_resource_indicators(data, judged_by)
    compliance = judge_resources(resources, year=year)
    results = folder / "results" / NOTEBOOK
    exhibits = (
        tabulate_stage_verdicts(compliance, language),
        tabulate_coefficients(compliance, NO_READINGS, language),
        tabulate_school_verdicts(compliance, NO_READINGS, language),
        tabulate_school_values(compliance, resources, language),
        tabulate_left_out(resources, year, language),
        *tables,
    )
    # Nothing reads the workbooks, and writing them takes most of the time.
    with patch("toolkit.tables.export._write_workbook"):
        for exhibit in exhibits:
            save_table(exhibit, results)
    finding = build_finding(
        "verdict_county",
        f"finding_county_{compliance.verdict}",
        kind="headline",
        importance=0,
        status=compliance.verdict,
        stages="–",
    )
    save_findings(Findings(NOTEBOOK, (finding,)), results)
    values = {
        "county_id": data.county_id,
        "county_name": data.name,
        "year": year,
        "language": language,
        "standard": judged_by.id,
        "standard_sha256": hash_standard(judged_by),
        "parameters": {NOTEBOOK: {"year": year, "rules": rules, "unstaged_teachers": "undecided"}},
        "inputs": (InputFile("county.xlsx", hash_of(data)),),
        "notebooks": (NotebookOutcome(NOTEBOOK, "done", ""),),
        "accounting": ({"table": "schools", "rows_used": len(data.tables["schools"]), "rows_left_out": 1},),
    }
    write_record(record(**{**values, **changes}), folder)
    return folder


def hash_of(data):
    """Return the hash that the file with a county's figures would have."""
    texts = [frame.to_csv() for frame in data.tables.values()]
    return hashlib.sha256("".join(texts).encode()).hexdigest()
