"""Bad inputs on the command line: a clear message and exit code, and nothing half written."""

import csv
import re

import openpyxl
import pytest

from tests.data.reading.conftest import (  # noqa: F401 - two are fixtures
    SCHOOL_YEARS,
    SCHOOLS,
    changed,
    workbook,
)
from tests.data.reading.test_bad_workbooks import CELLS, UNREADABLE, YEARS
from tests.end_to_end.annual import notebooks_in_this_process
from tests.end_to_end.runs import PAGES, junheng, only_report
from tests.reporting.pages import Outline

pytestmark = pytest.mark.slow

REGISTER = "学校名录"
MARKED = "county-核查标注.xlsx"
CHINESE, ENGLISH = re.compile(r"[\u4e00-\u9fff]{4}"), re.compile(r"[A-Za-z]+ [a-z]+ [a-z]+")
SCRIPT, COMMAND, MACRO = "<script>alert(1)</script>小学", "=cmd|' /C calc'!A0学校", "@SUM(1+1)中学"
PICTURE = "<img src=x onerror=alert(1)>县"


def left_behind(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def refused(answer):
    """Check what all refusals have in common."""
    assert answer.code == 3
    assert "Traceback" not in answer.text
    assert CHINESE.search(answer.text)
    assert ENGLISH.search(answer.text)
    return answer.text


def other_tables(name):
    """Inputs that can be opened and yet are no county."""
    junk = [[f"垃圾{row}", row, row] for row in range(3000)]
    without_type = [[row[0], row[1]] for row in SCHOOLS]
    ten_thousands = [
        [*row[:4], value] for row, value in zip(SCHOOL_YEARS, ["教学仪器设备值", *[360] * 4], strict=True)
    ]
    twice = [*SCHOOLS, ["0101", "第五小学", "小学", "公办"]]
    formula_text = [[*SCHOOL_YEARS[0]], *([*row[:2], "=1200", *row[3:]] for row in SCHOOL_YEARS[1:])]
    return {
        "wrong sheet": ({YEARS: None, "食堂": [["菜名", "价格"], ["米饭", 1]]}, "学校年度"),
        "nothing but junk": ({REGISTER: junk, YEARS: None}, "county.xlsx"),
        "only headers": ({YEARS: SCHOOL_YEARS[:1]}, YEARS),
        "column missing": ({REGISTER: without_type}, "学校类型"),
        "no unit for ten thousands": ({YEARS: ten_thousands}, "E2"),
        "school twice": ({REGISTER: twice}, "A6"),
        "formula typed as text": ({YEARS: formula_text}, "C2"),
    }[name]  # fmt: skip


OTHERS = (
    "wrong sheet",
    "nothing but junk",
    "only headers",
    "column missing",
    "no unit for ten thousands",
    "school twice",
    "formula typed as text",
)


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize("case", UNREADABLE, ids=lambda case: case.replace(" ", "_"))
def test_an_input_that_cannot_be_read_is_refused_by_name(case, command, workbook, tmp_path, workspace):  # noqa: F811
    make, zh, en = UNREADABLE[case]
    path = make(workbook, tmp_path)
    before = left_behind(tmp_path)

    text = refused(junheng(command, path, *place_of(command, tmp_path)))

    assert path.name in text
    assert zh in text
    assert en in text
    assert left_behind(tmp_path) == before
    assert left_behind(workspace) == []


@pytest.mark.parametrize("case", CELLS, ids=lambda case: case.replace(" ", "_"))
def test_a_bad_cell_ends_the_run_with_its_address(case, workbook, changed, tmp_path, workspace):  # noqa: F811
    _, cells, address, message, remedy = CELLS[case]
    path = workbook({YEARS: changed(cells)})

    text = refused(junheng("run", path, *place_of("run", tmp_path)))

    assert f"county.xlsx {YEARS} {address}" in text
    assert message in text
    assert remedy in text
    assert left_behind(tmp_path) == ["county.xlsx"]
    assert left_behind(workspace) == []


@pytest.mark.parametrize("case", CELLS, ids=lambda case: case.replace(" ", "_"))
def test_a_bad_cell_is_marked_in_a_copy_that_is_complete(case, workbook, changed, tmp_path):  # noqa: F811
    _, cells, address, message, _ = CELLS[case]
    path = workbook({YEARS: changed(cells)})
    content = path.read_bytes()

    text = refused(junheng("check", path))

    assert f"county.xlsx {YEARS} {address}" in text
    assert path.read_bytes() == content
    (copy,) = set(tmp_path.iterdir()) - {path}
    assert copy.name in text
    note = openpyxl.load_workbook(copy)[YEARS][address].comment
    assert note is not None
    assert message in note.text


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.replace(" ", "_"))
def test_a_workbook_that_is_no_county_ends_the_run(case, workbook, tmp_path, workspace):  # noqa: F811
    sheets, word = other_tables(case)
    path = workbook(sheets)

    text = refused(junheng("run", path, *place_of("run", tmp_path)))

    assert "county" in text
    assert word in text or "junheng check" in text
    assert left_behind(tmp_path) == ["county.xlsx"]
    assert left_behind(workspace) == []


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case.replace(" ", "_"))
def test_a_workbook_that_is_no_county_is_explained_by_the_check(case, workbook):  # noqa: F811
    sheets, word = other_tables(case)

    text = refused(junheng("check", workbook(sheets)))

    assert "county.xlsx" in text
    assert word in text


@pytest.mark.slow
def test_two_hundred_thousand_junk_rows_are_told_briefly(workbook, tmp_path, workspace):  # noqa: F811
    path = workbook({YEARS: None})
    folder = tmp_path / "county"
    folder.mkdir()
    lines = ["学校代码,学年,小学在校生数", "0101,2023,五", *["x,,"] * 100_000, *[",,"] * 100_000]
    (folder / "学校年度.csv").write_text("\n".join(lines), encoding="utf-8")
    before = left_behind(tmp_path)

    text = refused(junheng("run", path, *place_of("run", tmp_path)))

    assert "学校年度.csv" in text
    assert "学校年度.csv B3" in text
    assert len(text.splitlines()) < 200
    assert left_behind(tmp_path) == before
    assert left_behind(workspace) == []


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--year", "1066"), 3, ("1066", "2023")),
        (("--standard", "national_2071"), 2, ("national_2071", "national_2017")),
        (("--standard", "mine.toml"), 2, ("mine.toml",)),
        (("--mapping", "mine.toml"), 3, ("mine.toml",)),
        (("--edition", "secret"), 2, ("secret", "internal")),
        (("--reporting-error", "7"), 2, ("reporting_error", "7")),
        (("--jahr", "2023"), 2, ("--jahr",)),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, tuple) and value[0].startswith("--") else None,
)
def test_an_option_that_cannot_be_is_refused_by_its_value(
    options,
    code,
    words,
    workbook,  # noqa: F811
    tmp_path,
    workspace,
):
    answer = junheng("run", workbook(), *options, *place_of("run", tmp_path))

    assert answer.code == code
    assert all(word in answer.text for word in words)
    assert "Traceback" not in answer.text
    assert CHINESE.search(answer.text)
    assert ENGLISH.search(answer.text)
    assert left_behind(tmp_path) == ["county.xlsx"]
    assert left_behind(workspace) == []


def place_of(command, folder):
    """Return the options that put a report into a folder."""
    return ("--output", folder / "reports") if command == "run" else ()


HOSTILE_SCHOOLS = [
    ["县区代码", "县区名称", "学校代码", "学校名称", "学校类型", "办别", "所在乡镇（街道）"],
    ["990199", PICTURE, "0101", SCRIPT, "小学", "公办", "=1+1"],
    ["990199", PICTURE, "0102", COMMAND, "小学", "公办", "+1+1"],
    ["990199", PICTURE, "0103", MACRO, "初级中学", "公办", "@SUM(A1)"],
    ["990199", PICTURE, "0104", "育才学校", "九年一贯制学校", "民办", "-1-1"],
]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory, workspace):
    """The report of a county whose names are commands and markup, and the marked copy of its workbook."""
    folder = tmp_path_factory.mktemp("hostile")
    path = folder / "county.xlsx"
    book = openpyxl.Workbook()
    for title, rows in ((REGISTER, HOSTILE_SCHOOLS), (YEARS, SCHOOL_YEARS)):
        sheet = book.create_sheet(title)
        for row, cells in enumerate(rows, start=1):
            for column, value in enumerate(cells, start=1):
                sheet.cell(row, column, value if value != "" else None).data_type = (
                    "s" if isinstance(value, str) and value else "n"
                )
    del book["Sheet"]
    book.save(path)
    with notebooks_in_this_process(complete=True):
        check, run = junheng("check", path), junheng("run", path, "--output", folder / "reports")
    assert (check.code, run.code) == (0, 0), check.text + run.text
    (copy,) = set(folder.glob("*.xlsx")) - {path}
    return only_report(folder / "reports"), copy


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_markup_in_names_shows_as_text(hostile, page):
    html = hostile[0].page(page)
    outline = Outline(html)

    assert PICTURE in outline.text
    assert SCRIPT in outline.text or page != "02_inter_school_variation"
    assert "<script>alert" not in html
    assert "<img src=x" not in html
    assert not [image for image in outline.all("img") if "onerror" in image]


@pytest.mark.slow
def test_no_cell_of_an_exported_workbook_is_a_formula(hostile):
    files = sorted(hostile[0].folder.rglob("*.xlsx"))
    seen = set()
    for path in files:
        for sheet in openpyxl.load_workbook(path):
            for row in sheet.iter_rows():
                for cell in row:
                    assert cell.data_type != "f", (path.name, cell.coordinate)
                    if isinstance(cell.value, str):
                        seen.add(cell.value)
                        assert not cell.value.startswith(("=", "+", "@")), (path.name, cell.coordinate)

    assert {SCRIPT, f"'{COMMAND}", f"'{MACRO}"} <= seen


@pytest.mark.slow
def test_no_cell_of_an_exported_text_table_begins_a_formula(hostile):
    seen = set()
    for path in sorted(hostile[0].folder.rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.reader(file):
                seen.update(row)

    begins = {text for text in seen if text.startswith(("=", "+", "@", "\t"))}
    negative = {text for text in seen if text.startswith("-") and not re.fullmatch(r"-[\d.]+(e-?\d+)?", text)}
    assert not begins
    assert not negative
    assert {SCRIPT, f"'{COMMAND}", f"'{MACRO}"} <= seen


@pytest.mark.slow
def test_the_marked_copy_has_no_formulas(hostile):
    kinds = {
        cell.data_type
        for sheet in openpyxl.load_workbook(hostile[1])
        for row in sheet.iter_rows()
        for cell in row
    }

    assert "f" not in kinds
