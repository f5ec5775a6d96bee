"""The notebooks' code run in this process: quick, and with the objects that the cells show."""

import ast
import os
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, cached_property
from io import BytesIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
from PIL import Image

from toolkit.data.reading import load_county
from toolkit.data.simulate import SimulationSettings, simulate_county, write_county
from toolkit.exhibits import INTERACTIVE_STYLE
from toolkit.figures import exhibit
from toolkit.reporting import study
from toolkit.reporting.notebook import cell_tags

READINGS: dict[tuple[object, ...], Any] = {}
NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


@dataclass(frozen=True)
class Shown:
    """What a cell showed."""

    source: str
    value: Any

    @cached_property
    def html(self) -> str:
        return self.value._repr_html_().replace(INTERACTIVE_STYLE, "")


@cache
def small_county(folder: Path) -> Path:
    """Write a county of 20 schools and 5 years once; return its workbook."""
    workbook = folder / "small-county" / "county.xlsx"
    workbook.parent.mkdir(exist_ok=True)
    settings = SimulationSettings(n_schools=20, n_years=5, with_scores=False)
    write_county(simulate_county(settings, seed=3), workbook)
    return workbook


def read_once(path: Path, **options: Any) -> Any:
    """Read a county once in this process."""
    key = (path, *(tuple(value) if name == "tables" else value for name, value in options.items()))
    if key not in READINGS:
        READINGS[key] = load_county(path, **options)
    return READINGS[key]


@contextmanager
def undrawn_figures():
    """Let every figure have a blank picture; drawing is tested with the figures."""
    blank = BytesIO()
    Image.new("P", (1, 1)).save(blank, format="png")
    with patch.object(exhibit, "figure_png", lambda _: blank.getvalue()):
        yield


@contextmanager
def one_reading():
    """Let every study of the same data share one reading."""
    own = study.load_county
    study.load_county = read_once
    try:
        yield
    finally:
        study.load_county = own


def code_cells(path: Path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def run_cells(path: Path, **parameters: object) -> list[Shown]:
    """Run all cells, with parameters put in as papermill does; return what they showed."""
    namespace: dict[str, Any] = {}
    shown = []
    for cell in code_cells(path):
        *statements, last = ast.parse(cell.source).body
        is_shown = isinstance(last, ast.Expr)
        exec(_compiled(statements if is_shown else [*statements, last]), namespace)
        if is_shown:
            value = eval(compile(ast.Expression(last.value), path.name, "eval"), namespace)
            shown.append(Shown(cell.source, value))
        if "parameters" in cell_tags(cell):
            namespace |= parameters
    return shown


def run_all(
    workbook: Path, folder: Path, results: Path | str, **parameters: object
) -> dict[str, list[Shown]]:
    """Run every notebook from a folder into ``results/<name>``; its figures are not drawn."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        with one_reading(), undrawn_figures():
            return {
                path.stem: run_cells(
                    path, data_path=str(workbook), results_dir=f"{results}/{path.stem}", **parameters
                )
                for path in NOTEBOOKS
            }
    finally:
        os.chdir(before)


def _compiled(statements: list[ast.stmt]):
    return compile(ast.Module(statements, type_ignores=[]), "cell", "exec")
