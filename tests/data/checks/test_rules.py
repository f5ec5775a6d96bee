"""Each rule: a clean county, one thing spoilt, and the problem that must be found there."""

import pytest

ROW = {  # position of a school's row of 2025 in the clean county's school years
    "101": 12,
    "102": 13,
    "103": 14,
    "201": 15,
    "301": 16,
    "401": 17,
}


def years(code, **values):
    """Overwrite values of a school in 2025."""
    return lambda tables: tables["school_years"][ROW[code]].update(values)


def school(position, **values):
    return lambda tables: tables["schools"][position].update(values)


def add(table, *rows):
    return lambda tables: tables[table].extend(dict(row) for row in rows)


def together(*changes):
    def change(tables):
        for each in changes:
            each(tables)

    return change


def without_year(code, year):
    def change(tables):
        tables["school_years"] = [
            row for row in tables["school_years"] if (row["school_id"], row["year"]) != (code, year)
        ]

    return change


def copy_year_before(code):
    """Give a school in 2025 the numbers of 2024."""

    def change(tables):
        before = tables["school_years"][ROW[code] - 6]
        tables["school_years"][ROW[code]] = before | {"year": 2025}

    return change


def copy_school(source, target):
    def change(tables):
        tables["school_years"][ROW[target]] = tables["school_years"][ROW[source]] | {"school_id": target}

    return change


def scale(column, factor, *codes, year=None):
    def change(tables):
        for row in tables["school_years"]:
            if (not codes or row["school_id"] in codes) and year in (None, row["year"]):
                row[column] = row[column] * factor

    return change


def klass(code, size, year=2025, stage="primary", **values):
    return {"school_id": code, "year": year, "stage": stage, "class_size": size} | values


def band(name, count, code="103", stage="primary"):
    return {
        "school_id": code,
        "year": 2025,
        "stage": stage,
        "size_band": f"band_{name}",
        "class_count": count,
    }


def score(**values):
    base = {"student_id": "S1", "year": 2025, "grade": 6, "subject": "chinese", "test": "期末", "score": 80.0}
    return base | {"full_mark": 100.0, "school_id": "103"} | values


def teacher(number, **values):
    return {"teacher_id": f"R{number}", "year": 2025, "school_id": "103", "stage": "primary"} | values


def untitled(first, last):
    return [teacher(number) for number in range(first, last)]


def whole_grade(**values):
    return [score(student_id=f"S{number}") | values for number in range(13)]


CASES = [
    # what is spoilt; severity, code, table.column and school of the problem that must be found
    (
        years("101", backbone_teachers_primary=90),
        "error part_above_whole school_years.backbone_teachers_primary 红星小学",
    ),
    (
        years("102", indoor_sports_area=9e5),
        "error part_above_whole school_years.indoor_sports_area 育才小学",
    ),
    (
        years("102", staff_primary=1),
        "warning part_above_whole school_years.teachers_primary 育才小学",
    ),
    (
        lambda t: t["surveys"][0].update(questionnaires_returned=1001),
        "error part_above_whole surveys.questionnaires_returned ",
    ),
    (
        years("101", migrant_students=9000),
        "error part_above_enrolment school_years.migrant_students 红星小学",
    ),
    (
        lambda t: t["rotations"][0].update(rotation_end="2023-08-01"),
        "error ends_before_start rotations.rotation_end 育才小学",
    ),
    (school(0, closed=1980), "error ends_before_start schools.closed 红星小学"),
    (
        years("101", enrolment_junior=12),
        "error stage_not_of_type school_years.enrolment_junior 红星小学",
    ),
    (
        years("201", teachers_primary=3),
        "error stage_not_of_type school_years.teachers_primary 第一中学",
    ),
    (
        years("401", enrolment_senior=None),
        "warning stage_enrolment_missing school_years.enrolment_senior 县高级中学",
    ),
    (
        years("401", enrolment_senior=0),
        "notice stage_enrolment_zero school_years.enrolment_senior 县高级中学",
    ),
    (
        years("101", enrolment_grade_3=80),
        "warning grades_differ_from_stage school_years.enrolment_primary 红星小学",
    ),
    (
        years("101", new_entrants_primary=55),
        "warning entrants_differ_from_first_grade school_years.new_entrants_primary 红星小学",
    ),
    (
        years(
            "103",
            teachers_primary=0,
            teachers_above_required_qualification_primary=0,
            backbone_teachers_primary=0,
            pe_teachers_primary=0,
            arts_teachers_primary=0,
        ),
        "warning students_without_teachers school_years.teachers_primary 柳河教学点",
    ),
    (
        years("201", teachers_junior=510, staff_junior=510),
        "warning students_per_teacher_odd school_years.teachers_junior 第一中学",
    ),
    (
        years("103", pe_teachers_primary=3, arts_teachers_primary=3),
        "warning pe_arts_above_teachers school_years.arts_teachers_primary 柳河教学点",
    ),
    (
        years("301", backbone_teachers_total=7),
        "warning total_differs_from_stages school_years.backbone_teachers_total 实验学校",
    ),
    (
        years("401", pe_teachers_total=0),
        "warning total_differs_from_stages school_years.pe_teachers_total 县高级中学",
    ),
    (add("teachers", teacher(1)), "warning roll_differs school_years.teachers_primary 柳河教学点"),
    (
        add(
            "teachers",
            *(teacher(n) for n in range(3)),
            teacher(3, backbone_expiry="2025-08-31", backbone_title="county_backbone"),
        ),
        "notice backbone_title_expired teachers.backbone_expiry 柳河教学点",
    ),
    (
        together(
            years("103", backbone_teachers_primary=2),
            add("teachers", teacher(0, backbone_title="county_backbone"), *untitled(1, 4)),
        ),
        "warning backbone_above_titles school_years.backbone_teachers_primary 柳河教学点",
    ),
    (
        years("101", gymnasium_area=600.0, indoor_sports_area=600.0),
        "warning gymnasium_twice school_years.gymnasium_area 红星小学",
    ),
    (
        years("103", equipment_value=0.0),
        "warning equipment_without_value school_years.equipment_value 柳河教学点",
    ),
    (
        years("101", bandwidth_mbps=0.0),
        "warning network_without_bandwidth school_years.bandwidth_mbps 红星小学",
    ),
    (
        years("101", rented_sports_area=400.0),
        "warning rented_without_distance school_years.rented_sports_minutes 红星小学",
    ),
    (
        years("201", graduates_junior=180, grade7_enrolment_at_entry=170, transferred_in=5),
        "warning retention_above_one school_years.graduates_junior 第一中学",
    ),
    (
        scale("equipment_value", 1e-4, "103"),
        "warning stock_per_student_odd school_years.equipment_value 柳河教学点",
    ),
    (
        scale("teaching_area", 1.6, "201", year=2025),
        "warning change_without_students school_years.teaching_area 第一中学",
    ),
    (copy_year_before("102"), "warning row_copied school_years.year 育才小学"),
    (
        add("classes", {"school_id": "103", "year": 2025, "stage": "primary"}),
        "warning class_without_size classes.class_size 柳河教学点",
    ),
    (
        add("classes", klass("103", 60, class_id="一班")),
        "warning class_sizes_differ classes.class_size 柳河教学点",
    ),
    (
        add("classes", band("1_25", 1)),
        "warning class_bands_contradict classes.class_count 柳河教学点",
    ),
    (
        add("classes", klass("103", 34, class_id="一班"), klass("103", 34, class_id="二班")),
        "warning class_count_differs classes.class_count 柳河教学点",
    ),
    (
        together(add("classes", band("66_up", 1)), years("103", largest_class_size=40)),
        "warning largest_class_differs school_years.largest_class_size 柳河教学点",
    ),
    (without_year("102", 2024), "warning school_without_years schools.school_id 育才小学"),
    (school(1, closed=2024), "warning reports_after_closing school_years.year 育才小学"),
    (
        school(2, parent_school_id="777"),
        "warning parent_outside_register schools.parent_school_id 柳河教学点",
    ),
    (school(1, school_name="红星小学"), "warning same_name_in_town schools.school_name 红星小学"),
    (
        school(1, longitude=34.6, latitude=30.1),
        "warning position_outside schools.longitude 育才小学",
    ),
    (
        school(0, built_by_2016=True, opened=2018),
        "warning flag_contradicts_opening schools.built_by_2016 红星小学",
    ),
    (
        add(
            "school_links",
            {"from_school_id": "102", "to_school_id": "102", "link_date": "2024-08-01", "link_kind": "merge"},
        ),
        "warning link_to_itself school_links.to_school_id 育才小学",
    ),
    (
        add(
            "school_links",
            {
                "from_school_id": "101",
                "to_school_id": "102",
                "link_date": "2024-08-01",
                "link_kind": "split",
                "link_share": 0.7,
            },
            {
                "from_school_id": "101",
                "to_school_id": "103",
                "link_date": "2024-08-01",
                "link_kind": "split",
                "link_share": 0.6,
            },
        ),
        "warning link_shares_above_one school_links.link_share 红星小学",
    ),
    (
        add(
            "school_groups",
            {
                "school_id": "102",
                "stage": "primary",
                "programme": "group_schooling",
                "school_group": "育才集团",
                "role": "lead",
                "start_year": 2025,
            },
            {
                "school_id": "103",
                "stage": "primary",
                "programme": "group_schooling",
                "school_group": "育才集团",
                "role": "member",
                "start_year": 2025,
            },
        ),
        "warning memberships_overlap school_groups.start_year 育才小学",
    ),
    (
        lambda t: t["school_groups"].pop(0),
        "warning group_without_lead school_groups.role 育才小学",
    ),
    (
        lambda t: t["school_groups"].pop(1),
        "notice group_without_member school_groups.role 红星小学",
    ),
    (
        lambda t: t["school_groups"][1].update(stage="junior"),
        "warning member_stage_not_of_school school_groups.stage 育才小学",
    ),
    (
        add(
            "support",
            {
                "supporter_id": "103",
                "receiver_id": "103",
                "supporter_name": "柳河教学点",
                "support_start": "2024-09-01",
            },
        ),
        "warning support_of_itself support.receiver_id 柳河教学点",
    ),
    (
        lambda t: t["rotations"][0].update(receiving_school_id="101"),
        "warning rotation_to_itself rotations.receiving_school_id 红星小学",
    ),
    (
        lambda t: t["rotations"][0].update(rotation_end=None),
        "warning rotations_overlap rotations.rotation_start 柳河教学点",
    ),
    (
        add("scores", *whole_grade()[1:], score(student_id="S0", score=101.0)),
        "error score_above_full_mark scores.score 柳河教学点",
    ),
    (
        add("scores", *whole_grade()[1:], score(student_id="S0", score=-1.0)),
        "error score_negative scores.score 柳河教学点",
    ),
    (
        add("scores", *whole_grade()[1:], score(student_id="S0", absent=True)),
        "warning absent_with_score scores.score 柳河教学点",
    ),
    (
        add("scores", *whole_grade()[1:], score(student_id="S0", score=None)),
        "notice score_missing scores.score 柳河教学点",
    ),
    (
        add("scores", *whole_grade()[1:], score(student_id="S0", full_mark=120.0)),
        "warning full_marks_differ scores.full_mark 柳河教学点",
    ),
    (
        add("scores", *(score(student_id=f"P{number}") for number in range(20))),
        "warning coverage_odd scores.student_id 柳河教学点",
    ),
    (
        lambda t: t["county_years"][0].update(item_value=9000.0),
        "warning item_value_differs county_years.item_value ",
    ),
    (
        lambda t: t["county_years"][1].update(judge=None),
        "warning verdict_without_judge county_years.entered_verdict ",
    ),
    (lambda t: t["county_years"][1].update(item="X99"), "notice item_unknown county_years.item "),
]

# Some cases bring a roll of teachers, on which the teachers of the others are not.
EVERYWHERE = {"rotation_teacher_unknown"}
# What is spoilt may show in a second place as well.
CONSEQUENCES = {
    # The county's roll names titles, and in these cases none in force for the school's one.
    "backbone_title_expired": {"backbone_above_titles"},
    "roll_differs": {"backbone_above_titles"},
    "ends_before_start": {"reports_after_closing"},
    "stage_enrolment_missing": {"deciding_value_missing"},
    "stage_enrolment_zero": {"sharp_change"},
    "students_per_teacher_odd": {"sharp_change"},
}


def _apart(tables, prefix):
    """Give all codes and names of a county a prefix, so that counties can stand in one file."""
    return {
        table: [
            {
                key: f"{prefix}{value}" if value is not None and _is_identity(key) else value
                for key, value in row.items()
            }
            for row in rows
        ]
        for table, rows in tables.items()
    }


def _is_identity(key):
    return key.endswith(("_id", "_name")) or key in ("town", "school_group", "test")


@pytest.fixture(scope="module")
def problems_of_cases(new_county, check):
    """Check all spoilt counties in one go; return the problems of each case by its rows."""
    everything = {table: [] for table in new_county()}
    owner = {}
    for number, case in enumerate(CASES):
        tables = new_county()
        case[0](tables)
        for row in tables["school_years"]:
            # Otherwise each county would be a copy of the others.
            row["books"] = row.get("books", 0) + number
        for table, rows in _apart(tables, f"{number}-").items():
            first = len(everything[table]) + 2
            owner |= {(table, row): number for row in range(first, first + len(rows))}
            everything[table] += rows
    found = {number: [] for number in range(len(CASES))}
    for problem in check(everything):
        row = int("".join(filter(str.isdigit, problem.cell)))
        found[owner[problem.sheet, row]].append(problem)
    return found


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda n: f"{n}-{CASES[n][1].split()[1]}")
def test_finds_what_was_spoilt_and_nothing_else(problems_of_cases, number):
    severity, code, place, school = CASES[number][1].split(" ")
    table, column = place.split(".")
    problems = problems_of_cases[number]
    found = {(p.code, p.severity, p.table, p.column) for p in problems}
    assert (code, severity, table, column) in found
    assert {entry[0] for entry in found} - EVERYWHERE - CONSEQUENCES.get(code, set()) == {code}
    hit = next(p for p in problems if (p.code, p.column) == (code, column))
    assert hit.school == (f"{number}-{school}" if school else "")
    assert (hit.file, hit.sheet) == ("county.xlsx", table)


def test_sentences_are_complete_in_both_languages(problems_of_cases):
    problems = [problem for found in problems_of_cases.values() for problem in found]
    for language in ("zh", "en"):
        texts = [problem.message(language) + problem.remedy(language) for problem in problems]
        assert not any(mark in text for text in texts for mark in "{}@")


def test_a_declared_break_is_no_unknown_item(check, clean):
    clean["county_years"][1].update(item="break:R5")
    assert [problem for problem in check(clean) if problem.code == "item_unknown"] == []


def test_errors_come_first(check, new_county):
    tables = new_county()
    years("101", backbone_teachers_primary=90, multimedia_rooms=None, bandwidth_mbps=0.0)(tables)
    severities = [problem.severity for problem in check(tables)]
    assert severities == sorted(severities, key=["error", "warning", "notice"].index)


def test_finds_a_column_in_another_unit_throughout_the_county(check, new_county):
    tables = new_county()
    scale("equipment_value", 1e-4)(tables)
    problems = check(tables)
    assert {p.code for p in problems} == {"county_median_odd"}
    assert [dict(p.values)["year"] for p in problems] == ["2023", "2024", "2025"]


def test_finds_numbers_pasted_into_the_row_of_another_school(check, new_county):
    tables = new_county()
    copy_school("101", "102")(tables)
    copied = [p for p in check(tables) if p.code == "school_copied"]
    assert [(p.school, dict(p.values)["other"]) for p in copied] == [("育才小学", "红星小学")]


def test_compares_rotated_teachers_with_the_roll(check, new_county):
    tables = new_county()
    listed = [teacher(number) for number in range(4)]
    add("teachers", *listed)(tables)
    assert {p.code for p in check(tables)} == {"rotation_teacher_unknown"}
    tables["teachers"][0] |= {"teacher_id": "T1", "exemption": "临近退休"}
    assert {p.code for p in check(tables)} == {"rotation_teacher_exempt"}
    tables["teachers"][0] |= {"teacher_id": "T1", "exemption": None, "year": 2024, "backbone_title": None}
    tables["teachers"][1] |= {"backbone_title": "county_backbone"}
    tables["rotations"][1] |= {"backbone": True}
    assert "backbone_without_title" in {p.code for p in check(tables)}


def test_backbone_teachers_are_compared_with_titles_in_force_by_year(check, new_county):
    tables = new_county()
    for year in (2023, 2024, 2025):
        # One title in force, one that ended the day before the statistic date, one without a date.
        dates = (f"{year}-09-01", f"{year}-08-31", None)
        add(
            "teachers",
            *(
                teacher(f"{year}-{n}", year=year, backbone_title="city_backbone", backbone_expiry=date)
                for n, date in enumerate(dates)
            ),
            teacher(f"{year}-3", year=year),
        )(tables)
    codes = {"backbone_above_titles", "backbone_above_titles_earlier"}
    assert codes.isdisjoint({p.code for p in check(tables)})
    for row in tables["school_years"]:
        if row["school_id"] == "103":
            row["backbone_teachers_primary"] = 2
    assert codes.isdisjoint({p.code for p in check(tables)})
    for row in tables["school_years"]:
        if row["school_id"] == "103":
            row["backbone_teachers_primary"] = 3
    found = [p for p in check(tables) if p.code in codes]
    assert [(p.severity, p.school, dict(p.values)) for p in found] == [
        ("warning", "柳河教学点", {"reported": "3", "valid": "2"}),
        ("notice", "", {"years": "2023, 2024", "schools": "1", "reported": "6", "valid": "4"}),
    ]
    assert found[0].message("zh") == (
        "填报骨干教师3人，教师名册中称号在有效期内的2人；R2 按填报数计算，未扣除到期称号，请核实。"
    )


def test_a_roll_without_backbone_titles_tells_nothing_about_them(check, new_county):
    tables = new_county()
    add("teachers", *untitled(0, 4))(tables)
    assert {p.code for p in check(tables)} == {"rotation_teacher_unknown"}


def test_a_merger_explains_a_sharp_change(check, new_county):
    tables = new_county()
    years("103", teaching_area=900.0)(tables)
    assert [p.code for p in check(tables)] == ["sharp_change"]
    link = {"from_school_id": "102", "to_school_id": "103", "link_date": "2025-08-20", "link_kind": "split"}
    add("school_links", link)(tables)
    assert check(tables) == ()


def test_a_project_explains_new_premises(check, new_county):
    tables = new_county()
    years("103", teaching_area=900.0)(tables)
    add("projects", {"school_id": "103", "project_kind": "extension", "project_start": "2024-03-01"})(tables)
    assert check(tables) == ()


def test_the_register_entry_in_force_in_the_year_decides(check, new_county):
    tables = new_county()
    school(4, valid_from=2025)(tables)
    tables["schools"].append(
        {"school_id": "301", "school_name": "实验小学", "school_type": "primary_school", "valid_from": 2020}
    )
    problems = check(tables)
    assert {(p.code, p.cell[-1:], dict(p.values)["type"]) for p in problems} == {
        ("stage_not_of_type", "6", "@primary_school"),
        ("stage_not_of_type", "2", "@primary_school"),
    }
    assert {p.school for p in problems} == {"实验学校"}


def test_five_years_of_primary_school_are_understood(check, new_county):
    tables = new_county()
    for row in tables["school_years"]:
        if row["school_id"] == "301":
            row["enrolment_primary"] -= row["enrolment_grade_6"]
            row["enrolment_junior"] += row["enrolment_grade_6"]
            row["new_entrants_junior"] = row["enrolment_grade_6"]
            row["classes_junior"] += 1
    assert check(tables) == ()


def test_a_small_teaching_point_is_listed_once_with_its_years(check, new_county):
    tables = new_county()
    for row in tables["school_years"]:
        if row["school_id"] == "103":
            row |= {f"enrolment_grade_{grade}": 7.0 for grade in range(1, 7)}
            row |= {"enrolment_primary": 42.0, "new_entrants_primary": 7.0}
    problems = check(tables)
    assert [(p.code, dict(p.values)["years"]) for p in problems] == [
        ("teaching_point_small", "2023, 2024, 2025")
    ]


def test_few_pupils_are_missing_ones_unless_the_test_was_a_sample(check, new_county):
    tables = new_county()
    grade6 = {row["school_id"]: int(row.get("enrolment_grade_6", 0)) for row in tables["school_years"][12:]}
    for code in ("101", "102", "103", "301"):
        pupils = grade6[code] // (2 if code == "102" else 1)
        add("scores", *(score(student_id=f"{code}-{n}", school_id=code) for n in range(pupils)))(tables)
    assert [(p.code, p.school) for p in check(tables)] == [("coverage_odd", "育才小学")]
    tables["scores"] = [row for row in tables["scores"] if int(row["student_id"].split("-")[1]) < 5]
    assert check(tables) == ()


def test_a_new_school_may_grow(check, new_county):
    tables = new_county()
    tables["school_years"] = [
        row for row in tables["school_years"] if (row["school_id"], row["year"]) != ("201", 2023)
    ]
    tables["schools"][3]["opened"] = 2024
    young = next(row for row in tables["school_years"] if (row["school_id"], row["year"]) == ("201", 2024))
    third = {
        key: value // 3 for key, value in young.items() if key.startswith(("enrolment", "new_", "teachers"))
    }
    young |= third | {"enrolment_junior": sum(third[f"enrolment_grade_{grade}"] for grade in (7, 8, 9))}
    assert check(tables) == ()


def test_missing_values_are_counted_where_the_stage_is_taught(check, new_county):
    tables = new_county()
    for row in tables["school_years"]:
        row.pop("pe_teachers_junior", None)
    (problem,) = check(tables)
    assert (
        problem.message("en") == "“PE teachers, junior secondary” lacks 9 of 9 values: "
        "indicators of these schools may not be judged."
    )
