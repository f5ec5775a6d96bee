"""The demonstration as everybody runs it: every notebook in a kernel of its own, every picture drawn."""

import pytest

from tests.end_to_end.runs import PAGES, only_report
from toolkit.reporting.run import run_report
from toolkit.share import share_path

LARGEST_PAGE = 1_000_000

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def parameters():
    return {"data_path": str(share_path("data", "demo_county.xlsx")), "plan": "meizhou"}


@pytest.fixture(scope="module")
def outcome(parameters, workspace):
    return run_report(parameters)


@pytest.fixture(scope="module")
def report(outcome):
    return only_report(outcome.placement.path.parent)


def test_every_notebook_ends(outcome):
    assert outcome.failures == ()
    assert outcome.placement.status == "new"


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_mailed_and_shows_no_warning(report, page):
    html = report.page(page)

    assert len(html.encode()) <= LARGEST_PAGE
    assert "Traceback" not in html
    assert "Warning" not in html


def test_the_second_run_is_the_same_byte_for_byte(outcome, parameters):
    """Pages, tables in both formats, findings and record; only the log may differ."""
    again = run_report(parameters)

    assert again.placement.status == "identical"
    assert again.placement.path == outcome.placement.path
    assert again.narratives == ()
    assert [path.name for path in outcome.placement.path.parent.iterdir()] == [outcome.placement.path.name]
