"""Commands run in this process, from a folder of their own."""

import pytest

from tests.notebooks.cells import one_reading, small_county
from toolkit.cli import console, main
from toolkit.share import WORKSPACE_VARIABLE


@pytest.fixture(scope="session")
def workbook(tmp_path_factory):
    return small_county(tmp_path_factory.getbasetemp())


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Return an empty folder that is current folder and workspace."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture
def junheng(place, capfd, monkeypatch):
    """Return a function that runs a command and returns exit code, output and errors."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments):
        for own in (console.output, console.errors):
            own.cache_clear()
        with one_reading():
            code = main([str(argument) for argument in arguments])
        told = capfd.readouterr()
        return code, told.out, told.err

    return run


def listed(folder):
    """Return every file and folder below a folder."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
