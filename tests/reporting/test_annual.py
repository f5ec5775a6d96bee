"""The annual report: cells that decide, and data or standards with little in them."""

import re

import openpyxl
import pandas as pd
import pytest

from tests.end_to_end.annual import (
    ANNUAL,
    NAMES,
    code_of,
    quick_files,
    run_notebook,
    small_county,
    study_of,
    with_table,
    write_county,
)
from toolkit.reporting.annual import analyse_year
from toolkit.reporting.item_findings import find_items
from toolkit.reporting.parameters import AnnualReport, DataQuality, printed_parameters
from toolkit.reporting.study import open_study
from toolkit.tables import items as item_tables
from toolkit.tables.item_evidence import tabulate_item_open
from toolkit.variation.item_readings import compare_item_readings

YEAR = 2025
OWN = """
title = { zh = "试用标准", en = "Trial standard" }
[split]
primary = 1.0
junior = 1.1
senior_in_complete_secondary_school = 1.2
senior_in_twelve_year_school = 1.32
[coefficients]
maximum = { primary = 0.5 }
[indicators.M1]
name = "equipment_value_per_student"
numerator = ["equipment_value"]
shared = true
minimum = { primary = 2000 }
"""
CELL = re.compile(r"\b([A-Z]{1,2}\d+)\b")

pytestmark = pytest.mark.usefixtures("workspace")


@pytest.fixture(scope="module")
def open_county(workspace):
    """Return a workbook with three empty cells: of a resource indicator, a school item, a county item."""
    county = small_county(
        # Sports area below the minimum: the school may miss no second indicator.
        (YEAR, 1, "sports_ground_area", 7000),
        (YEAR, 1, "multimedia_rooms", None),
        *((YEAR, number, "public_funds_budget", 1_000_000) for number in NAMES),
        *((YEAR, number, "training_funds", 60_000) for number in (1, 3)),
        county_years=[{"year": YEAR, "item": "G08", "item_numerator": 95, "item_denominator": None}],
    )
    return write_county(county, workspace / "open.xlsx")


def judged(path):
    """Return verdict on school 1, Q4 and G08, and the table of the cells that decide."""
    study = open_study(AnnualReport(data_path=str(path)))
    analysis = analyse_year(study)
    schools = analysis.compliance.schools.set_index("school_name")["verdict"]
    items = analysis.items.items.set_index("item")["verdict"]
    told = tabulate_item_open(analysis.verdict, study.reading, "zh").data
    return (schools[NAMES[1]], items["Q4"], items["G08"]), told


def test_cells_that_decide_are_named_with_their_address_and_filling_them_decides(open_county, workspace):
    verdicts, table = judged(open_county)
    assert verdicts == ("undecided", "undecided", "undecided")
    wanted = {
        "multimedia_rooms": ("多媒体", "资源配置"),
        "training_funds": ("培训", "Q4"),
        "item_denominator": ("分母", "G08"),
    }
    addresses = {
        name: next(
            address
            for column, address, row in zip(
                table["column"], table["address"], table["item_number"], strict=True
            )
            if word in column and row.startswith(wanted[name][1])
        )
        for name, (word, _) in wanted.items()
    }
    fillings = {
        "pass": {"multimedia_rooms": 25, "training_funds": 60_000, "item_denominator": 90},
        "fail": {"multimedia_rooms": 5, "training_funds": 100, "item_denominator": 100},
    }
    for expected, values in fillings.items():
        book = openpyxl.load_workbook(open_county)
        for name, value in values.items():
            sheet = next(sheet for sheet in book.worksheets if sheet.title in addresses[name])
            cell = sheet[CELL.findall(addresses[name])[-1]]
            assert cell.value is None
            cell.value = value
        book.save(workspace / f"{expected}.xlsx")
        verdicts, left = judged(workspace / f"{expected}.xlsx")
        assert verdicts == (expected, expected, expected)
        assert set(left["address"]).isdisjoint(addresses.values())


@pytest.mark.parametrize("standard", ["national_2012", "own"])
def test_a_standard_without_items_says_so_in_one_line(standard, workspace):
    path = workspace / "own.toml"
    path.write_text(OWN, encoding="utf-8")
    study = study_of(small_county(), standard=path if standard == "own" else standard)
    analysis = analyse_year(study)
    assert analysis.items.items.empty
    assert analysis.verdict.verdict == analysis.compliance.verdict
    for language, line in (("zh", "本标准无此部分。"), ("en", "This standard has no such part.")):
        for table in (
            item_tables.tabulate_government_items(analysis.items, language),
            item_tables.tabulate_quality_items(analysis.items, language),
            item_tables.tabulate_social_items(analysis.items, study.county, language),
        ):
            assert line in table._repr_html_()
    readings = compare_item_readings(study.county, analysis.items, study.readings)
    (finding,) = find_items(analysis.verdict, readings)
    assert (finding.kind, finding.status) == ("headline", analysis.compliance.verdict)
    parts = item_tables.tabulate_item_parts(analysis.verdict, "zh")
    assert list(parts.data["part"]) == ["资源配置", "全县"]
    assert "政府保障程度、教育质量、社会认可度" in parts.caption.notes[-1]


@pytest.mark.parametrize("standard", ["national_2012", "own.toml"])
def test_the_whole_notebook_runs_on_a_register_and_one_year(standard, workspace):
    (workspace / "own.toml").write_text(OWN, encoding="utf-8")
    path = write_county(small_county(), workspace / "thin.xlsx")
    with quick_files():
        notebook, names = run_notebook(ANNUAL, data_path=str(path), standard=standard)
    assert names["study"].year == YEAR
    assert sum(bool(cell.get("outputs")) for cell in notebook.cells) > 30


def test_switched_rules_stand_in_words_among_the_parameters_of_every_page():
    record = DataQuality(rules="visiting_teachers=off, Q1=retention_with_transfers", language="en")
    rows = dict(printed_parameters(record, "en"))
    (switched,) = [value for name, value in rows.items() if "travelling PE and arts teachers" in name]
    assert switched
    assert any(name.startswith("Q1") for name in rows)
    assert not any("=" in value and "visiting" in value for value in rows.values())


def test_a_problem_of_an_item_carries_the_name_that_the_school_had_in_the_year():
    county = small_county(
        (YEAR, 1, "training_funds", 0), (YEAR, 1, "public_funds_budget", 1_000_000)
    )  # fmt: skip
    schools = county.tables["schools"]
    old = schools[schools["school_id"] == code_of(1)]
    renamed = [
        old.assign(school_name=name, valid_from=year)
        for name, year in (("今名小学", YEAR), ("后名小学", YEAR + 1))
    ]
    # The entry without a year holds from the beginning, wherever it stands.
    register = pd.concat([*renamed, schools], ignore_index=True)
    ledger = analyse_year(study_of(with_table(county, "schools", register))).ledger
    assert [row.school_name for row in ledger.rows if row.item == "Q4" and row.school_id == code_of(1)] == [
        "今名小学"
    ]
