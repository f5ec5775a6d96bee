from tests.reporting.pages import code, notebook, prose
from toolkit.reporting.notebook import check_pairs, headings, keep_language, notebook_title, tidied


def test_pairs_may_come_one_after_the_other_or_in_blocks():
    paired = notebook(
        prose("甲", "zh"),
        prose("A", "en"),
        code("1"),
        prose("乙", "zh"),
        prose("丙", "zh"),
        prose("B", "en"),
        prose("C", "en"),
    )
    assert check_pairs(paired) == ()


def test_a_cell_without_its_pair_is_named_with_place_and_beginning():
    found = check_pairs(
        notebook(
            prose("甲", "zh"),
            prose("A", "en"),
            code("1"),
            prose("## 乙\n文", "zh"),
            code("2"),
            prose("B", "en"),
        )
    )
    assert [(cell.position, cell.tag, cell.start) for cell in found] == [(4, "zh", "## 乙"), (6, "en", "B")]
    assert found[0].told("zh") == "第 4 个单元只有 zh 文字，缺少对应的另一种语言：## 乙"


def test_prose_without_a_language_is_named_unless_it_reads_the_same_in_both():
    found = check_pairs(notebook(prose("甲"), prose("$x$", "both")))
    assert [(cell.position, cell.tag) for cell in found] == [(1, "")]


def test_one_language_is_kept_with_all_code():
    made = notebook(prose("甲", "zh"), prose("A", "en"), prose("$x$", "both"), code("1"))
    assert [cell.source for cell in keep_language(made.cells, "en")] == ["A", "$x$", "1"]


def test_the_title_is_the_first_heading_of_its_language():
    made = notebook(prose("# 甲\n\n文", "zh"), prose("# A", "en"))
    assert (notebook_title(made, "zh"), notebook_title(made, "en")) == ("甲", "A")
    assert notebook_title(notebook(prose("## 甲", "zh")), "zh") == ""


def test_headings_are_found_in_prose_only():
    assert headings(notebook(prose("## 甲\n文\n### 乙", "zh"), code("# no heading")).cells) == ["甲", "乙"]


def test_times_paths_and_random_ids_are_taken_out():
    made = notebook(code("1"))
    made.metadata["papermill"] = {"input_path": "/home/x"}
    made.cells[0].metadata["execution"] = {"iopub.execute_input": "2024"}
    clean = tidied(made)
    assert clean.cells[0].id == "c0"
    assert "papermill" not in clean.metadata
    assert "execution" not in clean.cells[0].metadata
    assert "papermill" in made.metadata
