"""What a run leaves beside its pages, under real names and pseudonyms, in both editions."""

import json
import zipfile
from functools import partial

import docx
import openpyxl
import pytest

from tests.end_to_end.annual import (
    ANNUAL,
    NAMES,
    QUALITY,
    TOWN,
    VARIATION,
    code_of,
    notebooks_in_this_process,
    quick_files,
    run_notebook,
    small_county,
    write_county,
)
from tests.reporting.traced import astray, names_with_numbers, quantities, rule_constants, untold
from toolkit.errors import InputError, ParameterError
from toolkit.reporting.outputs import Outputs, require_forms
from toolkit.reporting.refusal import DataError
from toolkit.reporting.run import run_report
from toolkit.reporting.study import INTERNAL_TABLES
from toolkit.standards import load_standard

# Too few rooms in the first school, and a cell that nobody filled in the second.
PLAN = "heping"
CHANGES = ((2025, 1, "multimedia_rooms", 10), (2025, 2, "equipment_value", None))

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture(scope="module")
def workbook(workspace):
    county = small_county(
        *CHANGES,
        years=(2024, 2025),
        county_years=[{"year": 2025, "item": "G08", "item_numerator": 95, "item_denominator": 100}],
        surveys=[
            {
                "year": 2025,
                "respondents": "parents",
                "questionnaires_sent": 300,
                "questionnaires_returned": 280,
                "questionnaires_satisfied": 230,
            }
        ],
    )
    return write_county(county, workspace / "county.xlsx")


@pytest.fixture(scope="module")
def forms(workspace):
    """Return a workbook and a document of the province with placeholders."""
    book, document = openpyxl.Workbook(), docx.Document()
    book.worksheets[0].append(["县", "{{county_name}}", "G08", "{{government_items.G08.item_numerator}}"])
    book.save(workspace / "上报表.xlsx")
    document.add_paragraph("{{county_name}}：{{county.verdict}}")
    document.save(str(workspace / "报告.docx"))
    return workspace / "上报表.xlsx", workspace / "报告.docx"


@pytest.fixture(scope="module")
def annual(workbook, workspace, public):
    """Return the results of the annual report by edition; the internal one is made without the others."""
    results = workspace / "internal" / ANNUAL
    with quick_files():
        _, cells = run_notebook(ANNUAL, data_path=str(workbook), results_dir=str(results), plan=PLAN)
    return {"internal": results, "public": public.placement.path / "results" / ANNUAL, "cells": cells}


@pytest.fixture(scope="module")
def hidden(workbook, forms):
    """Return the run with pseudonyms and everything that can be asked for but a browser."""
    with notebooks_in_this_process():
        return run_report(
            {"data_path": str(workbook), "school_names": "pseudonym"},
            outputs=Outputs(docx=True, schools=True, forms=forms),
            only=(ANNUAL,),
        )


@pytest.fixture(scope="module")
def public(workbook):
    """Return the public run in English whose second notebook failed, asked for pages of schools too."""
    with notebooks_in_this_process(failing=(VARIATION,)):
        return run_report(
            {"data_path": str(workbook), "edition": "public", "language": "en", "plan": PLAN},
            outputs=Outputs(schools=True),
            only=("02", "07"),
        )


def texts_of(folder):
    """Return the text of every file, with the parts of workbooks and documents."""
    found = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder).as_posix()
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                for part in archive.namelist():
                    found[f"{name}/{part}"] = archive.read(part).decode("utf-8", "replace")
        elif path.suffix != ".png":
            found[name] = path.read_text(encoding="utf-8")
    return found


def findings_of(outcome, notebook=ANNUAL):
    path = outcome.placement.path / "results" / notebook / "findings.json"
    return json.loads(path.read_text(encoding="utf-8"))["findings"]


@pytest.mark.slow
def test_everything_asked_for_is_there(hidden):
    folder = hidden.placement.path
    assert (hidden.failures, hidden.notices) == ((), ())
    assert {path.name for path in folder.iterdir()} == {
        f"{ANNUAL}.html", f"{ANNUAL}.docx", "index.html", "schools", "forms", "results",
        "run.json", "run-log.json",
    }  # fmt: skip
    assert len(list((folder / "schools").glob("*.html"))) == len(NAMES) + 1
    assert docx.Document(str(folder / f"{ANNUAL}.docx")).tables


@pytest.mark.slow
def test_chapters_not_asked_for_are_one_line_each(hidden):
    record = json.loads((hidden.placement.path / "run.json").read_text(encoding="utf-8"))
    assert [(each["notebook"], each["status"]) for each in record["notebooks"]] == [
        ("01_data_quality", "not_run"), (VARIATION, "not_run"), ("03_group_schooling", "not_run"),
        ("04_teacher_rotation", "not_run"), (ANNUAL, "done"),
    ]  # fmt: skip
    page = (hidden.placement.path / f"{ANNUAL}.html").read_text(encoding="utf-8")
    assert "01_data_quality.html" not in page
    assert f"{VARIATION}.html" not in page
    assert page.count('class="remark notice"') >= 4


@pytest.mark.slow
def test_forms_are_filled_with_the_numbers_of_the_report(hidden, forms):
    folder = hidden.placement.path / "forms"
    row = [cell.value for cell in openpyxl.load_workbook(folder / "上报表.xlsx").worksheets[0][1]]
    assert row == ["县", "测试县", "G08", 95]
    text = docx.Document(str(folder / "报告.docx")).paragraphs[0].text
    assert text.startswith("测试县：")
    assert "{{" not in text
    assert openpyxl.load_workbook(forms[0]).worksheets[0]["B1"].value == "{{county_name}}"


@pytest.mark.slow
def test_no_name_or_code_of_a_school_is_in_any_file_under_pseudonyms(hidden):
    names = [*NAMES.values(), TOWN, TOWN.removesuffix("镇"), *map(code_of, NAMES)]
    texts = texts_of(hidden.placement.path)
    assert [(file, name) for file, text in texts.items() for name in names if name in text] == []
    assert any("学校" in text for text in texts.values())


@pytest.mark.slow
def test_the_key_to_the_pseudonyms_lies_beside_the_report(hidden):
    path = hidden.placement.path
    restricted = path.parent / "restricted" / path.name
    texts = texts_of(restricted)
    assert all(any(name in text for text in texts.values()) for name in NAMES.values())


def test_errors_are_told_with_the_names_that_the_office_knows(workspace):
    county = small_county((2025, 3, "enrolment_primary", -5))
    workbook = write_county(county, workspace / "with-error.xlsx")
    with pytest.raises(DataError) as refused:
        run_report({"data_path": str(workbook), "school_names": "pseudonym"}, only=("07",))
    told = " ".join(
        " ".join((problem.school, *(value for _, value in problem.values)))
        for problem in refused.value.problems
    )
    assert NAMES[3] in told


def test_a_ledger_is_refused_under_pseudonyms(workbook, workspace):
    (workspace / "ledger.xlsx").write_bytes(b"")
    given = {"data_path": str(workbook), "school_names": "pseudonym", "ledger_path": "ledger.xlsx"}
    with pytest.raises(ParameterError, match="--ledger"):
        run_report(given, only=("07",))


def test_the_public_edition_has_no_ledger_and_no_page_of_a_school(public):
    folder = public.placement.path
    assert list(folder.rglob("rectification_ledger.xlsx")) == []
    assert not (folder / "schools").exists()
    assert len(public.notices) == 1


def test_no_finding_of_the_public_edition_names_a_school(public):
    found = findings_of(public)
    assert len(found) > 3
    told = " ".join(each["zh"] + each["en"] for each in found)
    assert [name for name in NAMES.values() if name in told] == []


def test_a_failed_chapter_is_lines_in_the_annual_report(public):
    (failure,) = public.failures
    assert "试错" in failure.zh
    page = (public.placement.path / f"{ANNUAL}.html").read_text(encoding="utf-8")
    assert page.count("试错") > 15
    assert f"{VARIATION}.html" not in page


def test_what_cannot_be_made_leaves_the_rest_of_the_report(workbook, forms, workspace):
    (workspace / "坏.xlsx").write_bytes(b"no workbook")
    with notebooks_in_this_process(failing=(ANNUAL,)):
        outcome = run_report(
            {"data_path": str(workbook)},
            outputs=Outputs(docx=True, forms=(workspace / "坏.xlsx",)),
            only=("07",),
        )
    assert len(outcome.notices) == 2
    assert len(outcome.failures) == 1
    assert (outcome.placement.path / "index.html").exists()


def table_file(annual, edition, key):
    """Return the file of a table; that of the internal edition where the public one lists no rows."""
    return annual["internal" if key in INTERNAL_TABLES else edition] / f"{key}.csv"


def key_findings(annual, edition):
    return json.loads((annual[edition] / "findings.json").read_text(encoding="utf-8"))["findings"]


@pytest.mark.parametrize("edition", ["internal", "public"])
def test_every_number_of_the_key_findings_stands_in_the_table_and_the_place_it_names(annual, edition):
    found = key_findings(annual, edition)
    assert len(found) > 4
    assert astray(found, partial(table_file, annual, edition)) == []


@pytest.mark.parametrize("edition", ["internal", "public"])
def test_the_key_findings_print_no_number_but_those(annual, rules, edition):
    assert untold(key_findings(annual, edition), partial(table_file, annual, edition), **rules) == []


PARTS = ("item", "gap", "ledger", "target", "change", "programme")


@pytest.fixture(scope="module")
def rules():
    """Return what sentences may print beside numbers of tables."""
    standard = load_standard("national_2017")
    return {
        "rules": rule_constants(standard),
        "names": names_with_numbers(standard),
        "years": (2024, 2025),
    }


@pytest.mark.parametrize("part", PARTS)
def test_every_number_of_the_other_findings_stands_in_the_place_it_names(annual, part):
    assert astray(annual["cells"][f"{part}_findings"], partial(table_file, annual, "internal")) == []


@pytest.mark.parametrize("part", PARTS)
def test_the_other_findings_print_no_number_but_those_and_constants_of_rules(annual, rules, part):
    told = annual["cells"][f"{part}_findings"]
    assert untold(told, partial(table_file, annual, "internal"), **rules) == []


@pytest.mark.parametrize("edition", ["internal", pytest.param("public", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [QUALITY, VARIATION])
def test_every_number_of_the_chapters_stands_in_the_place_it_names(workbook, workspace, rules, name, edition):
    """The tables of the internal edition hold what the public one does not list."""
    folders = {of: workspace / f"{name}-{of}" for of in dict.fromkeys((edition, "internal"))}
    with quick_files():
        for of, folder in folders.items():
            run_notebook(name, data_path=str(workbook), results_dir=str(folder), edition=of)
    found = json.loads((folders[edition] / "findings.json").read_text(encoding="utf-8"))["findings"]
    table = partial(table_file, folders, edition)
    assert len(found) > 3
    assert astray(found, table) == []
    assert untold(found, table, **rules) == []


def test_a_number_that_is_changed_by_one_digit_is_noticed(annual):
    """Every number of the key findings is changed, in the file and in the sentence."""
    table = partial(table_file, annual, "internal")
    for finding in key_findings(annual, "internal"):
        for number in finding["numbers"]:
            changed = {**number, "value": (number["value"] or 0) * (1 + 1e-9) + 1e-9}
            assert astray([{**finding, "numbers": [changed]}], table) == [
                (finding["id"], number["name"], changed["value"], number["table"])
            ]
        for language in ("zh", "en"):
            sentence = finding[language]
            for printed in quantities(sentence):
                other = f"9{printed.group()}"
                told = sentence[: printed.start()] + other + sentence[printed.end() :]
                assert untold([{**finding, language: told}], table) == [(finding["id"], language, other)]


def test_both_editions_say_the_same_numbers_and_the_public_one_names_no_school(annual):
    internal, public = (
        {
            finding["id"]: finding
            for finding in json.loads((annual[edition] / "findings.json").read_text(encoding="utf-8"))[
                "findings"
            ]
        }
        for edition in ("internal", "public")
    )
    assert {key: each["numbers"] for key, each in public.items()} == {
        key: internal[key]["numbers"] for key in public
    }
    told = " ".join(each["zh"] + each["en"] for each in public.values())
    assert [name for name in NAMES.values() if name in told] == []


def test_forms_that_are_absent_or_overwrite_each_other_are_refused_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match="not there"):
        require_forms((tmp_path / "none.xlsx",))
    (tmp_path / "other").mkdir()
    twice = (tmp_path / "form.xlsx", tmp_path / "other" / "form.xlsx")
    for form in twice:
        form.touch()
    with pytest.raises(InputError, match=r"the same name: form\.xlsx"):
        require_forms(twice)
    require_forms(twice[:1])
