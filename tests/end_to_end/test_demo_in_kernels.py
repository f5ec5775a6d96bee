"""The demonstration as everybody runs it: every notebook in a kernel of its own, every picture drawn."""

import json

import pytest

from tests.end_to_end.annual import quick_files, run_notebook
from tests.end_to_end.runs import ANNUAL, PAGES, QUALITY, VARIATION, only_report
from tests.reporting.traced import astray, names_with_numbers, rule_constants, untold
from toolkit.reporting.run import run_report
from toolkit.share import share_path
from toolkit.standards import load_standard

LARGEST_PAGE = 1_000_000
PARTS = ("item", "gap", "ledger", "target", "change", "programme")
# That of the report and the one before.
YEARS = (2024, 2025)

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


@pytest.fixture(scope="module")
def annual_findings(parameters, report):
    """Return all findings of the annual report; its file holds the key ones."""
    with quick_files():
        # Its chapters are shown from the results of the other notebooks, which no finding needs.
        _, names = run_notebook(ANNUAL, **parameters)
    return [finding for part in PARTS for finding in names[f"{part}_findings"]]


@pytest.mark.parametrize("notebook", [QUALITY, VARIATION, ANNUAL])
def test_every_number_of_every_finding_stands_in_the_place_it_names(report, notebook, request):
    """Nor does a sentence print another number, but for constants of rules."""
    folder = report.folder / "results" / notebook
    found = json.loads((folder / "findings.json").read_text(encoding="utf-8"))["findings"]
    if notebook == ANNUAL:
        found = [*found, *request.getfixturevalue("annual_findings")]
    standard = load_standard("national_2017")
    rules, names = rule_constants(standard), names_with_numbers(standard)

    def table(key):
        return folder / f"{key}.csv"

    assert len(found) > 3
    assert astray(found, table) == []
    assert untold(found, table, rules=rules, names=names, years=YEARS) == []


def test_the_second_run_is_the_same_byte_for_byte(outcome, parameters):
    """Pages, tables in both formats, findings and record; only the log may differ."""
    again = run_report(parameters)

    assert again.placement.status == "identical"
    assert again.placement.path == outcome.placement.path
    assert again.narratives == ()
    assert [path.name for path in outcome.placement.path.parent.iterdir()] == [outcome.placement.path.name]
