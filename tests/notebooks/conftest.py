"""One small county for all tests here, and what the notebooks show of it in both languages."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.notebooks.cells import Shown, run_all, small_county


@dataclass(frozen=True, slots=True)
class Executed:
    """What the notebooks showed, and the folder with their tables."""

    shown: dict[str, list[Shown]]
    results: Path


@pytest.fixture(scope="session")
def workbook(tmp_path_factory):
    return small_county(tmp_path_factory.getbasetemp())


@pytest.fixture(scope="session")
def chinese(workbook, checkout, tmp_path_factory):
    results = tmp_path_factory.mktemp("zh")
    return Executed(run_all(workbook, checkout, results), results)


@pytest.fixture(scope="session")
def english(workbook, checkout, tmp_path_factory):
    results = tmp_path_factory.mktemp("en")
    return Executed(run_all(workbook, checkout, results, language="en"), results)
