"""The committed notebooks: no outputs, one parameters cell, prose in pairs, one call a cell."""

import ast

import nbformat
import pytest

from tests.notebooks.cells import NOTEBOOKS, code_cells
from toolkit.reporting.notebook import cell_tags, check_pairs
from toolkit.reporting.parameters import NOTEBOOKS as RECORDS
from toolkit.reporting.parameters import parameters_cell

CONTROL = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.While, ast.If, ast.IfExp,
    ast.With, ast.Try, ast.comprehension, ast.Match,
)  # fmt: skip

pytestmark = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_every_record_has_its_notebook(path):
    assert path.stem in RECORDS
    assert len(RECORDS) == len(NOTEBOOKS)


def test_is_committed_without_outputs(path):
    assert [cell for cell in code_cells(path) if cell.outputs or cell.execution_count is not None] == []


def test_has_one_parameters_cell_that_derives_from_its_record(path):
    tagged = [cell for cell in code_cells(path) if "parameters" in cell_tags(cell)]
    assert [cell.source for cell in tagged] == [parameters_cell(RECORDS[path.stem])]


def test_parameters_are_annotated_literals_with_a_comment(path):
    (cell,) = [cell for cell in code_cells(path) if "parameters" in cell_tags(cell)]
    statements = ast.parse(cell.source).body
    assert all(isinstance(line, ast.AnnAssign) for line in statements)
    assert all(isinstance(line.value, ast.Constant) for line in statements)
    assert all("  # " in line for line in cell.source.splitlines())


def test_every_parameter_reaches_the_study(path):
    (opening,) = [cell for cell in code_cells(path) if "open_study(" in cell.source]
    record = RECORDS[path.stem].__name__
    calls = [node for node in ast.walk(ast.parse(opening.source)) if isinstance(node, ast.Call)]
    (given,) = [call.keywords for call in calls if ast.unparse(call.func) == record]
    (parameters,) = [cell for cell in code_cells(path) if "parameters" in cell_tags(cell)]
    names = [line.target.id for line in ast.parse(parameters.source).body]
    assert [(call.arg, call.value.id) for call in given] == [(name, name) for name in names]


def test_prose_comes_in_pairs(path):
    unpaired = check_pairs(nbformat.read(path, as_version=4))
    assert [cell.told("en") for cell in unpaired] == []


def test_no_cell_branches_loops_or_defines(path):
    nodes = [node for cell in code_cells(path) for node in ast.walk(ast.parse(cell.source))]
    assert [ast.unparse(node) for node in nodes if isinstance(node, CONTROL)] == []


def test_an_exhibit_follows_prose(path):
    cells = nbformat.read(path, as_version=4).cells
    without = [
        cell.source
        for above, cell in zip([None, *cells], cells, strict=False)
        if cell.cell_type == "code"
        and isinstance(ast.parse(cell.source).body[-1], ast.Expr)
        and (above is None or above.cell_type != "markdown")
    ]
    assert without == []


def test_a_cell_shows_one_exhibit(path):
    several = [
        cell.source
        for cell in code_cells(path)
        if sum(isinstance(line, ast.Expr) for line in ast.parse(cell.source).body) > 1
    ]
    assert several == []


def test_is_run_by_the_kernel_of_any_environment(path):
    assert nbformat.read(path, as_version=4).metadata.kernelspec.name == "python3"
