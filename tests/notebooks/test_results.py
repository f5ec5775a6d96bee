"""What the notebooks show: the same from every folder and in both languages, and no code name in it."""

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.cells import NOTEBOOKS, Shown, one_reading, run_all, run_cells
from tests.reporting.pages import Outline
from toolkit.figures.exhibit import FigureExhibit
from toolkit.share import WORKSPACE_VARIABLE
from toolkit.tables.exhibit import TableExhibit
from toolkit.vocabulary import term_names

NAMES = [path.stem for path in NOTEBOOKS]
REFERENCE = re.compile(r'<a class="exhibit-ref".*?</a>')
CODE_NAME = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
WORD = re.compile(r"\b[a-z]{4,}\b")
# Labels are the same word as their code name, or the word is an English one on a Chinese page.
# The stage stands in the ids of the ledger: school|item|stage.
PLAIN_WORDS = {"xlsx", "primary", "junior"}


def tables_of(results: Path) -> dict[str, list[list[str]]]:
    found = {}
    for path in sorted(results.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            found[str(path.relative_to(results))] = list(csv.reader(file))
    return found


def bytes_of(results: Path) -> dict[str, bytes]:
    files = [path for path in results.rglob("*") if path.is_file()]
    return {str(path.relative_to(results)): path.read_bytes() for path in files}


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text) is not None


def numbers(rows: list[list[str]]) -> list[list[str]]:
    return [[cell for cell in row if is_number(cell)] for row in rows[1:]]


def visible_text(shown: Shown) -> str:
    if isinstance(shown.value, FigureExhibit):
        caption = shown.value.caption
        return " ".join([caption.title, caption.source, shown.value.alt, *caption.notes])
    return Outline(REFERENCE.sub("", shown.html)).text


@pytest.mark.slow
def test_both_languages_have_the_same_tables_with_the_same_numbers(chinese, english):
    zh, en = tables_of(chinese.results), tables_of(english.results)
    assert len(zh) > 15
    assert zh.keys() == en.keys()
    for name, rows in zh.items():
        assert rows[0] == en[name][0], name
        assert numbers(rows) == numbers(en[name]), name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_both_languages_have_the_same_findings(chinese, english, name):
    def stated(executed):
        found = json.loads((executed.results / name / "findings.json").read_text(encoding="utf-8"))
        return [(one["id"], one["kind"], one["status"], one["numbers"]) for one in found["findings"]]

    assert stated(chinese) == stated(english)
    assert len(stated(chinese)) > 3


@pytest.mark.parametrize("name", NAMES)
def test_sentences_give_the_same_figures_in_both_languages(chinese, name):
    found = json.loads((chinese.results / name / "findings.json").read_text(encoding="utf-8"))

    def figures(text):
        # The Chinese for this unit has no digits.
        return sorted(re.findall(r"\d[\d,.]*\d|\d", text.replace("per 100 students", "")))

    assert [one["id"] for one in found["findings"] if figures(one["zh"]) != figures(one["en"])] == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["chinese", pytest.param("english", marks=pytest.mark.slow)])
def test_no_code_name_is_visible(request, language, name):
    executed = request.getfixturevalue(language)
    text = " ".join(visible_text(shown) for shown in executed.shown[name])
    assert sorted(set(CODE_NAME.findall(text))) == []
    if language == "chinese":
        words = set(WORD.findall(text)) & set(term_names()) - PLAIN_WORDS
        assert sorted(words) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.slow
def test_no_chinese_label_is_left_on_an_english_page(english, chinese, name):
    """Titles, headings and notes: cells may quote Chinese names from the data."""
    for shown in english.shown[name]:
        if isinstance(shown.value, TableExhibit | FigureExhibit):
            caption = shown.value.caption
            texts = [caption.title, caption.unit, caption.n, caption.source]
            # A column that is headed by a name from the data has it as its own name, too.
            texts += [
                column.label + column.unit
                for column in getattr(shown.value, "columns", ())
                if column.label != column.name
            ]
            assert [text for text in texts if re.search(r"[\u4e00-\u9fff]", text)] == [], caption.key


@pytest.mark.parametrize("name", NAMES)
def test_every_call_of_a_figure_gives_one(chinese, name):
    shown = chinese.shown[name]
    asked = [each for each in shown if "plot_" in each.source]
    figures = [each for each in shown if isinstance(each.value, FigureExhibit)]
    assert figures == asked
    assert figures
    assert all(each.html.count("<img") == 1 for each in figures)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["elsewhere", "lab"])
def test_the_results_are_the_same_from_any_folder(chinese, workbook, tmp_path, monkeypatch, place):
    workspace = tmp_path / "办公室 office"
    folder = {"elsewhere": tmp_path, "lab": workspace / "notebooks"}[place]
    folder.mkdir(parents=True, exist_ok=True)
    workspace.mkdir(exist_ok=True)
    (workspace / workbook.name).write_bytes(b"")
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(workspace))
    shown = run_all(workbook, folder, "out")
    assert bytes_of(workspace / "out") == bytes_of(chinese.results)
    assert not (folder / "out").exists()
    if place == "elsewhere":
        for name, cells in chinese.shown.items():
            assert [each.html for each in shown[name]] == [each.html for each in cells]


def test_a_relative_data_path_starts_at_the_workspace(workbook, tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(workbook.parent))
    monkeypatch.chdir(tmp_path)
    with one_reading():
        shown = run_cells(NOTEBOOKS[0], data_path=workbook.name)
    assert any("云岭县" in each.html or "county.xlsx" in each.html for each in shown)


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_run_all_works_in_the_workspace_of_the_lab(path, tmp_path, checkout):
    """With default parameters, as JupyterLab's Run All: the demonstration county, no file written."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONUTF8": "1"}
    launcher = [
        sys.executable,
        str(checkout / "junheng_command.py"),
        "lab",
        str(tmp_path / "lab"),
        "--no-start",
    ]
    subprocess.run(launcher, env=environment, check=True, capture_output=True)
    notebooks = tmp_path / "lab" / "notebooks"
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--inplace"]
    subprocess.run([*command, path.name], cwd=notebooks, env=environment, check=True, capture_output=True)
    cells = nbformat.read(notebooks / path.name, as_version=4).cells
    outputs = [output for cell in cells if cell.cell_type == "code" for output in cell.outputs]
    assert len(outputs) > 5
    assert [output for output in outputs if output.output_type in ("error", "stream")] == []
