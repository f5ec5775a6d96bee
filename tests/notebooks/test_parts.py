"""The small county has no scores: what its page on group schooling leaves out."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.notebooks.cells import NOTEBOOKS
from tests.reporting.pages import Outline, header
from toolkit.reporting.notebook import OMITTED_PART, cell_parts
from toolkit.reporting.parts import OmittedParts
from toolkit.reporting.render import Page, render_page
from toolkit.vocabulary import has_term

GROUP_SCHOOLING = next(path for path in NOTEBOOKS if path.stem == "03_group_schooling")
ABOUT_EFFECTS = {"adoption_effects", "adoption_spillover", "adoption_legacy", "adoption_power"}


def executed(shown):
    """Return the notebook with what its cells showed."""
    made = nbformat.read(GROUP_SCHOOLING, as_version=4)
    values = {each.source: each for each in shown}
    for cell in made.cells:
        if cell.cell_type == "code" and cell.source in values:
            each = values[cell.source]
            data = {"text/html": each.html, "text/plain": ""}
            if isinstance(each.value, OmittedParts):
                data |= each.value._repr_mimebundle_()
            cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
    return made


@pytest.fixture(scope="module")
def omitted(chinese):
    values = [each.value for each in chinese.shown[GROUP_SCHOOLING.stem]]
    (found,) = [value for value in values if isinstance(value, OmittedParts)]
    return found


@pytest.fixture(scope="module")
def page(chinese):
    html = render_page(executed(chinese.shown[GROUP_SCHOOLING.stem]), Page(header(language="zh")))
    return Outline(re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)).text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_part_of_a_notebook_has_a_name(path: Path):
    cells = nbformat.read(path, as_version=4).cells
    parts = {part for cell in cells for part in cell_parts(cell)} - {OMITTED_PART}
    assert sorted(part for part in parts if not has_term(f"part_{part}")) == []


def test_a_study_without_scores_leaves_out_what_is_about_its_effects(omitted):
    assert set(omitted.parts) >= ABOUT_EFFECTS
    assert "adoption_timing" not in omitted.parts


def test_the_page_keeps_the_design_and_who_joined_and_names_what_it_leaves_out(page, omitted):
    assert "设计审查" in page
    assert "各校在估计中的用途" in page
    assert omitted.text in page


def test_the_page_has_no_table_or_prose_on_effects_that_are_not_there(page):
    for words in (
        "参加前后各年",
        "区间的选择",
        "换一种估计方法",
        "报读的学生可能与以前不同",
        "各研究的把握度",
    ):
        assert words not in page


def test_sections_of_the_page_are_numbered_without_gaps(page):
    numbers = re.findall(
        r"([一二三四五六七八九十]+)、(?:研究问题|参加情况|参加之前|对校际|其他结果|溢出)", page
    )
    seen = list(dict.fromkeys(numbers))
    assert seen == ["一", "二", "三", "四", "五", "六"][: len(seen)]
    assert len(seen) > 2
