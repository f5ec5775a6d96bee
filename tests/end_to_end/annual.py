"""A small county for the annual report, its studies without files, and notebooks run in this process."""

import ast
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

import nbformat
import pandas as pd

from tests.counties import make_county, with_tables
from tests.notebooks.cells import one_reading, undrawn_figures
from tests.reporting.compared import FIGURES, SCHOOL
from tests.reporting.pages import html_output
from toolkit.data.county import Reading
from toolkit.data.workbook import write_workbook
from toolkit.reporting import notebook_runs, run
from toolkit.reporting.notebook import cell_tags, read_notebook
from toolkit.reporting.notebook_failure import NotebookError
from toolkit.reporting.parameters import NOTEBOOKS, AnnualReport
from toolkit.reporting.saved_results import STUDIES
from toolkit.reporting.study import Study, standard_location
from toolkit.share import share_path
from toolkit.standards import load_readings, load_standard
from toolkit.tables import export

ANNUAL, VARIATION, QUALITY = "07_annual_report", "02_inter_school_variation", "01_data_quality"
NAMES = {1: "柳林镇中心小学", 2: "河湾小学", 3: "石桥小学"}
TOWN = "柳林镇"
ACCOUNTING = ["table", "file", "sheet", "rows_read", "rows_used", "rows_left_out", "reason"]


def code_of(number):
    """Return the code of a school."""
    return f"36010100{number:02}"


def small_county(*changes, years=(2025,), names=None, **tables):
    """Return three primary schools that meet every minimum; a change is (year, school, column, value)."""
    named = names or NAMES
    schools = [
        {**SCHOOL, "school_id": code_of(number), "school_name": name, "town": TOWN}
        for number, name in named.items()
    ]
    figures = {
        (year, number): {**FIGURES, "school_id": code_of(number), "year": year}
        for year in years
        for number in named
    }
    for year, number, column, value in changes:
        figures[year, number][column] = value
    return with_tables(make_county(schools, figures.values()), **tables)


def with_table(county, name, table):
    """Return a county with another table."""
    return replace(county, tables={**county.tables, name: table})


def study_of(county, *, year=2025, standard="national_2017", **parameters):
    """Return the study of a county that was never a file."""
    reading = Reading(
        county, (), pd.DataFrame(columns=ACCOUNTING), pd.DataFrame(), pd.DataFrame(), origins={}
    )
    given = AnnualReport(year=year, standard=str(standard), **parameters)
    return Study(
        parameters=given,
        reading=reading,
        standard=load_standard(standard_location(given.standard), rules=given.rules),
        readings=load_readings(standard_location(given.standard), rules=given.rules),
        year=year,
    )


def with_parameters(study, **changes):
    """Return a study of the same data with other parameters."""
    return replace(study, parameters=replace(study.parameters, **changes))


def write_county(county, path):
    """Write a county as the workbook of an office."""
    write_workbook(
        path, dict(county.tables), language="zh", county_id=county.county_id, county_name=county.name
    )
    return path


@contextmanager
def quick_files():
    """Read a file once and write no workbooks beside the tables: half the time of a run, tested elsewhere."""
    with patch.object(export, "_write_workbook"), one_reading():
        yield


def run_notebook(name, *, figures=False, **parameters):
    """Run the cells of a notebook, without its figures if not asked for; return it and their names."""
    notebook = read_notebook(share_path("notebooks", f"{name}.ipynb"))
    names = {}
    for cell in notebook.cells:
        is_figure = ".figure(" in cell.source or ".show_figure(" in cell.source
        if cell.cell_type != "code" or (is_figure and not figures):
            continue
        *statements, last = ast.parse(cell.source).body
        is_shown = isinstance(last, ast.Expr)
        exec(_compiled(statements if is_shown else [*statements, last]), names)
        if is_shown:
            value = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
            cell.outputs = [html_output(value._repr_html_())]
        if "parameters" in cell_tags(cell):
            names |= {key: value for key, value in parameters.items() if key in names}
    return notebook, names


@contextmanager
def without_studies():
    """Leave the studies out of a run, as for a county that lacks their tables: they have own tests."""
    lacking = {name: ("school_groups",) for name in NOTEBOOKS if name in STUDIES}
    with patch.object(run, "_without_tables", lambda _: lacking):
        yield


@contextmanager
def notebooks_in_this_process(failing=(), *, complete=False):
    """Let a run execute its notebooks here, without kernels; those named fail at once.

    A complete run has its workbooks, and its figures with blank pictures.
    """

    def execute(path, parameters, scratch, *, language, **_):
        if path.stem in failing:
            raise NotebookError(
                "report_notebook_failed", reason="ValueError: 试错", notebook=path.stem, section="一、结果",
                path=path, error="ValueError", detail="试错",
            )  # fmt: skip
        executed, _ = run_notebook(path.stem, figures=complete, **parameters)
        scratch.mkdir(parents=True)
        nbformat.write(executed, scratch / path.name)
        return scratch / path.name

    shortened = undrawn_figures() if complete else quick_files()
    with patch.object(notebook_runs, "execute_notebook", execute), shortened, one_reading():
        yield


def record_of(name):
    """Return the parameter record of a notebook."""
    return NOTEBOOKS[name]


def _compiled(statements):
    return compile(ast.Module(statements, type_ignores=[]), "cell", "exec")
