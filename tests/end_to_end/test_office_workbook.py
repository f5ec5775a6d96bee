"""A workbook as an office sends it gives the verdicts of the clean one."""

import math

import pandas as pd
import pytest

from tests.end_to_end.annual import notebooks_in_this_process, without_studies
from tests.end_to_end.office import MISSING_SHEETS, REGISTER, YEARS, make_ugly
from tests.end_to_end.runs import QUALITY, junheng, only_report
from toolkit.data.reading import load_county
from toolkit.data.simulate import SimulationSettings, simulate_county, write_county
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.compliance import judge_resources

pytestmark = pytest.mark.slow

SETTINGS = SimulationSettings(n_schools=20, n_years=3, with_teachers=False, with_scores=False)
SEED = 5


@pytest.fixture(scope="module")
def simulated():
    return simulate_county(SETTINGS, seed=SEED)


@pytest.fixture(scope="module")
def files(simulated, workspace):
    """The clean workbook, the office's, and the number of lines of its sheet of figures."""
    clean, ugly = workspace / "clean.xlsx", workspace / "云岭县报送.xlsx"
    write_county(simulated, clean)
    return clean, ugly, make_ugly(clean, ugly)


@pytest.fixture(scope="module")
def clean(files):
    """The verdicts of the clean workbook."""
    reading = load_county(files[0])
    assert reading.errors == ()
    resources = compute_resource_indicators(reading.county, load_standard("national_2017"))
    return judge_resources(resources, year=SETTINGS.last_year)


@pytest.fixture(scope="module")
def report(files, workspace):
    reports = workspace / "reports"
    with notebooks_in_this_process(), without_studies():
        answer = junheng("run", files[1], "--output", reports, "--only", "01", "--only", "02")
    assert answer.code == 0, answer.text
    return only_report(reports)


def test_the_verdicts_of_all_schools_are_those_that_were_planted(report, simulated, clean):
    planted = {(row["stage"], row["name"]): row["verdict"] for row in simulated.truth["schools"]}
    keys = zip(clean.schools["stage"], clean.schools["school_name"], strict=True)

    assert report.school_verdicts() == planted
    assert dict(zip(keys, clean.schools["verdict"], strict=True)) == planted
    assert {"pass", "fail"} <= set(planted.values())


def test_the_coefficients_equal_those_of_the_clean_workbook(report, clean):
    found, expected = report.coefficients(), clean.coefficients.set_index(["stage", "indicator"])

    assert list(found.index) == list(expected.index)
    assert found["coefficient"].tolist() == pytest.approx(
        expected["coefficient"].tolist(), rel=1e-9, nan_ok=True
    )
    assert found["verdict"].tolist() == expected["verdict"].tolist()


def test_the_verdicts_on_the_stages_are_those_that_were_planted(report, simulated):
    for stage, row in report.stages().iterrows():
        planted = simulated.truth["verdicts"][stage]
        assert row["overall_verdict"] == planted["verdict"]
        assert row["schools_verdict"] == planted["schools"]
        assert row["coefficients_verdict"] == planted["coefficients"]


def test_every_line_of_the_sheet_is_accounted_for(report, files, simulated):
    accounting = report.table(QUALITY, "accounting")
    (own,) = accounting[accounting["table"] == YEARS].to_dict("records")

    assert (accounting["rows_used"] + accounting["rows_left_out"]).equals(accounting["rows_read"])
    assert (own["file"], own["sheet"]) == (files[1].name, YEARS)
    assert own["rows_read"] == files[2]
    assert own["rows_used"] == len(simulated.county.tables["school_years"])
    assert f"合计、小计、平均行 {SETTINGS.n_years} 行" in own["reason"]


def test_the_register_is_read_from_the_text_file_beside_the_workbook(report):
    accounting = report.table(QUALITY, "accounting")

    assert accounting[accounting["table"] == REGISTER]["file"].tolist() == [f"{REGISTER}.csv"]


def test_what_was_converted_is_listed(report, simulated):
    conversions = report.table(QUALITY, "conversions")
    years = simulated.county.tables["school_years"]

    def cells(column, word):
        rows = conversions[conversions.map(str).apply(" ".join, axis=1).str.contains(column)]
        return rows[rows.map(str).apply(" ".join, axis=1).str.contains(word)]["cells"].sum()

    assert cells("教学仪器设备值", "万") == years["equipment_value"].notna().sum()
    in_mu = years["sports_ground_area"].notna() & (years.groupby("year").cumcount() % 3 != 2)
    assert cells("体育运动场地面积", "亩") == in_mu.sum()


def test_a_sheet_that_is_missing_is_no_hindrance(report):
    tables = set(report.table(QUALITY, "accounting")["table"])

    assert not tables & set(MISSING_SHEETS)


def test_no_school_was_matched_wrongly(files, simulated):
    found = load_county(files[1]).county.tables["school_years"]
    planted = simulated.county.tables["school_years"]
    columns = ["school_id", "year", "enrolment_primary", "enrolment_junior", "multimedia_rooms"]

    pd.testing.assert_frame_equal(
        found[columns].sort_values(columns[:2], ignore_index=True),
        planted[columns].sort_values(columns[:2], ignore_index=True),
        check_dtype=False,
    )
    assert math.isclose(found["equipment_value"].sum(), planted["equipment_value"].sum(), rel_tol=1e-12)
