"""Two years of one county: the ledger that people edited in between, and what changed from run to run."""

import csv
from datetime import date

import openpyxl
import pandas as pd
import pytest

from tests.end_to_end.annual import (
    NAMES,
    VARIATION,
    code_of,
    small_county,
    study_of,
    with_parameters,
    with_table,
)
from tests.reporting.compared import make_run
from toolkit.data.schema import TABLES, conform
from toolkit.indicators.items import compute_items
from toolkit.planning.ledger import problem_id
from toolkit.reporting.annual import LEDGER_NAME, analyse_year, write_ledger
from toolkit.reporting.compare import compare_runs
from toolkit.reporting.ledger_reading import load_ledger
from toolkit.reporting.run_change import told
from toolkit.reporting.runfolder import place_run, scratch_folder
from toolkit.standards import load_standard
from toolkit.tables import items as item_tables
from toolkit.tables import targets as target_tables
from toolkit.variation.compliance import judge_resources
from toolkit.variation.county_verdict import judge_county
from toolkit.variation.item_readings import FLIP_COLUMNS, ItemReadings
from toolkit.variation.items import judge_items
from toolkit.variation.targets import judge_targets
from toolkit.vocabulary import label

pytestmark = pytest.mark.slow

FIRST, SECOND = 2024, 2025
NEW_NAME, NEW_NUMBER = "石桥实验小学", 9
ROOMS, GROUND, AREA, EQUIPMENT = (
    problem_id(code_of(school), indicator, "primary")
    for school, indicator in ((1, "R7"), (1, "R5"), (2, "R4"), (3, "R6"))
)
MOVED, NEW = (problem_id(code_of(NEW_NUMBER), indicator, "primary") for indicator in ("R6", "R7"))
HEADER_ROW = 2
NO_ITEM_READINGS = ItemReadings(pd.DataFrame(columns=FLIP_COLUMNS), pd.DataFrame(), ())


def county_of_first_year():
    """Return a county of which each school misses something."""
    return small_county(
        (FIRST, 1, "multimedia_rooms", 10),
        (FIRST, 1, "sports_ground_area", 7000),
        (FIRST, 2, "teaching_area", 3000),
        (FIRST, 3, "equipment_value", 1_000_000),
        years=(FIRST,),
        county_years=[{"year": FIRST, "item": "G08", "item_numerator": 95, "item_denominator": 100}],
    )


def county_of_second_year():
    """Return the county in which the second school has built, and the third has a new code and name."""
    county = small_county(
        (SECOND, 1, "multimedia_rooms", 12),
        (SECOND, 1, "sports_ground_area", 7000),
        (SECOND, 2, "sports_ground_area", 2000),
        (SECOND, 2, "converted_sports_area", 6000),
        (SECOND, NEW_NUMBER, "equipment_value", 1_500_000),
        (SECOND, NEW_NUMBER, "multimedia_rooms", 20),
        years=(SECOND,),
        names={1: NAMES[1], 2: NAMES[2], NEW_NUMBER: NEW_NAME},
        county_years=[{"year": SECOND, "item": "G08", "item_numerator": 101, "item_denominator": 100}],
        school_links=[
            {
                "from_school_id": code_of(3),
                "to_school_id": code_of(NEW_NUMBER),
                "link_date": pd.Timestamp(f"{SECOND}-07-01"),
                "link_kind": "rename",
            }
        ],
    )
    schools = county.tables["schools"].copy()
    schools["dense_urban"] = schools["school_id"] == code_of(2)
    return with_table(county, "schools", conform(schools, TABLES["schools"]))


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """Return the ledger of the first year as people edited it: filled in, reordered, with an own row."""
    folder = tmp_path_factory.mktemp("run")
    study = study_of(county_of_first_year(), year=FIRST)
    ledger = analyse_year(study).ledger
    assert [row.id for row in ledger.rows] == [AREA, GROUND, EQUIPMENT, ROOMS, "990100|G08|"]
    write_ledger(ledger, with_parameters(study, results_dir=str(folder)))
    path = folder / LEDGER_NAME
    book = openpyxl.load_workbook(path)
    sheet = book.worksheets[0]
    header = [cell.value for cell in sheet[HEADER_ROW]]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=HEADER_ROW + 1)]
    edits = {
        ROOMS: ("已销号", "增设多媒体教室", "王主任", "2025年6月30日"),
        GROUND: ("整改中", "扩建操场", "李校长", date(2025, 6, 30)),
        AREA: ("整改中", "新建教学楼", "张校长", date(2026, 6, 30)),
        EQUIPMENT: ("已完成", "购置设备", "赵校长", None),
        "990100|G08|": ("未启动", "补足差额", "财政局", None),
    }
    at = {
        name: header.index(label(f"ledger_{name}", "zh"))
        for name in ("id", "state", "measure", "person", "deadline", "school_name")
    }
    for row in rows:
        row += ["局长已阅"]
        for name, value in zip(list(at)[1:5], edits[row[at["id"]]], strict=True):
            row[at[name]] = value
    own = [None] * len(header) + [""]
    own[at["school_name"]], own[at["measure"]], own[at["person"]] = NAMES[2], "办理产权登记", "钱主任"
    sheet.delete_rows(HEADER_ROW + 1, len(rows))
    sheet.cell(HEADER_ROW, len(header) + 1, "局领导意见")
    for row in [own, *reversed(rows)]:
        sheet.append(row)
    book.save(path)
    return path


@pytest.fixture(scope="module")
def second(edited):
    """Return the study of the second year with the edited ledger, and what follows from both."""
    study = study_of(county_of_second_year(), year=SECOND, ledger_path=str(edited))
    content = edited.read_bytes()
    analysis = analyse_year(study)
    assert edited.read_bytes() == content
    return study, analysis


def test_states_carry_over_and_what_the_data_say_is_set_beside_them(second):
    rows = {row.id: row for row in second[1].ledger.rows}
    told = {
        name: (row.state, row.data_check, row.proposal, row.repeated, row.relapsed)
        for name, row in rows.items()
    }
    assert told == {
        "hand-1": ("not_started", "undecided", "", False, False),
        "990100|G08|": ("not_started", "pass", "close_out", False, False),
        MOVED: ("done", "fail", "still_unmet", True, False),
        AREA: ("in_progress", "pass", "close_out", False, False),
        ROOMS: ("not_started", "fail", "reopened", True, True),
        GROUND: ("in_progress", "fail", "overdue", True, False),
        NEW: ("not_started", "fail", "", False, False),
    }
    assert list(told) == ["hand-1", "990100|G08|", ROOMS, MOVED, GROUND, AREA, NEW]


def test_what_people_wrote_is_kept_with_the_history_of_the_year_before(second):
    rows = {row.id: row for row in second[1].ledger.rows}
    assert (rows[ROOMS].measure, rows[ROOMS].person, rows[ROOMS].deadline) == (
        "增设多媒体教室", "王主任", "2025-06-30",
    )  # fmt: skip
    assert (rows["hand-1"].school_name, rows["hand-1"].measure) == (NAMES[2], "办理产权登记")
    assert "2024" in rows[ROOMS].history
    assert "已销号" in rows[ROOMS].history
    assert {row.first_year for name, row in rows.items() if name != NEW} == {FIRST}
    assert rows[NEW].first_year == SECOND
    assert rows[AREA].extra == {"局领导意见": "局长已阅"}


def test_a_school_with_a_new_code_takes_its_problems_along(second):
    row = next(row for row in second[1].ledger.rows if row.id == MOVED)
    assert (row.school_name, row.school_change, row.person) == (NEW_NAME, "rename", "赵校长")
    assert NAMES[3] in row.history
    assert (row.value, row.limit, row.gap) == (1500, 2000, 500_000)


def test_a_different_report_never_takes_the_place_of_the_edited_ledger(edited, second, tmp_path):
    target = tmp_path / "990100-2025-0a"
    target.mkdir()
    kept = target / LEDGER_NAME
    kept.write_bytes(edited.read_bytes())
    study, analysis = second
    with scratch_folder(tmp_path, target.name) as scratch:
        write_ledger(analysis.ledger, with_parameters(study, results_dir=str(scratch)))
        placement = place_run(scratch, target)
    assert (placement.status, placement.path.name) == ("kept_beside", "990100-2025-0a-2")
    assert kept.read_bytes() == edited.read_bytes()
    assert [row.id for row in load_ledger(placement.path / LEDGER_NAME).rows] == [
        row.id for row in analysis.ledger.rows
    ]


def test_the_ledger_is_written_into_no_public_edition(second, tmp_path):
    study, analysis = second
    write_ledger(analysis.ledger, with_parameters(study, results_dir=str(tmp_path), edition="public"))
    assert list(tmp_path.iterdir()) == []


# Comparisons of runs. The file of each row and the columns that name it.
VERDICTS = {
    "stage_verdicts": ("stage", ("overall_verdict", "schools_verdict", "coefficients_verdict")),
    "coefficients": ("name", ("verdict",)),
    "school_verdicts": ("school_name", ("verdict",)),
    "item_parts": ("part", ("verdict",)),
    "item_overview": ("name", ("verdict",)),
    "targets": ("target_number", ("verdict",)),
}
PLAN = "heping"


def run_of(folder, county, *, year=SECOND, standard="national_2017", rules=""):
    """Leave the verdicts of a county as a run does."""
    study = study_of(county, year=year, standard=standard, rules=rules)
    values = compute_items(county, study.standard)
    items = judge_items(values, year=year)
    verdict = judge_county(judge_resources(study.resources, year=year), items)
    targets = judge_targets(county, load_standard(PLAN), resources=study.resources, items=values, year=year)
    tables = (
        item_tables.tabulate_item_parts(verdict, "zh"),
        item_tables.tabulate_item_overview(verdict, NO_ITEM_READINGS, "zh"),
        target_tables.tabulate_targets(targets, "zh"),
    )
    return make_run(folder, county, year=year, standard=standard, rules=rules, tables=tables)


def turned(one, other):
    """Return table and row of each verdict that differs, read from the files of both runs."""
    found = set()
    for key, (name, columns) in VERDICTS.items():
        old, new = (
            rows_by_name(folder / "results" / VARIATION / f"{key}.csv", name) for folder in (one, other)
        )
        found |= {
            (key, row)
            for row in old.keys() & new.keys()
            for column in columns
            if old[row][column] != new[row][column]
        }
    return found


def rows_by_name(path, name):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return {(row.get("stage", ""), row[name]): row for row in csv.DictReader(file)}


def explained(one, other):
    """Return the texts of the verdicts that the comparison names with a cause it knows."""
    changes = compare_runs(one, other).of("verdict")
    unknown = told("compare_cause_unknown")
    assert [change.subject.zh for change in changes if not change.causes or unknown in change.causes] == []
    return [change.subject.zh for change in changes]


def missing_from(comparison, verdicts):
    """Return the verdicts that no change speaks of; a stage is named by its word."""
    words = {"primary": "小学", "junior": "初中"}
    names = {words.get(name, name) for _, (_, name) in verdicts}
    return {name for name in names if not any(name in subject for subject in comparison)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def base(place):
    return run_of(place / "base", county_of_second_year())


def test_every_verdict_that_turned_from_year_to_year_is_named_with_its_cause(place, base):
    before = run_of(place / "first", county_of_first_year(), year=FIRST)
    verdicts = turned(before, base)
    assert {key for key, _ in verdicts} >= {"school_verdicts", "item_overview"}
    assert missing_from(explained(before, base), verdicts) == set()


def test_one_corrected_cell_explains_every_verdict_that_it_turned(place, base):
    county = county_of_second_year()
    years = county.tables["school_years"].copy()
    years.loc[years["school_id"] == code_of(1), "multimedia_rooms"] = 25
    after = run_of(place / "corrected", with_table(county, "school_years", years))
    verdicts = turned(base, after)
    assert ("school_verdicts", ("primary", NAMES[1])) in verdicts
    assert missing_from(explained(base, after), verdicts) == set()
    (school,) = [
        change for change in compare_runs(base, after).of("verdict") if change.subject.zh == NAMES[1]
    ]
    assert "1.20" in school.causes[0].zh
    assert "2.50" in school.causes[0].zh


def test_a_switched_rule_is_the_cause_that_is_named(place, base):
    after = run_of(place / "rule", county_of_second_year(), rules="converted_sports_area=off")
    verdicts = turned(base, after)
    assert ("school_verdicts", ("primary", NAMES[2])) in verdicts
    assert missing_from(explained(base, after), verdicts) == set()
    (school,) = [
        change for change in compare_runs(base, after).of("verdict") if change.subject.zh == NAMES[2]
    ]
    assert "converted_sports_area" in school.causes[0].en


def test_another_standard_is_the_cause_that_is_named(place, base):
    own = place / "own.toml"
    own.write_text(
        'extends = "national_2017"\ntitle = { zh = "试用", en = "Trial" }\n'
        "[indicators.R7]\nminimum = { primary = 1.1 }\n[items.G08]\nlimits = [1.05]\n",
        encoding="utf-8",
    )
    after = run_of(place / "other", county_of_second_year(), standard=str(own))
    verdicts = turned(base, after)
    assert ("school_verdicts", ("primary", NAMES[1])) in verdicts
    assert any(key == "item_overview" for key, _ in verdicts)
    assert missing_from(explained(base, after), verdicts) == set()
