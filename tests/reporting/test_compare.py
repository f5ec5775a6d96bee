"""Two runs compared: every verdict that turned is named with its cause."""

import json
import math
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.compared import NOTEBOOK, county, make_run
from tests.reporting.pages import Outline
from toolkit.errors import InputError, ParameterError
from toolkit.exhibits import Caption
from toolkit.reporting.compare import compare_runs
from toolkit.reporting.compare_page import render_comparison, write_comparison
from toolkit.reporting.record import InputFile, NotebookOutcome, load_record, write_record
from toolkit.reporting.run_change import numbers
from toolkit.tables.exhibit import TableColumn, TableExhibit
from toolkit.tables.export import load_exported_table
from toolkit.vocabulary import label

OWN = """extends = "national_2017"
title = {{ zh = "本县标准", en = "Own" }}
[indicators.R3.minimum]
primary = {minimum}
junior = 0.9
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def base(place):
    """Three primary schools that pass."""
    return make_run(place / "base", county())


@pytest.fixture(scope="module")
def worse(place):
    """The second school has lost six teachers of arts and twenty pupils."""
    return make_run(place / "worse", county((2, "arts_teachers_primary", 0), (2, "enrolment_primary", 980)))


@pytest.fixture(scope="module")
def incomplete(place):
    """The third school does not report its equipment."""
    return make_run(place / "incomplete", county((3, "equipment_value", math.nan)))


def turned(comparison, aspect="Verdict on the school"):
    """Return the verdicts of one kind that turned, with their causes, by subject."""
    return {
        change.subject.en: (change.before.en, change.after.en, tuple(cause.en for cause in change.causes))
        for change in comparison.of("verdict")
        if change.aspect.en == aspect
    }


def changed_record(source, target, **changes):
    """Copy a run and change its record."""
    shutil.copytree(source, target)
    write_record(replace(load_record(source), **changes), target)
    return target


def test_a_run_does_not_differ_from_itself(base, worse):
    assert compare_runs(base, base).changes == ()
    assert compare_runs(worse, worse).changes == ()


def test_a_changed_value_is_told_with_its_stock_and_its_students(base, worse):
    comparison = compare_runs(base, worse)
    # 12 teachers for 1,000 pupils are 1.2 for 100; 6 for 980 are 0.61, below the floor of 0.85 times 0.9.
    cause = (
        "R3 PE and arts teachers per 100 students 1.20→0.61 (PE and arts teachers 12→6, students 1,000→980)"
    )
    assert turned(comparison) == {"第2小学": ("pass", "fail", (cause,))}
    (change,) = [change for change in comparison.of("verdict") if change.subject.zh == "第2小学"]
    assert "（体育、艺术教师 12→6，在校生 1,000→980）" in change.causes[0].zh


def test_an_indicator_that_moved_against_the_verdict_is_no_cause(worse, place):
    # 7,000 m2 for 1,000 pupils miss 7.5, but not the floor of 6.375.
    better = make_run(place / "better", county((2, "sports_ground_area", 7000)))
    (found,) = turned(compare_runs(worse, better)).values()
    assert found[:2] == ("fail", "pass")
    assert [cause.split(" ")[0] for cause in found[2]] == ["R3"]


def test_stage_and_county_are_told_by_what_turned_them(base, worse):
    comparison = compare_runs(base, worse)
    stage = turned(comparison, "Verdict on the stage")["Primary"]
    assert stage == ("pass", "fail", ("Verdict on the school pass → fail: 1 (第2小学)",))
    assert turned(comparison, "resource indicators")["County"] == ("pass", "fail", ("Primary pass → fail",))
    assert turned(comparison, "Coefficients") == {}


def test_verdicts_come_first_and_numbers_last(base, worse):
    sections = [change.section for change in compare_runs(base, worse).changes]
    assert sections == sorted(sections, key=("verdict", "data", "number").index)
    assert set(sections) == {"verdict", "data", "number"}


def test_a_limit_changed_by_the_standard_is_named_beside_a_changed_value(base, place):
    path = place / "own.toml"
    path.write_text(OWN.format(minimum=1.6), encoding="utf-8")
    made = make_run(place / "stricter", county((2, "arts_teachers_primary", 7)), standard=path)
    comparison = compare_runs(base, made)
    found = turned(comparison)
    limits = (
        "R3 PE and arts teachers per 100 students: Minimum 0.90→1.60 by the standard",
        # 0.85 times 0.9, and 0.85 times 1.6
        "R3 PE and arts teachers per 100 students: Floor 0.77→1.36 by the standard",
    )
    assert found["第1小学"] == ("pass", "fail", limits)
    value = "R3 PE and arts teachers per 100 students 1.20→1.30 (PE and arts teachers 12→13)"
    assert found["第2小学"] == ("pass", "fail", (value, *limits))
    standard = [(change.aspect.en, change.before.en, change.after.en) for change in comparison.of("standard")]
    assert ("Minimum", "0.90", "1.60") in standard
    assert ("", "national_2017", "own") in standard


def test_a_missing_cell_that_was_filled_is_named(base, incomplete):
    (found,) = turned(compare_runs(incomplete, base)).values()
    assert found[:2] == ("not judged", "pass")
    assert found[2][0].startswith("R6 ")
    assert found[2][0].endswith("is filled in, –→2,500")
    (emptied,) = turned(compare_runs(base, incomplete)).values()
    assert emptied[2][0].endswith("is now empty, 2,500→–")


@pytest.fixture(scope="module")
def rural(place):
    """The third school is small and rural: its visiting teacher counts."""
    return make_run(place / "rural", county(*SMALL, (3, "enrolment_primary", 80)))


SMALL = (
    (3, "location", "rural"),
    (3, "pe_teachers_primary", 0),
    (3, "arts_teachers_primary", 0),
    (3, "visiting_pe_arts_teachers_primary", 1),
)


def test_a_special_case_switched_off_by_the_rules_is_named(rural, place):
    data = county(*SMALL, (3, "enrolment_primary", 80))
    comparison = compare_runs(rural, make_run(place / "off", data, rules="visiting_teachers=off"))
    (found,) = turned(comparison).values()
    assert found[:2] == ("pass", "fail")
    assert found[2][0].endswith("special case visiting_teachers switched off by the standard or the rules")
    assert found[2][1].endswith("1.25→0.00 (PE and arts teachers 1→0)")
    assert [change.after.en for change in comparison.of("parameter")] == ["visiting_teachers=off"]


def test_a_special_case_that_no_longer_holds_is_told_apart_from_one_switched_off(rural, place):
    grown = make_run(place / "grown", county(*SMALL, (3, "enrolment_primary", 120)))
    causes = turned(compare_runs(rural, grown))["第3小学"][2]
    assert causes[0].endswith(
        "special case visiting_teachers no longer holds, as the school's own data changed"
    )
    assert causes[1].endswith("(PE and arts teachers 1→0, students 80→120)")


def test_schools_that_come_go_and_change_name_or_code_are_told(base, place):
    data = county((2, "school_name", "中心小学"), (2, "backbone_teachers_primary", 0), schools=(1, 2, 4))
    tables = {
        name: frame.replace({"school_id": {"3601010001": "3601019901"}})
        for name, frame in data.tables.items()
    }
    comparison = compare_runs(base, make_run(place / "moved", replace(data, tables=tables)))
    found = turned(comparison)
    assert set(found) == {"第3小学", "第4小学", "中心小学"}
    assert found["第3小学"] == (
        "pass",
        "–",
        ("the later run has no such school (closed, or not in the data)",),
    )
    assert found["第4小学"] == (
        "–",
        "pass",
        ("the earlier run has no such school (new, or not in the data)",),
    )
    assert found["中心小学"][2][-1] == "the school was renamed from 第2小学 to 中心小学 (same code)"
    told = {(c.subject.en, c.aspect.en, c.before.en, c.after.en) for c in comparison.of("school")}
    assert ("中心小学", "School", "第2小学", "中心小学") in told
    assert ("第1小学", "School code", "3601010001", "3601019901") in told
    assert ("第4小学", "", "not counted", "counted") in told


def test_a_school_that_no_longer_counts_is_told_with_the_reason(base, place):
    left = make_run(place / "left", county((3, "school_type", "special_education_school")))
    assert turned(compare_runs(base, left))["第3小学"] == (
        "pass",
        "–",
        ("no longer counted (Type outside the resource indicators)",),
    )
    assert turned(compare_runs(left, base))["第3小学"][2][0].startswith("not counted before (Type outside")


def test_a_coefficient_is_told_with_the_school_that_moved_it(base, place):
    rich = make_run(place / "rich", county((1, "equipment_value", 40_000_000)))
    found = turned(compare_runs(base, rich), "Verdict on the coefficient")
    # 40,000, 2,500 and 2,500 yuan per pupil: mean 15,000, standard deviation sqrt(937.5e6 / 3).
    value = math.sqrt(937.5e6 / 3) / 15_000
    (subject,) = found
    assert subject.startswith("R6 ")
    assert found[subject] == (
        "pass",
        "fail",
        (
            f"coefficient 0.000→{value:.3f}",
            "schools whose change moved it most: 第1小学 (2,500→40,000)",
        ),
    )


def test_next_years_run_is_compared_with_this_years(base, place):
    comparison = compare_runs(base, make_run(place / "next", county(year=2026), year=2026))
    assert comparison.of("verdict") == comparison.of("school") == ()
    assert [(c.subject.en, c.before.en, c.after.en) for c in comparison.of("parameter")] == [
        ("School year", "2025", "2026")
    ]


def overview(result, requirement, verdict):
    columns = (
        TableColumn("item_number", "项目"),
        TableColumn("name", "名称"),
        TableColumn("item_result", "结果"),
        TableColumn("standard_requirement", "要求"),
        TableColumn("verdict", "结论", "met"),
    )
    rows = {"item_number": ["Q1", "Q2"], "name": ["三年巩固率", "残疾儿童入学率"]}
    rows |= {"item_result": [result, "98%"], "standard_requirement": [requirement, "≥ 95%"]}
    data = pd.DataFrame(rows | {"verdict": [verdict, "pass"]})
    return TableExhibit(Caption("item_overview", "各项一览", "zh"), columns, data)


@pytest.mark.parametrize(
    ("result", "requirement", "rules", "expected"),
    [
        ("93%", "≥ 95%", "", ("{item_result} 96%→93%",)),
        ("96%", "≥ 98%", "", ("{requirement} ≥ 95%→≥ 98% by the standard",)),
        (
            "93%",
            "≥ 95%",
            "Q1=retention_with_transfers",
            ("{item_result} 96%→93%", "the rule Q1 was – and is retention_with_transfers"),
        ),
    ],
)
def test_an_item_is_told_with_its_result_its_limit_and_its_formula(
    place, result, requirement, rules, expected
):
    before = place / "items"
    if not before.exists():
        make_run(before, county(), tables=(overview("96%", "≥ 95%", "pass"),))
    after = place / f"items-{result}-{requirement[-3:-1]}-{len(rules)}"
    other = {"standard_sha256": "ff" * 32} if requirement != "≥ 95%" else {}
    make_run(after, county(), tables=(overview(result, requirement, "fail"),), rules=rules, **other)
    (change,) = compare_runs(before, after).of("verdict")
    assert change.subject.zh == "Q1，三年巩固率"
    headings = {"item_result": label("item_result", "en"), "requirement": label("standard_requirement", "en")}
    assert [cause.en for cause in change.causes] == [text.format(**headings) for text in expected]


def test_records_are_compared_field_by_field(base, place):
    record = load_record(base)
    other = changed_record(
        base,
        place / "other-record",
        inputs=(InputFile("county.xlsx", "0" * 64), InputFile("mapping.toml", "1" * 64)),
        packages={"pandas": "3.0.1", "numpy": "2.2.0"},
        python="3.12.2",
        plan="meizhou",
        plan_sha256="2" * 64,
        notebooks=(*record.notebooks, NotebookOutcome("07_annual_report", "failed", "KeyError")),
        accounting=({"table": "schools", "rows_used": 2, "rows_left_out": 1},),
        parameters={NOTEBOOK: {"year": 2025, "rules": "", "unstaged_teachers": "by_teachers"}},
    )
    comparison = compare_runs(base, other)
    assert comparison.of("verdict") == comparison.of("number") == ()
    assert {c.subject.en for c in comparison.of("software")} == {"pandas", "Python"}
    assert [c.after.en for c in comparison.of("standard")] == ["meizhou", "2" * 12]
    data = {(c.subject.en, c.aspect.en, c.after.en) for c in comparison.of("data")}
    assert ("county.xlsx", "", "0" * 12) in data
    assert ("mapping.toml", "", "1" * 12) in data
    assert {(c.before.en, c.after.en) for c in comparison.of("data") if c.aspect} == {("3", "2")}
    assert len(comparison.of("parameter")) == 1
    (part,) = comparison.of("notebook")
    assert (part.before.en, part.after.en) == ("absent", "failed")


def test_the_language_of_a_run_changes_no_verdict_and_is_remarked(base, place):
    comparison = compare_runs(base, make_run(place / "english", county(), language="en"))
    assert comparison.of("verdict") == comparison.of("school") == comparison.of("number") == ()
    assert ["two languages" in remark.en for remark in comparison.remarks] == [True]


def marked_table(mark, requirement, verdict):
    """Return a table with a quantity that is called a mark, a limit in words, and a verdict."""
    columns = (
        TableColumn("item_number", "指标"),
        TableColumn("full_mark", "满分", "number"),
        TableColumn("standard_requirement", "标准"),
        TableColumn("verdict", "结论", "met"),
    )
    row = {"item_number": "G09", "full_mark": mark, "standard_requirement": requirement, "verdict": verdict}
    return TableExhibit(Caption("tests", "测试", "zh"), columns, pd.DataFrame([row]))


def test_a_quantity_called_a_mark_is_read_and_a_limit_in_other_words_is_no_cause(place):
    one, other = (
        make_run(place / name, county(), tables=(marked_table(*cells),))
        for name, *cells in (("old", 100.0, "≥100%", "fail"), ("new", 120.0, "100%", "pass"))
    )
    comparison = compare_runs(one, other)
    (change,) = (change for change in comparison.of("verdict") if change.subject.zh.startswith("G09"))
    (cause,) = change.causes
    assert ("100" in cause.zh, "120" in cause.zh, "≥100%" in cause.zh) == (True, True, False)


def test_real_names_and_pseudonyms_are_not_matched(base, worse, place):
    record = load_record(worse)
    parameters = {NOTEBOOK: {**record.parameters[NOTEBOOK], "school_names": "pseudonym"}}
    hidden = changed_record(worse, place / "hidden", parameters=parameters, edition="public")
    comparison = compare_runs(base, hidden)
    assert comparison.of("school") == ()
    assert turned(comparison) == {}
    assert len(comparison.remarks) == 2
    assert len(turned(comparison, "Verdict on the stage")) == 1


def test_pseudonyms_of_two_secrets_are_not_matched(base, worse, place):
    runs = []
    for run, key in ((base, "0a"), (worse, "0b"), (worse, "0a")):
        given = {**load_record(run).parameters[NOTEBOOK], "school_names": "pseudonym", "pseudonym_key": key}
        runs.append(changed_record(run, place / f"{run.name}-{key}", parameters={NOTEBOOK: given}))
    one, other, same = runs
    comparison = compare_runs(one, other)
    assert comparison.of("school") == ()
    assert turned(comparison) == {}
    assert ["two secrets" in remark.en for remark in comparison.remarks] == [True]
    assert compare_runs(one, same).remarks == ()
    assert turned(compare_runs(one, same)) != {}


def test_another_county_is_refused(base, place):
    other = changed_record(base, place / "county", county_id="440101", county_name="乙县")
    with pytest.raises(ParameterError, match=r"测试县 \(990100\) and 乙县 \(440101\)") as refused:
        compare_runs(base, other)
    assert refused.value.exit_code == 2


def test_a_folder_that_is_no_run_is_refused(base, tmp_path):
    with pytest.raises(InputError, match="is no folder of a run"):
        compare_runs(base, tmp_path)


@pytest.mark.parametrize(
    "file", ["run.json", "findings.json", "exhibits.json", "coefficients.csv", "school_values.csv"]
)
def test_a_damaged_file_is_named(base, tmp_path, file):
    shutil.copytree(base, tmp_path / "damaged")
    (path,) = (tmp_path / "damaged").rglob(file)
    path.write_bytes(b'{"half')
    with pytest.raises(InputError) as refused:
        compare_runs(base, tmp_path / "damaged")
    assert refused.value.exit_code == 3
    assert (path.name in refused.value.zh) or (path.parent.name in refused.value.zh)


@pytest.mark.parametrize("file", ["findings.json", "exhibits.json", "coefficients.csv"])
def test_an_absent_file_is_named(base, tmp_path, file):
    shutil.copytree(base, tmp_path / "incomplete")
    (path,) = (tmp_path / "incomplete").rglob(file)
    path.unlink()
    with pytest.raises(InputError) as refused:
        compare_runs(tmp_path / "incomplete", base)
    assert file in refused.value.zh


def test_a_run_without_the_table_of_values_is_compared_with_a_remark(base, worse, tmp_path):
    for run in (base, worse):
        shutil.copytree(run, tmp_path / run.name)
        (path,) = (tmp_path / run.name).rglob("exhibits.json")
        content = json.loads(path.read_text(encoding="utf-8"))
        content["exhibits"] = [
            entry for entry in content["exhibits"] if entry["caption"]["key"] != "school_values"
        ]
        path.write_text(json.dumps(content), encoding="utf-8")
    comparison = compare_runs(tmp_path / base.name, tmp_path / worse.name)
    assert ["has no table of school values" in remark.en for remark in comparison.remarks] == [True, True]
    assert turned(comparison)["第2小学"][2] == ("the tables show no cause: check the data of the two runs",)


def test_the_page_is_whole_and_keeps_to_itself(base, worse, place):
    comparison = compare_runs(base, worse)
    write_comparison(comparison, place / "page" / "compare.html", "zh")
    html = (place / "page" / "compare.html").read_text(encoding="utf-8")
    page = Outline(html)
    assert page.unbalanced == []
    assert page.headings().count(1) == 1
    assert "default-src 'none'" in html
    assert "http" not in html.replace("http-equiv", "")
    assert page.text.index("第2小学") < page.text.index("county.xlsx")
    assert str(place) not in html
    assert html == render_comparison(compare_runs(base, worse), "zh")
    english = Outline(render_comparison(comparison, "en")).text
    assert "PE and arts teachers 12→6" in english


def test_the_files_hold_every_difference(base, worse, place):
    comparison = compare_runs(base, worse)
    files = write_comparison(comparison, place / "files" / "compare.html", "en")
    table = load_exported_table(files.csv)
    assert len(table) == len(comparison.changes)
    assert table["compare_section"].iloc[0] == "compare_section_verdict"
    assert files.xlsx.exists()


def test_names_from_the_data_are_escaped(base, place):
    nasty = make_run(
        place / "nasty", county((2, "school_name", "<b>=1+1</b>"), (2, "backbone_teachers_primary", 0))
    )
    html = render_comparison(compare_runs(base, nasty), "zh")
    assert "<b>=1" not in html
    assert "&lt;b&gt;=1+1" in html


def test_numbers_are_printed_so_that_they_differ():
    assert [text.en for text in numbers(0.8999, 0.9001, 2)] == ["0.8999", "0.9001"]
    assert [text.en for text in numbers(0.5, 0.8, 1, share=True)] == ["50.0%", "80.0%"]
    assert [text.en for text in numbers(math.nan, 3, 0)] == ["–", "3"]
