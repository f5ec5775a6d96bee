"""A workspace, data files and a folder of reports for each test."""

import pytest

from toolkit.share import WORKSPACE_VARIABLE


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    return tmp_path / "data"


@pytest.fixture
def reports(tmp_path):
    return tmp_path / "reports"


@pytest.fixture(autouse=True)
def code(request, monkeypatch):
    """Spare tests of this process the reading of all code for its hash."""
    if not request.node.get_closest_marker("slow"):
        for module in ("unit_key", "summary_page"):
            monkeypatch.setattr(f"toolkit.batch.{module}.code_digest", lambda: "0" * 64)
