"""Parts of a notebook without results: left out of pages and documents, named, and numbered past."""

import nbformat

from tests.reporting.pages import code, notebook, prose
from toolkit.reporting.notebook import keep_language
from toolkit.reporting.parts import OmittedParts
from toolkit.reporting.word_blocks import notebook_blocks
from toolkit.vocabulary import Language


def shown_by(value):
    """Return the output that a kernel makes of a value."""
    data = {"text/html": value._repr_html_(), "text/plain": repr(value)}
    return nbformat.v4.new_output("execute_result", data=data | value._repr_mimebundle_(), execution_count=1)


def sample(*omitted, was_run=True):
    outputs = [shown_by(OmittedParts(omitted, "zh"))] if was_run else []
    return notebook(
        prose("## 一、设计", "zh"),
        prose("## 1 Design", "en"),
        prose("从略：", "zh", "part:omitted"),
        prose("Left out:", "en", "part:omitted"),
        code("omit()", "part:omitted", outputs=outputs),
        prose("## 二、效应", "zh", "part:adoption_effects"),
        prose("## 2 Effects", "en", "part:adoption_effects"),
        code("effects()", "part:adoption_effects"),
        prose("## 三、其他", "zh", "part:adoption_effects", "part:adoption_intake"),
        prose("## 3 More", "en", "part:adoption_effects", "part:adoption_intake"),
        prose("生源。", "zh", "part:adoption_intake"),
        code("intake()", "part:adoption_intake"),
    )


def kept(made, language: Language = "zh"):
    return [cell.source for cell in keep_language(made.cells, language)]


def test_a_part_that_is_left_out_goes_with_prose_and_code_and_headings_count_on():
    assert kept(sample("adoption_effects")) == [
        "## 一、设计", "从略：", "omit()", "## 二、其他", "生源。", "intake()"
    ]  # fmt: skip
    assert kept(sample("adoption_effects"), "en") == [
        "## 1 Design", "Left out:", "omit()", "## 2 More", "intake()"
    ]  # fmt: skip


def test_a_cell_of_several_parts_goes_with_the_last_of_them():
    assert kept(sample("adoption_effects", "adoption_intake")) == ["## 一、设计", "从略：", "omit()"]


def test_where_nothing_is_left_out_nothing_is_said_of_it():
    assert kept(sample()) == [
        "## 一、设计", "## 二、效应", "effects()", "## 三、其他", "生源。", "intake()"
    ]  # fmt: skip


def test_a_notebook_that_was_not_run_keeps_every_cell():
    assert len(kept(sample(was_run=False))) == len(sample().cells) - 4


def test_headings_beyond_ten_are_numbered_as_chinese_has_them():
    cells = [prose(f"## 一、第 {number} 节", "zh") for number in range(1, 22)]
    shown = code("omit()", outputs=[shown_by(OmittedParts(("adoption_power",), "zh"))])
    made = notebook(*cells, shown)
    numbers = [source[3:].split("、")[0] for source in kept(made)[:-1]]
    assert (numbers[9], numbers[10], numbers[19], numbers[20]) == ("十", "十一", "二十", "二十一")


def test_documents_leave_out_the_same_parts_and_say_so():
    blocks = [
        getattr(one, "source", getattr(one, "text", ""))
        for one in notebook_blocks(sample("adoption_effects"), "zh")
    ]
    assert blocks == [
        "## 一、设计",
        "从略：",
        "平均效应及其可信程度、不同类型的学校。",
        "## 二、其他",
        "生源。",
    ]


def test_what_is_left_out_is_named_in_the_language_of_the_page():
    parts = ("adoption_effects", "adoption_power")
    assert OmittedParts(parts, "zh").text == "平均效应及其可信程度、不同类型的学校；能发现多大的效应。"
    assert OmittedParts(("adoption_power",), "en").text == "Left out: what can be detected."
    assert OmittedParts((), "zh").text == "无。"
