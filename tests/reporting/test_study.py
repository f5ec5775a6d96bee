"""A study: what it opens, what it writes, what the public edition leaves out."""

import csv
from dataclasses import replace

import openpyxl
import pandas as pd
import pytest

from tests.notebooks.cells import one_reading, small_county
from toolkit.data.checks import check_county
from toolkit.errors import InputError, ParameterError
from toolkit.figures.theme import pinyin_order
from toolkit.reporting.findings import build_finding, load_findings
from toolkit.reporting.parameters import DataQuality
from toolkit.reporting.study import INTERNAL_TABLES, chosen_year, load_table_titles, open_study
from toolkit.share import WORKSPACE_VARIABLE
from toolkit.tables import quality, verdicts
from toolkit.tables.html import table_html
from toolkit.variation.compliance import judge_resources
from toolkit.variation.readings import compare_readings


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    return small_county(tmp_path_factory.getbasetemp())


@pytest.fixture
def study(workbook, tmp_path, monkeypatch):
    """Return a function that opens the county with parameters; results go below the workspace."""
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))

    def opened(**parameters):
        with one_reading():
            return open_study(DataQuality(data_path=str(workbook), results_dir="results", **parameters))

    return opened


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def readings_of(study):
    compliance = judge_resources(study.resources, year=study.year)
    return compare_readings(
        study.county, compliance, study.readings, unstaged_teachers=study.unstaged_teachers
    )


def test_the_latest_year_is_chosen_unless_one_is_asked_for(study):
    latest = study().year
    assert study(year=latest - 1).year == latest - 1
    assert latest == study().county.tables["school_years"]["year"].max()


def test_a_year_without_data_is_refused_with_those_there_are(study):
    with pytest.raises(InputError, match=r"They have: \d{4}(, \d{4}){4}\."):
        study(year=1999)


def test_a_county_without_yearly_figures_is_refused(study):
    county = study().county
    empty = type(county)(county.county_id, county.name, {"schools": county.tables["schools"]})
    with pytest.raises(InputError, match="no usable row"):
        chosen_year(empty, 0)


@pytest.mark.parametrize("plan", ["meizhou", "heping", "zhenjiang", "puyang", "baoshan"])
def test_a_local_plan_is_no_standard(study, plan):
    with pytest.raises(ParameterError, match=f'"{plan}" defines no resource indicators'):
        study(standard=plan)


def test_a_table_is_written_below_the_workspace_with_its_title(study, tmp_path):
    opened = study()
    opened.table(quality.tabulate_accounting(opened.reading, "zh"))
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [
        "accounting.csv", "accounting.xlsx", "exhibits.json",
    ]  # fmt: skip
    assert list(load_table_titles(tmp_path / "results")) == ["accounting"]


def test_findings_carry_the_name_of_their_notebook(study, tmp_path):
    finding = build_finding("names", "finding_no_names", kind="finding", importance=1)
    study().findings(finding)
    assert load_findings(tmp_path / "results").notebook == "01_data_quality"


def test_nothing_is_written_without_a_results_folder(workbook, tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    with one_reading():
        opened = open_study(DataQuality(data_path=str(workbook)))
    opened.table(quality.tabulate_accounting(opened.reading, "zh"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_public_edition_lists_nothing_that_quotes_the_input(study, tmp_path, language):
    internal, public = study(language=language), study(language=language, edition="public")
    compliance = judge_resources(internal.resources, year=internal.year)
    internal_only = (
        quality.tabulate_problems(internal.problems, language),
        quality.tabulate_match_list(internal.reading, language),
        quality.tabulate_unmatched(internal.reading, language),
        verdicts.tabulate_open_schools(compliance, internal.reading, language),
    )
    assert {exhibit.caption.key for exhibit in internal_only} <= set(INTERNAL_TABLES)
    assert all(len(exhibit.data) for exhibit in internal_only[:3])
    for exhibit in internal_only:
        assert internal.table(exhibit) is exhibit
        shown = public.table(exhibit)
        assert len(shown.data) == 0
        if exhibit.data.empty:
            assert shown.empty_text == exhibit.empty_text
            continue
        assert str(len(exhibit.data)) in shown.empty_text
        assert shown.empty_text in table_html(shown)
        notes = openpyxl.load_workbook(tmp_path / "results" / f"{exhibit.caption.key}.xlsx").worksheets[1]
        assert shown.empty_text in [row[1] for row in notes.values]
        assert len(rows_of(tmp_path / "results" / f"{exhibit.caption.key}.csv")) == 1


def test_a_table_left_out_beside_pseudonyms_does_not_speak_of_the_public_edition(study):
    exhibit = quality.tabulate_problems(study().problems, "en")
    shown = study(language="en", school_names="pseudonym").table(exhibit)
    assert len(shown.data) == 0
    assert "pseudonyms" in shown.empty_text
    assert "public" not in shown.empty_text


def test_the_public_edition_shows_every_other_table_as_it_is(study):
    opened = study(edition="public")
    exhibit = quality.tabulate_accounting(opened.reading, "zh")
    assert opened.table(exhibit) is exhibit
    assert not {"stage_verdicts", "coefficients", "school_verdicts", "unmet"} & set(INTERNAL_TABLES)


def test_the_public_edition_orders_schools_by_pinyin_in_the_page_and_in_the_file(study, tmp_path):
    internal, public = study(), study(edition="public")
    compliance = judge_resources(internal.resources, year=internal.year)
    unmet = public.table(verdicts.tabulate_unmet(compliance, "zh")).data
    for _, block in unmet.groupby("stage"):
        assert block["school_name"].tolist() == pinyin_order(block["school_name"])
    listed = public.table(verdicts.tabulate_school_verdicts(compliance, readings_of(internal), "zh"))
    written = rows_of(tmp_path / "results" / "school_verdicts.csv")[1:]
    assert [row[0] for row in written] == listed.data["school_name"].tolist()
    for _, block in listed.data.groupby("stage"):
        assert block["school_name"].tolist() == pinyin_order(block["school_name"])
    assert (internal.singles_out_schools, public.singles_out_schools) == (True, False)


def test_a_code_of_the_county_that_only_the_caller_gave_is_told(study, monkeypatch):
    opened = study(county="990101")
    assert "county_code_absent" not in {problem.code for problem in opened.problems}
    tables = dict(opened.county.tables)
    tables["schools"] = tables["schools"].assign(county_id=pd.Series(pd.NA, tables["schools"].index, "str"))
    bare = replace(opened.reading, county=replace(opened.county, tables=tables))
    (told,) = [one for one in check_county(bare, county="371122") if one.code == "county_code_absent"]
    assert told.severity == "notice"
    assert "371122" in told.message("zh")
    assert "学校名录" in told.remedy("zh")
    assert "county_code_absent" not in {one.code for one in check_county(bare)}


def test_no_code_of_a_person_is_left_in_the_public_tables(study):
    opened = study(edition="public")
    teachers = set(opened.county.tables["teachers"]["teacher_id"])
    shown = opened.table(quality.tabulate_problems(opened.problems, "zh"))
    text = pd.concat([shown.data[name].astype(str) for name in shown.data]).str.cat()
    assert len(teachers) > 100
    assert not any(code in text for code in teachers)
