"""The demonstration: verdicts as it was built for, two runs equal, every page within the rules."""

import re
import subprocess
import sys

import pytest

from tests.end_to_end.runs import PAGES, files_of, junheng, only_report
from tests.reporting.pages import Outline
from toolkit.share import share_path

LARGEST_PAGE = 1_000_000
LOG = "run-log.json"


@pytest.fixture(scope="module")
def check_demo(checkout):
    """The tool that compares a run with the truth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "tools"))
        import check_demo

        yield check_demo
    sys.modules.pop("check_demo", None)


@pytest.fixture(scope="module")
def reports(workspace, checkout):
    """Two reports of the demonstration county: one made here, one at the same time by another process.

    The other process has its own hash seed, so that nothing may hang on the order of a set.
    """
    first, second = workspace / "first", workspace / "second"
    command = [sys.executable, checkout / "junheng_command.py", "demo", "--output", second]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=checkout) as other:
        answer = junheng("demo", "--output", first)
        told = other.communicate()[0].decode()
    assert answer.code == 0, answer.text
    assert other.returncode == 0, told
    return only_report(first), only_report(second)


@pytest.fixture(scope="module")
def outlines(reports):
    return {name: Outline(reports[0].page(name)) for name in PAGES}


def test_the_verdicts_are_those_the_county_was_built_for(reports, check_demo):
    truth = check_demo.load_json(share_path("data", "demo_county", "truth.json"))
    planted = check_demo.planted_verdicts(truth)
    found = check_demo.found_verdicts(reports[0].folder.joinpath(*check_demo.RESULTS))

    assert {"pass", "fail", "undecided"} <= set(planted.values())
    assert len(planted) >= 80
    assert found == planted


def test_two_runs_are_equal_byte_by_byte(reports):
    first, second = (files_of(report.folder) for report in reports)

    assert reports[0].folder.name == reports[1].folder.name
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] in ([], [LOG])
    assert {".html", ".csv", ".xlsx", ".json"} <= {f".{name.rsplit('.', 1)[-1]}" for name in first}


def test_a_run_leaves_only_the_report_and_the_texts_to_fill_in(workspace, reports):
    assert {path.name for path in workspace.iterdir()} == {"first", "second", "narrative"}
    assert not list(workspace.rglob(".*"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nothing_of_the_network(reports, outlines, page):
    html = reports[0].page(page)
    loaded = [
        attributes.get(name, "")
        for tag, attributes in outlines[page].tags
        for name in ("src", "href", "data", "action", "poster", "srcset")
        if tag != "a"
    ]

    assert not [address for address in loaded if address and not address.startswith(("data:", "#"))]
    assert not re.search(r"url\(\s*['\"]?(?!data:|#)[a-z]", html)
    assert "@import" not in html
    (policy,) = [meta["content"] for meta in outlines[page].all("meta") if "http-equiv" in meta]
    assert "default-src 'none'" in policy


@pytest.mark.parametrize("page", PAGES)
def test_links_of_a_page_lead_to_files_that_are_there(reports, outlines, page):
    links = {link["href"] for link in outlines[page].all("a") if "href" in link}
    targets = {element["id"] for _, element in outlines[page].tags if "id" in element}

    assert links
    for link in links:
        if link.startswith("#"):
            assert link[1:] in targets
        else:
            assert (reports[0].folder / link.partition("#")[0]).is_file()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_small_and_well_built(reports, outlines, page):
    outline = outlines[page]

    assert len(reports[0].page(page).encode()) <= LARGEST_PAGE
    assert outline.headings().count(1) == 1
    assert all(image.get("alt", "").strip() for image in outline.all("img"))
    assert outline.unbalanced == []
    assert outline.all("html")[0]["lang"].startswith("zh")
    assert "自评结果（非国家认定）" in outline.text
