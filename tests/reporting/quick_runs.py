"""Whole runs in this process, without checks, whose notebooks are a few tables each: quick."""

from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

from PIL import Image

from tests.reporting.compared import NO_READINGS
from tests.reporting.pages import code, html_output, prose, write
from toolkit.data.reading import load_county
from toolkit.exhibits import saved_exhibits
from toolkit.reporting import notebook_runs, study
from toolkit.reporting.findings import build_finding
from toolkit.reporting.notebook_failure import NotebookError
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.reporting.saved_results import open_results
from toolkit.tables import export, quality
from toolkit.tables.school_values import tabulate_school_values
from toolkit.tables.verdicts import tabulate_coefficients, tabulate_school_verdicts, tabulate_stage_verdicts
from toolkit.variation.compliance import judge_resources

READINGS = {}
QUALITY, VARIATION, ANNUAL = "01_data_quality", "02_inter_school_variation", "07_annual_report"


@contextmanager
def quick_notebooks(failing=(), started=None):
    """Let a run make a few tables for each notebook here; those that start are noted, those named fail."""

    def execute(path, parameters, scratch, *, language, **_):
        name = path.stem
        if started is not None:
            started.append(name)
        if name in failing:
            raise NotebookError(
                "report_notebook_failed", reason="ValueError: 试错", notebook=name, section="一、结果",
                path=path, error="ValueError", detail="试错",
            )  # fmt: skip
        opened = study.open_study(NOTEBOOKS[name](**parameters))
        shown = [opened.table(table)._repr_html_() for table in _tables(opened, name)]
        shown.append(opened.findings(_finding(opened, name))._repr_html_())
        Image.new("RGB", (4, 4), (_value(opened) % 256, 0, 0)).save(Path(parameters["results_dir"]) / "a.png")
        cells = [code("show()") for _ in shown]
        for cell, html in zip(cells, shown, strict=True):
            cell.outputs, cell.execution_count = [html_output(html)], 1
        scratch.mkdir(parents=True, exist_ok=True)
        injected = code(f"data_path = {parameters['data_path']!r}", "injected-parameters")
        heads = prose("# 题", "zh"), prose("# Title", "en")
        return write(scratch / path.name, *heads, injected, *cells)

    with (
        patch.object(notebook_runs, "execute_notebook", execute),
        patch.object(study, "load_county", _read),
        patch.object(study, "check_county", lambda *_, **__: ()),
        patch.object(study, "load_readings", lambda *_, **__: {}),
        patch.object(export, "_write_workbook"),
    ):
        yield


def _read(path, **options):
    """Read a county once for each content of its file."""
    folder = path.with_suffix("")
    names = tuple(sorted(each.name for each in folder.glob("*")))
    key = (
        path,
        path.read_bytes(),
        names,
        repr(sorted((name, str(value)) for name, value in options.items())),
    )
    if key not in READINGS:
        READINGS[key] = load_county(path, **options)
    return READINGS[key]


def _tables(opened, name):
    language = opened.language
    if name != VARIATION:
        return (quality.tabulate_accounting(opened.reading, language),)
    compliance = judge_resources(opened.resources, year=opened.year)
    return (
        tabulate_stage_verdicts(compliance, language),
        tabulate_coefficients(compliance, NO_READINGS, language),
        tabulate_school_verdicts(compliance, NO_READINGS, language),
        tabulate_school_values(compliance, opened.resources, language),
    )


def _finding(opened, name):
    """Return a finding that says how much was found; in the annual report how much others did."""
    found = _value(opened)
    if name == ANNUAL:
        results = open_results(opened).folder
        found = sum(len(saved_exhibits(folder)) for folder in results.glob("0*") if folder.name != name)
    return build_finding("verdict_primary", "n_schools", kind="headline", importance=1, count=found)


def _value(opened):
    return int(opened.county.tables["school_years"]["teaching_area"].sum())
