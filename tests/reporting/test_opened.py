"""Data that a run has read, handed to its notebooks: taken only where reading again would give the same."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from tests.end_to_end.annual import small_county, write_county
from tests.reporting.quick_runs import ANNUAL, quick_notebooks
from toolkit.reporting import study
from toolkit.reporting.opened import HANDED_VARIABLE, hand_over
from toolkit.reporting.parameters import AnnualReport, InterSchoolVariation
from toolkit.reporting.run import run_report
from toolkit.reporting.runfolder import same_content
from toolkit.reporting.study import open_study, opened_data
from toolkit.share import WORKSPACE_VARIABLE

TABLES = ("schools", "school_years")


@pytest.fixture
def workbook(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    return write_county(small_county(years=(2024, 2025)), tmp_path / "county.xlsx")


@pytest.fixture
def first(workbook):
    return open_study(AnnualReport(data_path=str(workbook)))


@pytest.fixture
def reads(first, monkeypatch):
    """Return the list of readings since; what is read is what was read at first."""
    told = []
    monkeypatch.setattr(study, "load_county", lambda *_, **options: told.append(options) or first.reading)
    return told


@pytest.mark.parametrize("year", [0, 2025], ids=["the latest", "the one chosen"])
def test_what_is_handed_over_equals_what_would_be_read(workbook, first, year):
    parameters = InterSchoolVariation(data_path=str(workbook), year=year)
    anew = open_study(parameters, tables=TABLES)
    with hand_over(opened_data(first)), pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "load_county", None)
        patch.setattr(study, "check_county", None)
        taken = open_study(parameters, tables=TABLES)
        assert taken.problems == first.problems
    assert set(taken.county.tables) == set(anew.county.tables) == set(TABLES)
    for name, table in anew.county.tables.items():
        pd.testing.assert_frame_equal(taken.county.tables[name], table)


def touch(workbook):
    later = time.time() + 60
    os.utime(workbook, (later, later))


def put_beside(workbook):
    workbook.with_suffix("").mkdir()
    (workbook.with_suffix("") / "surveys.csv").write_text("学年\n2020\n", encoding="utf-8")


@pytest.mark.parametrize("change", [touch, put_beside])
def test_after_a_file_was_changed_the_data_are_read_anew(workbook, first, reads, change):
    opened = opened_data(first)
    change(workbook)
    with hand_over(opened):
        open_study(first.parameters)
    assert len(reads) == 1


@pytest.mark.parametrize("other", [{"year": 2024}, {"county": "990100"}, {"names_path": "x.xlsx"}], ids=str)
def test_for_another_year_county_or_list_of_names_the_data_are_read_anew(first, reads, other):
    with hand_over(opened_data(first)):
        open_study(replace(first.parameters, **other))
    assert len(reads) == 1


def test_nothing_is_left_when_the_notebooks_have_ended(first):
    with hand_over(opened_data(first)):
        file = Path(os.environ[HANDED_VARIABLE])
        assert file.is_file()
    assert not file.parent.exists()
    assert HANDED_VARIABLE not in os.environ


def test_a_run_reads_once_and_side_by_side_gives_the_same_with_the_annual_report_last(workbook, tmp_path):
    started, folders = [], []
    for side_by_side in (1, 3):
        with quick_notebooks(started=started):
            read, calls = study.load_county, []
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(study, "load_county", lambda *a, **o: calls.append(a) or read(*a, **o))  # noqa: B023
                outcome = run_report(
                    {"data_path": str(workbook)},
                    reports=tmp_path / str(side_by_side),
                    creates_texts=False,
                    side_by_side=side_by_side,
                )
        assert len(calls) == 1
        assert not outcome.failures
        folders.append(outcome.placement.path)
    half = len(started) // 2
    assert started[half - 1] == started[-1] == ANNUAL
    assert sorted(started[:half]) == sorted(started[half:])
    assert same_content(*folders)
