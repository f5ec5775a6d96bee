"""A run repeated from its record: identical, equal to printed precision, or different and where."""

import csv
import json
import shutil
from dataclasses import replace
from io import BytesIO

import openpyxl
import pytest
from PIL import Image

from tests.end_to_end.annual import NAMES, small_county, write_county
from tests.reporting.quick_runs import ANNUAL, QUALITY, VARIATION, quick_notebooks
from toolkit.errors import InputError, ParameterError
from toolkit.reporting import run_key
from toolkit.reporting.file_changes import equal_texts, equal_values, file_changes
from toolkit.reporting.input_cells import cell_changes
from toolkit.reporting.notebook_cache import open_cache
from toolkit.reporting.outputs import Outputs
from toolkit.reporting.record import file_input
from toolkit.reporting.recorded_run import load_recorded_run, under_recorded_names
from toolkit.reporting.run import run_report
from toolkit.reporting.run_inputs import data_files
from toolkit.reporting.verify import verify_run
from toolkit.share import WORKSPACE_VARIABLE

ONLY = (QUALITY, VARIATION, ANNUAL)
VALUES = f"results/{VARIATION}/school_values.csv"


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """Return a workspace with a workbook and the run that was made from it."""
    folder = tmp_path_factory.mktemp("original")
    workbook = write_county(small_county(), folder / "county.xlsx")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WORKSPACE_VARIABLE, str(folder))
        make_run(workbook)
    return folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def workbook(place, original):
    return shutil.copyfile(original / "county.xlsx", place / "county.xlsx")


@pytest.fixture
def folder(place, original, workbook):
    """Return a run that may be edited, as if it had been made from the workbook in this place."""
    (run,) = (original / "reports").glob("*-*")
    copy = place / "reports" / run.name
    shutil.copytree(run, copy)
    log = (copy / "run-log.json").read_text(encoding="utf-8")
    (copy / "run-log.json").write_text(log.replace(str(original), str(place)), encoding="utf-8")
    return copy


def test_a_plan_that_no_notebook_of_the_run_reads_is_no_part_of_it(place, workbook):
    with quick_notebooks():
        for plan in ("", "meizhou"):
            run = run_report({"data_path": str(workbook), "plan": plan}, only=(QUALITY,))
        with pytest.raises(ParameterError, match="meizhuo"):
            run_report({"data_path": str(workbook), "plan": "meizhuo"}, only=(QUALITY,))
    assert run.placement.status == "identical"


def make_run(workbook, *, outputs=None, **parameters):
    with quick_notebooks():
        outcome = run_report(
            {"data_path": str(workbook), **parameters}, only=ONLY, outputs=outputs or Outputs()
        )
    return outcome.placement.path


def verify(folder, **options):
    with quick_notebooks():
        return verify_run(folder, **options)


def listed(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def told(changes):
    return [
        " ".join((change.subject.en, change.aspect.en, change.before.en, "->", change.after.en))
        for change in changes
    ]


def with_value(source, target, column, change):
    """Copy a workbook with one cell of the first school changed; return what stood there and its address."""
    book = openpyxl.load_workbook(source)
    sheet = book["学校年度"]
    cell = next(cell for cell in sheet[1] if str(cell.value).startswith(column))
    found = sheet.cell(2, cell.column)
    before, found.value = found.value, found.value + change
    book.save(target)
    return before, found.coordinate


def test_a_run_that_is_repeated_is_identical_and_leaves_nothing(workbook, place):
    folder = make_run(workbook, outputs=Outputs(schools=True), rules="visiting_teachers=off")
    before = listed(place)
    verification = verify(folder)
    assert verification.agreement == "identical"
    assert (verification.files, verification.cells, verification.remarks) == ((), (), ())
    assert listed(place) == before


@pytest.mark.slow
def test_everything_is_run_again_unless_the_cache_is_asked_for(workbook, place):
    started = []
    with quick_notebooks():
        run_report({"data_path": str(workbook)}, only=ONLY, cache=open_cache())
    (folder,) = (place / "reports").glob("*-*")
    with quick_notebooks(started=started):
        assert verify_run(folder).agreement == "identical"
        assert started == list(ONLY)
        assert verify_run(folder, cache=open_cache()).agreement == "identical"
    assert started == list(ONLY)


def test_a_cell_that_changed_by_one_is_named_with_what_it_moved(workbook, place, folder):
    changed = place / "moved" / "county.xlsx"
    changed.parent.mkdir()
    before, address = with_value(workbook, changed, "教学及辅助用房面积", 1)
    verification = verify(folder, data=changed)
    assert verification.agreement == "different"
    data = told(verification.comparison.of("data"))
    assert data[1].startswith(f"county.xlsx 学校年度 {address} (")
    assert "3601010001" in data[1]
    assert "教学及辅助用房面积" in data[1]
    assert data[1].endswith(f"{before} -> {before + 1}")
    cells = told(verification.cells)
    title = "Stock, students, value and minimum of every school and indicator"
    assert cells[0] == f"{title}: {NAMES[1]}, Primary, R4 Stock 5,000.00 -> 5,001.00"
    assert any("finding verdict_primary" in cell for cell in cells)
    assert {file.name for file in verification.files} >= {
        f"{VARIATION}.html",
        VALUES,
        f"results/{VARIATION}/a.png",
        f"results/{VARIATION}/findings.json",
    }


@pytest.mark.slow
def test_a_change_that_moves_no_result_is_told_as_such(workbook, folder):
    book = openpyxl.load_workbook(workbook)
    book.properties.title = "another"
    book.save(workbook)
    verification = verify(folder)
    assert verification.agreement == "different"
    assert "No number and no finding" in verification.remarks[-1].en


@pytest.mark.slow
def test_without_the_file_that_was_read_it_says_so_and_names_the_results(workbook, folder):
    with_value(workbook, workbook, "教学及辅助用房面积", 1)
    verification = verify(folder)
    assert verification.agreement == "different"
    assert len(verification.comparison.of("data")) == 1
    assert "not what the run read" in verification.remarks[0].en
    assert "R4 Stock" in told(verification.cells)[0]


@pytest.mark.slow
def test_data_that_were_moved_are_found_where_one_says(workbook, place, folder):
    (place / "archive").mkdir()
    moved = workbook.rename(place / "archive" / "county.xlsx")
    with pytest.raises(InputError, match=r"county\.xlsx.*--data"):
        verify(folder)
    assert verify(folder, data=moved).agreement == "identical"


@pytest.mark.slow
@pytest.mark.parametrize("stray", [False, True])
def test_a_copy_with_another_name_is_identical_and_its_name_is_told(workbook, place, folder, stray):
    copy = workbook.rename(place / "copy.xlsx")
    if stray:
        (place / "copy").mkdir()
        (place / "copy" / "truth.json").write_text("{}", encoding="utf-8")
    before = listed(place)
    verification = verify(folder, data=copy)
    assert verification.agreement == "identical"
    assert (verification.files, verification.cells) == ((), ())
    (remark,) = verification.remarks
    assert "county.xlsx → copy.xlsx" in remark.en
    assert listed(place) == before


@pytest.mark.slow
def test_another_file_beside_a_renamed_copy_is_not_taken_for_the_one_that_was_read(workbook, place, folder):
    copy = workbook.rename(place / "copy.xlsx")
    (place / "copy").mkdir()
    (place / "copy" / "notes.txt").write_text("x", encoding="utf-8")
    verification = verify(folder, data=copy)
    assert verification.agreement == "different"
    assert [change.subject.en for change in verification.comparison.of("data")] == ["notes.txt"]
    (remark,) = verification.remarks
    assert "county.xlsx → copy.xlsx" in remark.en


def test_files_in_the_folder_beside_a_renamed_workbook_keep_or_regain_their_names(tmp_path, folder, workbook):
    recorded = load_recorded_run(folder)
    beside = tmp_path / "copy"
    beside.mkdir()
    (beside / "b.csv").write_text("1", encoding="utf-8")
    (beside / "same.csv").write_text("2", encoding="utf-8")
    inputs = [
        file_input(workbook),
        replace(file_input(beside / "b.csv"), name="a.csv"),
        file_input(beside / "same.csv"),
    ]
    row = {"file": "truth.json"}
    record = replace(recorded.record, inputs=tuple(inputs), accounting=(row,))
    copy = workbook.rename(tmp_path / "copy.xlsx")
    with under_recorded_names(replace(recorded, record=record), copy) as (staged, (remark,)):
        names = [path.relative_to(staged.parent).as_posix() for path in data_files(staged)]
        assert names == ["county.xlsx", "county/a.csv", "county/same.csv", "county/truth.json"]
    assert "b.csv" in remark.en
    assert not staged.exists()
    assert sorted(path.name for path in beside.iterdir()) == ["b.csv", "same.csv"]


@pytest.mark.slow
def test_that_causes_are_incomplete_is_said_once_and_not_of_runs_that_agree(workbook, place):
    with quick_notebooks():
        folder = run_report({"data_path": str(workbook)}, only=(QUALITY,)).placement.path
    verification = verify(folder)
    assert (verification.agreement, verification.remarks) == ("identical", ())
    path = folder / f"results/{QUALITY}/findings.json"
    path.write_text(path.read_text(encoding="utf-8").replace("schools", "pupils"), encoding="utf-8")
    verification = verify(folder)
    assert verification.agreement == "different"
    assert [remark.en for remark in verification.remarks if "school values" in remark.en] == [
        f"The run {folder.name} has no table of school values: causes are incomplete."
    ]


@pytest.mark.slow
def test_data_beside_the_reports_are_found_without_the_log(folder):
    (folder / "run-log.json").unlink()
    assert verify(folder).agreement == "identical"


def edited_values(folder, factor):
    """Change the first stock in the table of a run by a factor."""
    path = folder / VALUES
    rows = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    column = rows[0].index("stock")
    rows[1][column] = repr(float(rows[1][column]) * factor)
    text = "".join(f"{','.join(row)}\n" for row in rows)
    path.write_bytes(text.encode("utf-8-sig"))


def test_digits_that_are_not_printed_make_it_equal_to_printed_precision(folder):
    edited_values(folder, 1 + 1e-13)
    verification = verify(folder)
    assert verification.agreement == "equal"
    assert [(file.name, file.status) for file in verification.files] == [(VALUES, "equal")]


def test_a_table_that_was_edited_is_told_by_its_cell(folder):
    edited_values(folder, 2)
    verification = verify(folder)
    assert verification.agreement == "different"
    assert "R1 Stock" in told(verification.cells)[0]


def test_a_finding_that_was_edited_is_told(folder):
    path = folder / f"results/{ANNUAL}/findings.json"
    path.write_text(path.read_text(encoding="utf-8").replace("(by stage)", "(in all)"), encoding="utf-8")
    verification = verify(folder)
    assert verification.agreement == "different"
    (finding,) = verification.cells
    assert "(in all)" in finding.before.en
    assert "(by stage)" in finding.after.en


def test_other_software_alone_leaves_it_equal_and_is_named(folder):
    path = folder / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record |= {"code_sha256": "0" * 64, "commit": "a" * 40, "python": "3.0"}
    record["packages"]["numpy"] = "0.1"
    record["notebook_sha256"][QUALITY] = "1" * 64
    path.write_text(json.dumps(record), encoding="utf-8")
    verification = verify(folder)
    assert verification.agreement == "equal"
    software = " ".join(told(verification.comparison.of("software")))
    for word in ("Python", "numpy", "commit", "Code of Junheng", QUALITY):
        assert word in software
    assert run_key.source_digest()[:12] in software


@pytest.mark.slow
def test_another_standard_of_the_same_name_makes_it_different(workbook, place):
    own = place / "own.toml"
    head = 'extends = "national_2017"\n[title]\nzh = "本县标准"\nen = "Own standard"\n'
    own.write_text(head, encoding="utf-8")
    folder = make_run(workbook, standard=str(own))
    assert verify(folder).agreement == "identical"
    own.write_text(head.replace("Own standard", "Another"), encoding="utf-8")
    verification = verify(folder)
    assert verification.agreement == "different"
    assert verification.comparison.of("standard")


def as_version_1(folder):
    """Write the record of a run as the version before did."""
    path = folder / "run.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for name in ("only", "outputs", "embed_font", "code_sha256", "notebook_sha256"):
        del record[name]
    record["inputs"] = [{"name": file["name"], "sha256": file["sha256"]} for file in record["inputs"]]
    path.write_text(json.dumps(record | {"schema_version": 1}), encoding="utf-8")


@pytest.mark.slow
def test_a_record_of_the_first_version_is_repeated_with_what_it_had_to_assume(workbook, place):
    form, book = place / "form.xlsx", openpyxl.Workbook()
    book.worksheets[0].append(["{{county_name}}"])
    book.save(form)
    folder = make_run(workbook, outputs=Outputs(schools=True, forms=(form,)))
    as_version_1(folder)
    verification = verify(folder)
    assert verification.agreement == "identical"
    assert "schools" in verification.remarks[0].en
    assert "assumed" in verification.remarks[1].en


@pytest.mark.slow
def test_a_pseudonymous_run_needs_its_secret_and_makes_no_other(workbook, place):
    folder = make_run(workbook, school_names="pseudonym")
    assert verify(folder).agreement == "identical"
    shutil.rmtree(place / "restricted")
    with pytest.raises(InputError, match="secret"):
        verify(folder)
    assert not (place / "restricted").exists()


def test_a_folder_that_is_none_of_a_run_is_refused(place):
    with pytest.raises(InputError, match=r"run\.json"):
        verify_run(place)


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ("a 1.0000000000 b", "a 1.00000000001 b", True),
        ("a 1.00 b", "a 1.01 b", False),
        ("a 1.0 b", "c 1.0 b", False),
        ("a 1 2", "a 1", False),
    ],
)
def test_texts_are_equal_when_only_digits_beyond_the_tolerance_differ(one, other, equal):
    assert equal_texts(one, other, 1e-9) is equal


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        ({"a": [1.0]}, {"a": [1.0 + 1e-12]}, True),
        ({"a": [1.0]}, {"a": [1.0 + 1e-6]}, False),
        ({"a": 1}, {"b": 1}, False),
        ([1.0], [1.0, 2.0], False),
        (True, 1, False),
        ("1.0", "1.00", False),
        (None, 0.0, False),
        (0.0, -0.0, True),
    ],
)
def test_values_are_equal_within_the_tolerance(one, other, equal):
    assert equal_values(one, other, 1e-9) is equal


def picture(folder, *colours):
    image = Image.new("RGB", (len(colours), 1))
    image.putdata(colours)
    content = BytesIO()
    image.save(content, "png")
    path = folder / "results" / QUALITY / "a.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(content.getvalue())


@pytest.mark.parametrize(("colour", "status"), [((101, 0, 0), "equal"), ((102, 0, 0), "different")])
def test_a_figure_is_equal_when_its_colours_differ_by_rounding(tmp_path, colour, status):
    picture(tmp_path / "a", (100, 0, 0), (5, 5, 5))
    picture(tmp_path / "b", colour, (5, 5, 5))
    (change,) = file_changes(tmp_path / "a", tmp_path / "b")
    assert change.status == status


def test_a_fit_may_differ_by_more_than_a_sum(tmp_path):
    for folder, value in (("a", 1.0), ("b", 1.0 + 1e-7)):
        for notebook in ("02_inter_school_variation", "03_group_schooling"):
            path = tmp_path / folder / "results" / notebook / "findings.json"
            path.parent.mkdir(parents=True)
            path.write_text(json.dumps({"value": value}), encoding="utf-8")
    assert [change.status for change in file_changes(tmp_path / "a", tmp_path / "b")] == [
        "different",
        "equal",
    ]


def test_head_and_foot_of_a_page_repeat_the_record_and_do_not_count(tmp_path):
    for name, commit in (("a", "111"), ("b", "222")):
        page = f"<header>{commit}</header><main><p>1</p></main><footer>{commit}</footer>"
        (tmp_path / name).mkdir()
        (tmp_path / name / "index.html").write_text(page, encoding="utf-8")
    (change,) = file_changes(tmp_path / "a", tmp_path / "b")
    assert change.status == "equal"


def test_files_of_one_run_only_and_the_copy_of_a_failed_notebook(tmp_path):
    for name in ("a/index.html", "b/other.html", "a/failed/01.ipynb", "b/run-log.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x", encoding="utf-8")
    found = [(change.name, change.status) for change in file_changes(tmp_path / "a", tmp_path / "b")]
    assert found == [("index.html", "absent"), ("other.html", "new")]


def test_sheets_with_other_numbers_of_rows_are_not_compared_cell_by_cell(tmp_path):
    for name, rows in (("a.csv", 2), ("b.csv", 3)):
        lines = ["学校,值", *(f"校{number},{number}" for number in range(rows))]
        (tmp_path / name).write_text("\n".join(lines), encoding="utf-8")
    (change,) = cell_changes(tmp_path / "a.csv", tmp_path / "b.csv")
    assert (change.aspect.en, change.before.en, change.after.en) == ("Rows", "3", "4")


def test_a_file_that_cannot_be_read_has_no_cells_to_name(tmp_path):
    for name in ("a.xlsx", "b.xlsx"):
        (tmp_path / name).write_bytes(b"")
    assert cell_changes(tmp_path / "a.xlsx", tmp_path / "b.xlsx") == ()


@pytest.mark.slow
def test_with_kernels_a_run_reused_and_one_repeated_have_the_same_bytes(workbook, place):
    parameters, only = {"data_path": str(workbook)}, ("01",)
    first = run_report(parameters, only=only, cache=open_cache(), reports=place / "first")
    again = run_report(parameters, only=only, cache=open_cache(), reports=place / "again")
    log = json.loads((again.placement.path / "run-log.json").read_text(encoding="utf-8"))
    assert log["reused"] == [QUALITY]
    assert file_changes(first.placement.path, again.placement.path) == ()
    assert verify_run(again.placement.path).agreement == "identical"
