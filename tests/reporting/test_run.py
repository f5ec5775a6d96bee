"""A whole run: from a workbook to a folder with pages, in kernels of their own."""

import json
import re
from types import SimpleNamespace

import pytest

from tests.notebooks.cells import small_county
from tests.people import school, school_year, spell, with_tables
from tests.reporting import pages
from tests.reporting.pages import Outline, code
from toolkit.errors import ParameterError
from toolkit.reporting import notebook_runs, run
from toolkit.reporting.parameters import NOTEBOOKS, parameters_cell
from toolkit.reporting.run import parameter_records, run_report
from toolkit.reporting.run_inputs import input_files
from toolkit.share import WORKSPACE_VARIABLE

DONE = "01_data_quality"
PAGES = (f"{DONE}.html", "index.html")


@pytest.fixture(scope="module")
def workbook(tmp_path_factory):
    return small_county(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="module")
def outcome(workspace, workbook):
    """Return the outcome of one run with one real notebook; all are run with the demonstration county."""
    return run_report({"data_path": str(workbook)}, only=(DONE,))


@pytest.fixture
def quick_notebooks(tmp_path, monkeypatch):
    """Replace the notebooks by small ones: the first fails after a table, the second is complete."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    open_it = (
        "from toolkit.reporting.study import open_study\n"
        "from toolkit.reporting.parameters import {record}\n"
        "study = open_study({record}(data_path=data_path, results_dir=results_dir, edition=edition), "
        "tables=('schools', 'school_years'))"
    )
    tables = (
        "from toolkit.tables import quality\nstudy.table(quality.tabulate_accounting(study.reading, 'zh'))"
    )
    findings = (
        "from toolkit.reporting.findings import build_finding\n"
        "study.findings(build_finding('verdict_primary', 'finding_no_names', kind='headline', importance=1))"
    )
    endings = {name: "1 / 0" if name.startswith("01") else findings for name in NOTEBOOKS}
    for name, record in NOTEBOOKS.items():
        pages.write(
            folder / f"{name}.ipynb",
            pages.prose(f"# {name[:2]} 标题", "zh"),
            pages.prose(f"# {name[:2]} Title", "en"),
            code(parameters_cell(record), "parameters"),
            code(open_it.format(record=record.__name__), "hidden"),
            code(tables),
            pages.prose("## 一、结论", "zh"),
            pages.prose("## 1 Results", "en"),
            code(endings[name]),
        )
    own = notebook_runs.share_path
    monkeypatch.setattr(
        notebook_runs,
        "share_path",
        lambda *parts: folder / parts[1] if parts[0] == "notebooks" else own(*parts),
    )
    return folder


def test_a_run_leaves_pages_results_and_record(outcome):
    folder = outcome.placement.path
    assert outcome.failures == ()
    assert outcome.placement.status == "new"
    assert re.fullmatch(r"990101-\d{4}-[0-9a-f]{8}", folder.name)
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*PAGES, "results", "run.json", "run-log.json"]
    )


def test_the_record_says_what_was_read_and_what_was_done(outcome, workbook):
    record = json.loads((outcome.placement.path / "run.json").read_text(encoding="utf-8"))
    assert [(each["notebook"], each["status"]) for each in record["notebooks"]] == [
        (name, "done" if name == DONE else "not_run") for name in NOTEBOOKS
    ]
    assert {file["name"] for file in record["inputs"]} == {"county.xlsx", "teachers.parquet"}
    assert {values["year"] for values in record["parameters"].values()} == {record["year"]}
    assert sum(row["rows_read"] for row in record["accounting"]) == sum(
        row["rows_used"] + row["rows_left_out"] for row in record["accounting"]
    )


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_a_path_of_this_machine(outcome, workspace, workbook, page):
    text = (outcome.placement.path / page).read_text(encoding="utf-8")
    assert str(workspace) not in text
    assert str(workbook.parent) not in text


def test_the_record_holds_no_path_of_this_machine(outcome, workspace, workbook):
    text = (outcome.placement.path / "run.json").read_text(encoding="utf-8")
    assert str(workspace) not in text
    assert str(workbook.parent) not in text


def test_the_index_links_every_table(outcome):
    folder = outcome.placement.path
    outline = Outline((folder / "index.html").read_text(encoding="utf-8"))
    assert "自评结果（非国家认定）" in outline.text
    links = {link["href"] for link in outline.all("a") if link["href"].startswith("results/")}
    files = {str(path.relative_to(folder).as_posix()) for path in (folder / "results").rglob("*.*s*")}
    assert links == {name for name in files if name.endswith((".csv", ".xlsx"))}
    assert len(links) >= 10


def test_text_of_the_county_is_asked_for_once_the_report_is_there(outcome, workspace):
    assert {path.stem for path in outcome.narratives} == set(NOTEBOOKS)
    assert all(path.is_relative_to(workspace / "narrative") for path in outcome.narratives)


def test_a_notebook_that_fails_fails_alone(quick_notebooks, workbook, tmp_path):
    outcome = run_report(
        {"data_path": str(workbook), "edition": "public"}, reports=tmp_path / "reports", only=("01", "02")
    )
    folder = outcome.placement.path
    (failure,) = outcome.failures
    kept = folder / "failed" / "01_data_quality.ipynb"
    assert kept.exists()
    assert failure.zh.splitlines() == [
        "笔记本“01_data_quality”在“一、结论”处出错",
        "ZeroDivisionError：division by zero",
        f"已运行部分保存在：{kept}",
    ]
    assert sorted(path.name for path in folder.iterdir()) == [
        "02_inter_school_variation.html", "failed", "index.html", "results", "run-log.json", "run.json",
    ]  # fmt: skip
    assert [path.name for path in (folder / "results").iterdir()] == ["02_inter_school_variation"]
    text = Outline((folder / "index.html").read_text(encoding="utf-8")).text
    assert "01 标题" in text
    assert "ZeroDivisionError：division by zero" in text
    assert "公开版" in text
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert [each["status"] for each in record["notebooks"]] == [
        "failed",
        "done",
        "not_run",
        "not_run",
        "not_run",
    ]


def test_a_run_that_breaks_off_leaves_nothing(workbook, tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))

    def stop(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "execute_notebooks", stop)
    with pytest.raises(KeyboardInterrupt):
        run_report({"data_path": str(workbook)})
    assert [path.name for path in tmp_path.rglob("*")] == ["reports"]


def test_an_unknown_parameter_is_refused():
    with pytest.raises(ParameterError, match="There is no parameter yaer"):
        parameter_records({"yaer": 2020})


def test_a_value_goes_to_the_notebooks_that_know_it():
    records = parameter_records({"year": 2020, "reporting_error": 0.1})
    assert {name: record.year for name, record in records.items()} == dict.fromkeys(NOTEBOOKS, 2020)
    assert records["02_inter_school_variation"].reporting_error == 0.1


def test_inputs_are_the_workbook_its_folder_the_mapping_and_the_names(tmp_path):
    (tmp_path / "county").mkdir()
    mapping = tmp_path / "map.toml"
    names = tmp_path / "names.xlsx"
    for path in (tmp_path / "county.xlsx", tmp_path / "county" / "scores.parquet", mapping, names):
        path.write_bytes(path.name.encode())
    values = {"data_path": str(tmp_path / "county.xlsx")}
    values |= {"mapping_path": str(mapping), "names_path": str(names)}
    (record, *_) = parameter_records(values).values()
    listed = ["county.xlsx", "scores.parquet", "map.toml", "names.xlsx"]
    assert [file.name for file in input_files(record)] == listed
    assert [file.role for file in input_files(record)] == ["data", "data", "mapping", "names"]
    (folder, *_) = parameter_records({"data_path": str(tmp_path / "county")}).values()
    assert [file.name for file in input_files(folder)] == ["scores.parquet"]


@pytest.mark.parametrize(
    ("tables", "lacking"),
    [
        ({}, {"03_group_schooling": ("school_groups",), "04_teacher_rotation": ("rotations",)}),
        (
            {"rotations": []},
            {"03_group_schooling": ("school_groups",), "04_teacher_rotation": ("rotations",)},
        ),
        ({"rotations": [spell("a", "1", "2")]}, {"03_group_schooling": ("school_groups",)}),
    ],
)
def test_a_study_without_its_table_is_left_out(tables, lacking):
    county = with_tables([school("1"), school("2")], [school_year("1")], **tables)
    study = SimpleNamespace(county=county)
    assert run._without_tables(study) == lacking
    reasons = {one.notebook: one.reason for one in run._left_out(tuple(NOTEBOOKS), lacking, "en")}
    assert set(reasons) == set(lacking)
    assert "school groups" in reasons["03_group_schooling"].lower()
