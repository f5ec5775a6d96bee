"""The options of `run` and `demo` derive from the notebooks' parameters."""

import pytest

from toolkit.reporting import run
from toolkit.reporting.parameters import NOTEBOOKS, PATH_PARAMETERS, parameter_fields, parameters_cell

OPTIONS = sorted(entry.name for entry in parameter_fields() if entry.name not in PATH_PARAMETERS)


@pytest.fixture
def asked(monkeypatch):
    """Return the parameters that reach the run."""
    received = {}

    def remember(parameters, **_):
        received.update(parameters)
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "run_report", remember)
    return received


def test_there_are_the_options_that_the_notebooks_have():
    assert set(OPTIONS) >= {"year", "standard", "edition", "language", "county", "reporting_error"}


@pytest.mark.parametrize("name", OPTIONS)
@pytest.mark.parametrize("command", ["run", "demo"])
def test_every_parameter_is_an_option_and_stands_in_a_parameters_cell(junheng, command, name):
    _, out, _ = junheng(command, "--help")
    assert f"--{name.replace('_', '-')} " in out
    assert any(f"\n{name}: " in parameters_cell(record) for record in NOTEBOOKS.values())


def test_values_arrive_with_their_types_and_codes_stay_texts(junheng, asked, workbook):
    junheng("run", workbook, "--year", "2020", "--county", "0102", "--reporting-error", "0.1")
    assert asked == {
        "data_path": str(workbook),
        "mapping_path": "",
        "names_path": "",
        "ledger_path": "",
        "year": 2020,
        "county": "0102",
        "reporting_error": 0.1,
    }


def test_what_is_not_given_keeps_its_default(junheng, asked):
    junheng("demo")
    assert asked == {"plan": "meizhou"}


def test_files_are_meant_from_the_current_folder(junheng, asked, place, monkeypatch):
    here = place / "数据"
    here.mkdir()
    for name in ("county.xlsx", "map.toml", "own.toml", "plan.toml", "last.xlsx", "names.xlsx"):
        (here / name).touch()
    monkeypatch.chdir(here)
    own = ("--standard", "own.toml", "--plan", "plan.toml", "--names", "names.xlsx")
    junheng("run", "county.xlsx", "--mapping", "map.toml", "--ledger", "last.xlsx", *own)
    assert asked == {
        "data_path": str(here / "county.xlsx"),
        "mapping_path": str(here / "map.toml"),
        "names_path": str(here / "names.xlsx"),
        "ledger_path": str(here / "last.xlsx"),
        "standard": str(here / "own.toml"),
        "plan": str(here / "plan.toml"),
    }
