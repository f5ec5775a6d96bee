"""The demonstration: verdicts as it was built for, every page within the rules."""

import re
import sys

import pytest

from tests.end_to_end.annual import notebooks_in_this_process, without_studies
from tests.end_to_end.runs import ANNUAL, PAGES, QUALITY, VARIATION, junheng, only_report
from tests.reporting.pages import Outline
from toolkit.reporting.notebook_cache import CACHE_FOLDER
from toolkit.share import share_path

FIGURES = {QUALITY: 1, VARIATION: 10, ANNUAL: 12}


@pytest.fixture(scope="module")
def check_demo(checkout):
    """The tool that compares a run with the truth."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(checkout / "tools"))
        import check_demo

        yield check_demo
    sys.modules.pop("check_demo", None)


@pytest.fixture(scope="module")
def report(workspace):
    """The report of the demonstration county, with blank pictures; in kernels it is run by the slow tests."""
    with notebooks_in_this_process(complete=True), without_studies():
        answer = junheng("demo", "--output", workspace / "first")
    assert answer.code == 0, answer.text
    return only_report(workspace / "first")


@pytest.fixture(scope="module")
def outlines(report):
    return {name: Outline(report.page(name)) for name in PAGES}


def test_the_verdicts_are_those_the_county_was_built_for(report, check_demo):
    truth = check_demo.load_json(share_path("data", "demo_county", "truth.json"))
    planted = check_demo.planted_verdicts(truth)
    found = check_demo.found_verdicts(report.folder.joinpath(*check_demo.RESULTS))

    assert {"pass", "fail", "undecided"} <= set(planted.values())
    assert len(planted) >= 80
    assert found == planted


def test_a_run_leaves_only_the_report_the_texts_to_fill_in_and_the_kept_notebooks(workspace, report):
    assert {path.name for path in workspace.iterdir()} == {"first", "narrative", CACHE_FOLDER}
    hidden = [path.relative_to(workspace).parts[0] for path in workspace.rglob(".*")]
    assert set(hidden) == {CACHE_FOLDER}


def test_the_index_opens_with_the_verdicts(outlines):
    assert "小学：资源配置指标" in outlines["index"].text


@pytest.mark.parametrize(("page", "figures"), FIGURES.items())
def test_a_page_has_all_its_figures_and_no_error_or_warning(report, outlines, page, figures):
    assert len(outlines[page].all("img")) == figures
    assert "Traceback" not in report.page(page)
    assert "Warning" not in outlines[page].text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_a_path_of_this_machine(workspace, report, page):
    assert str(workspace) not in report.page(page)
    assert str(share_path("data")) not in report.page(page)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_nothing_of_the_network(report, outlines, page):
    html = report.page(page)
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
def test_links_of_a_page_lead_to_files_that_are_there(report, outlines, page):
    links = {link["href"] for link in outlines[page].all("a") if "href" in link}
    targets = {element["id"] for _, element in outlines[page].tags if "id" in element}

    assert links
    for link in links:
        if link.startswith("#"):
            assert link[1:] in targets
        else:
            assert (report.folder / link.partition("#")[0]).is_file()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_well_built(outlines, page):
    outline = outlines[page]

    assert outline.headings().count(1) == 1
    assert all(image.get("alt", "").strip() for image in outline.all("img"))
    assert outline.unbalanced == []
    assert outline.all("html")[0]["lang"].startswith("zh")
    assert "自评结果（非国家认定）" in outline.text
