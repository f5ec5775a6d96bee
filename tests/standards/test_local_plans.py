"""The five local plans: every number of the plans, typed from the documents."""

import pytest

from toolkit.standards import load_standard

# id, comparator, limits (shares where the plan prints percent), stage, tested on, deadline, kind
PLANS = {
    "meizhou": [
        ("MZ-01", ">=", (0.96,), "both_stages", "city", "2025", "target"),
        ("MZ-02", ">=", (1,), "both_stages", "city", "2025", "target"),
        ("MZ-03", "==", (0,), "both_stages", "class", "2025", "target"),
        ("MZ-04", "<=", (2000,), "both_stages", "school", "none", "target"),
        ("MZ-05", "<=", (2500,), "combined_schools", "school", "none", "target"),
        ("MZ-06", ">=", (1,), "both_stages", "town", "none", "target"),
        ("MZ-07", ">=", (1,), "both_stages", "city", "none", "target"),
        ("MZ-08", ">=", (0.85,), "both_stages", "county", "2021-12-31", "target"),
        ("MZ-09", "nondecreasing", (0,), "both_stages", "county", "annual", "norm"),
        ("MZ-10", ">=", (0.98,), "both_stages", "city", "2021-12-31", "target"),
        # The plan prints the 5 pupils that make the one room a duty; see the test of the trigger below.
        ("MZ-11", ">=", (1,), "both_stages", "school", "none", "norm"),
        ("MZ-12", ">=", (2,), "both_stages", "county", "2021-12-31", "target"),
        ("MZ-13", ">=", (2,), "both_stages", "city", "2022-12-31", "target"),
        ("MZ-14", ">=", (1,), "both_stages", "student", "none", "norm"),
        ("MZ-15", "between", (1, 2), "both_stages", "student", "none", "norm"),
        ("MZ-16", ">=", (1,), "both_stages", "county", "none", "norm"),
        ("MZ-17", "nondecreasing", (0,), "all_stages", "county", "annual", "norm"),
        ("MZ-18", "nondecreasing", (0,), "all_stages", "county", "annual", "norm"),
        ("MZ-19", "==", (0,), "both_stages", "city", "none", "norm"),
        ("MZ-20", ">=", (1,), "both_stages", "city", "none", "norm"),
    ],
    "heping": [
        ("HP-01", "==", (1,), "both_stages", "county", "2022", "target"),
        ("HP-02", ">=", (3,), "both_stages", "county", "2022", "target"),
        ("HP-03", "<", (0.15,), "both_stages", "county", "2022", "target"),
        ("HP-04", "<=", (2000,), "both_stages", "school", "2022", "target"),
        ("HP-05", "<=", (2500,), "combined_schools", "school", "2022", "target"),
        ("HP-06", "<=", (45,), "primary", "class", "2022", "target"),
        ("HP-07", "<=", (50,), "junior", "class", "2022", "target"),
        ("HP-08", ">=", (136000,), "both_stages", "county", "2022", "input"),
        ("HP-09", ">=", (85000,), "both_stages", "county", "2022", "input"),
        ("HP-10", ">=", (20000,), "both_stages", "county", "2020", "input"),
        ("HP-11", ">=", (50000,), "both_stages", "county", "2021", "input"),
        ("HP-12", ">=", (15000,), "both_stages", "county", "2022", "input"),
        ("HP-13", ">=", (310000,), "both_stages", "county", "none", "input"),
        ("HP-14", ">=", (7.5,), "primary", "school", "none", "target"),
        ("HP-15", ">=", (10.2,), "junior", "school", "none", "target"),
        ("HP-16", "<=", (10,), "both_stages", "school", "none", "norm"),
        ("HP-17", ">=", (2000,), "primary", "school", "none", "target"),
        ("HP-18", ">=", (2500,), "junior", "school", "none", "target"),
        ("HP-19", "report", (10000000,), "both_stages", "county", "none", "input"),
        ("HP-20", ">=", (40000,), "both_stages", "county", "none", "input"),
        ("HP-21", ">=", (1,), "both_stages", "school", "none", "target"),
        ("HP-22", "==", (24000,), "both_stages", "teacher", "annual", "programme"),
        ("HP-23", ">=", (30,), "both_stages", "county", "2025", "target"),
        ("HP-24", ">=", (300,), "both_stages", "county", "2025", "target"),
        ("HP-25", ">=", (4,), "both_stages", "county", "annual", "target"),
        ("HP-26", ">=", (5,), "both_stages", "county", "2020", "target"),
        ("HP-27", ">=", (200,), "both_stages", "county", "none", "target"),
        ("HP-28", "nondecreasing", (0,), "all_stages", "county", "annual", "norm"),
        ("HP-29", "nondecreasing", (0,), "all_stages", "county", "annual", "norm"),
    ],
    "zhenjiang": [
        ("GN-01", "report", (1,), "both_stages", "county", "2024", "target"),
        ("GN-02", "report", (1,), "both_stages", "county", "2025", "target"),
        ("GN-03", ">=", (1,), "both_stages", "county", "2024-12-31", "target"),
        ("ZJ-01", ">=", (0.1,), "both_stages", "county", "none", "norm"),
        ("ZJ-02", ">=", (0.9,), "both_stages", "city", "2018", "target"),
        ("ZJ-03", ">=", (1,), "both_stages", "city", "2020", "target"),
        ("ZJ-04", "==", (0,), "both_stages", "class", "2018", "target"),
        ("ZJ-05", ">=", (1,), "both_stages", "city", "2020", "target"),
        ("ZJ-06", "<=", (0.05,), "both_stages", "school", "none", "norm"),
        ("ZJ-07", ">=", (1,), "both_stages", "city", "none", "target"),
        ("ZJ-08", ">=", (1,), "both_stages", "city", "none", "target"),
        ("ZJ-09", ">=", (450,), "both_stages", "teacher", "none", "norm"),
        ("ZJ-10", ">=", (1,), "both_stages", "county", "2018", "target"),
        ("ZJ-11", ">=", (100,), "both_stages", "city", "none", "target"),
        ("ZJ-12", ">=", (2,), "both_stages", "teacher", "none", "norm"),
        ("ZJ-13", ">=", (100,), "both_stages", "city", "annual", "target"),
        ("ZJ-14", ">=", (0.6,), "primary", "city", "2020", "target"),
        ("ZJ-15", ">=", (0.8,), "junior", "city", "2020", "target"),
        ("ZJ-16", ">=", (1,), "both_stages", "county", "none", "norm"),
        ("ZJ-17", "<=", (0.5,), "both_stages", "project", "none", "norm"),
        ("ZJ-18", ">=", (1,), "both_stages", "student", "none", "norm"),
        ("ZJ-19", ">", (0,), "both_stages", "county", "annual", "norm"),
    ],
    "puyang": [
        ("PY-01", ">=", (2,), "both_stages", "city", "2025", "target"),
        ("PY-02", ">=", (1,), "both_stages", "city", "2030", "target"),
        ("PY-03", "report", (0.012,), "both_stages", "city", "none", "baseline"),
        ("PY-04", "==", (0,), "both_stages", "city", "none", "baseline"),
        ("PY-05", "report", (50,), "both_stages", "city", "none", "baseline"),
        ("PY-06", "report", (150,), "both_stages", "city", "none", "baseline"),
        ("PY-07", "report", (7658000000,), "both_stages", "city", "none", "baseline"),
        ("PY-08", "report", (88,), "both_stages", "city", "none", "baseline"),
        ("PY-09", "report", (770,), "both_stages", "city", "none", "baseline"),
        ("PY-10", "report", (201000,), "both_stages", "city", "none", "baseline"),
        ("PY-11", "report", (2257300,), "both_stages", "city", "none", "baseline"),
        ("PY-12", "report", (724700,), "both_stages", "city", "none", "baseline"),
        ("PY-13", "report", (6302900,), "both_stages", "city", "none", "baseline"),
        ("PY-14", "report", (383000000,), "both_stages", "city", "none", "baseline"),
        ("PY-15", "report", (33500,), "both_stages", "city", "none", "baseline"),
        ("PY-16", "report", (2647,), "both_stages", "city", "none", "baseline"),
        ("PY-17", "report", (4104,), "both_stages", "city", "none", "programme"),
        ("PY-18", "report", (638,), "primary", "city", "none", "programme"),
        ("PY-19", "report", (1170,), "both_stages", "city", "none", "baseline"),
        ("PY-20", "report", (2363,), "both_stages", "city", "none", "baseline"),
        ("PY-21", "report", (0.97,), "both_stages", "city", "none", "baseline"),
        ("PY-22", "report", (284000000,), "both_stages", "city", "none", "baseline"),
    ],
    "baoshan": [
        ("BS-01", "<=", (20.7,), "primary", "school", "none", "norm"),
        ("BS-02", "<=", (18.4,), "primary", "school", "none", "norm"),
        ("BS-03", "between", (3, 3.1), "primary", "school", "none", "norm"),
        ("BS-04", "<=", (17.6,), "junior", "school", "none", "norm"),
        ("BS-05", "between", (4.1, 4.3), "junior", "school", "none", "norm"),
        ("BS-06", ">=", (1,), "primary", "school", "2019", "target"),
        ("BS-07", ">=", (0.05,), "junior", "school", "2019", "target"),
        ("BS-08", "==", (3,), "primary", "teacher", "none", "programme"),
        ("BS-09", ">=", (23500,), "primary", "school", "annual", "norm"),
        ("BS-10", ">=", (29000,), "junior", "school", "annual", "norm"),
        ("BS-11", "<=", (2000,), "both_stages", "school", "none", "target"),
        ("BS-12", "<=", (2500,), "combined_schools", "school", "none", "target"),
        ("BS-13", "<=", (45,), "primary", "class", "none", "target"),
        ("BS-14", "<=", (50,), "junior", "class", "none", "target"),
        ("BS-15", "report", (10,), "junior", "county", "none", "programme"),
        ("BS-16", ">=", (3,), "junior", "school", "none", "programme"),
        ("BS-17", "report", (4,), "both_stages", "county", "none", "programme"),
        ("BS-18", "report", (3,), "both_stages", "county", "none", "programme"),
        ("BS-19", "between", (1, 2), "both_stages", "project", "annual", "programme"),
        ("BS-20", "between", (1, 2), "both_stages", "project", "annual", "programme"),
        ("BS-21", ">=", (1000,), "both_stages", "school", "none", "target"),
    ],
}

ROWS = [(plan, *row) for plan, rows in PLANS.items() for row in rows]
LOADED = {plan: load_standard(plan) for plan in PLANS}
COUNTS = {"meizhou": 20, "heping": 29, "zhenjiang": 22, "puyang": 22, "baoshan": 21}


@pytest.mark.parametrize("plan", COUNTS)
def test_every_number_of_the_plan_is_there(plan):
    targets = LOADED[plan].targets
    assert len(targets) == COUNTS[plan]
    assert {target.id for target in targets} == {row[0] for row in PLANS[plan]}


@pytest.mark.parametrize(
    ("plan", "number", "comparator", "limits", "stage", "tested_on", "deadline", "kind"), ROWS
)
def test_target_is_as_the_plan_prints_it(plan, number, comparator, limits, stage, tested_on, deadline, kind):
    target = LOADED[plan].target(number)
    assert target.comparator == comparator
    assert target.limits == pytest.approx(limits, rel=1e-12)
    found = (target.stage, target.tested_on, target.deadline, target.kind)
    assert found == (stage, tested_on, deadline, kind)


def test_room_for_special_needs_is_due_from_five_pupils_with_disabilities():
    target = LOADED["meizhou"].target("MZ-11")
    ((condition,),) = target.applies_to
    assert condition.numerator[0].column == "students_with_disabilities"
    assert (condition.comparator, condition.against) == (">=", (5,))


@pytest.mark.parametrize("plan", COUNTS)
def test_every_target_quotes_the_plan_and_is_measured_or_says_what_it_needs(plan):
    for target in LOADED[plan].targets:
        assert target.quotation
        assert target.name.zh
        assert target.name.en
        assert bool(target.needs.zh) == bool(target.needs.en)
        assert sum([bool(target.reference), bool(target.formula), bool(target.needs.zh)]) == 1


@pytest.mark.parametrize(
    ("plan", "number", "reference"),
    [
        ("meizhou", "MZ-04", "G04a"),
        ("meizhou", "MZ-10", "Q2"),
        ("meizhou", "MZ-16", "G08"),
        ("heping", "HP-03", "Q9b"),
        ("heping", "HP-15", "R5"),
        ("heping", "HP-18", "R6"),
        ("baoshan", "BS-12", "G04b"),
        ("baoshan", "BS-14", "G05b"),
    ],
)
def test_target_is_measured_as_in_the_national_standard(plan, number, reference):
    assert LOADED[plan].base == "national_2017"
    assert LOADED[plan].target(number).reference == reference


@pytest.mark.parametrize(
    ("plan", "number", "mark"),
    [
        ("heping", "HP-13", "sports_gap_large"),
        ("baoshan", "BS-03", "tilde_lost"),
        ("baoshan", "BS-05", "tilde_lost"),
        ("zhenjiang", "GN-03", "generic_template"),
        ("puyang", "PY-03", "large_class_limits"),
    ],
)
def test_doubtful_number_carries_its_mark(plan, number, mark):
    loaded = LOADED[plan]
    assert mark in loaded.target(number).marks
    assert loaded.marks[mark].doubt.zh
    assert loaded.marks[mark].doubt.en


def test_plans_are_cited_by_document_and_period():
    baoshan = LOADED["baoshan"]
    assert (baoshan.document, baoshan.issued) == ("宝府〔2018〕150号", "2018-08-31")
    heping = LOADED["heping"]
    assert (heping.valid_from, heping.valid_to) == (2020, 2022)
    assert "镇政办发〔2016〕131号" in LOADED["zhenjiang"].related_documents


def test_rural_and_other_primary_schools_have_their_own_ratio():
    baoshan = LOADED["baoshan"]
    ((rural,),) = baoshan.target("BS-02").applies_to
    ((other,),) = baoshan.target("BS-01").applies_to
    assert rural.against == ("rural",)
    assert set(other.against) == {"urban", "town_area"}
