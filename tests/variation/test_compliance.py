"""Verdicts against an independent computation (`benchmarks/` repeats it on 1,000 counties)."""

import math

import numpy as np
import pytest

from tests.counties import make_county
from toolkit.errors import DesignError
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.standards import load_standard
from toolkit.variation.compliance import judge_resources

STANDARD = load_standard("national_2017")

# 教督〔2017〕6号, seven resource indicators: primary, junior.
MINIMA = {
    "R1": (4.2, 5.3),
    "R2": (1.0, 1.0),
    "R3": (0.9, 0.9),
    "R4": (4.5, 5.8),
    "R5": (7.5, 10.2),
    "R6": (2000, 2500),
    "R7": (2.3, 2.4),
}
LIMITS = (0.50, 0.45)
STAGES = ("primary", "junior")
TYPES = {
    "primary_school": (1, 0, 0),
    "teaching_point": (1, 0, 0),
    "junior_secondary_school": (0, 1, 0),
    "nine_year_school": (1, 1, 0),
    "twelve_year_school": (1, 1, 1),
    "complete_secondary_school": (0, 1, 1),
    "special_education_school": (1, 1, 0),
}
STOCKS = (
    "teaching_area",
    "indoor_sports_area",
    "gymnasium_area",
    "sports_ground_area",
    "equipment_value",
    "multimedia_rooms",
)
STAFF = ("teachers_above_required_qualification", "backbone_teachers", "pe_teachers", "arts_teachers")


def simulated_school(rng: np.random.Generator, school_type: str, year: int, code: str) -> dict:
    """Return one school-year whose values lie on both sides of the minima, zeros included."""
    taught = TYPES[school_type]
    students = [int(rng.integers(30, 900)) if teaches else None for teaches in taught]
    weighted = sum(w * (p or 0) for w, p in zip((1, 1.1, 1.32), students, strict=True))
    row = {"school_id": code, "year": year}
    row |= {
        f"enrolment_{stage}": p for stage, p in zip(("primary", "junior", "senior"), students, strict=True)
    }
    level = rng.lognormal(0.25, 0.25)
    typical = {
        "teaching_area": 5.6,
        "indoor_sports_area": 0.4,
        "gymnasium_area": 1,
        "sports_ground_area": 8,
        "equipment_value": 2200,
        "multimedia_rooms": 0.025,
    }
    for stock in STOCKS:
        amount = typical[stock] * weighted * level * rng.lognormal(0, 0.2)
        row[stock] = 0 if rng.random() < 0.02 else round(amount)
    row["indoor_sports_area"] = min(row["indoor_sports_area"], row["teaching_area"])
    for stage, p in zip(STAGES, students, strict=False):
        if p is None:
            continue
        row[f"teachers_{stage}"] = math.ceil(p / 8)
        for stem, rate in zip(STAFF, (0.06, 0.013, 0.006, 0.007), strict=True):
            row[f"{stem}_{stage}"] = min(int(rng.poisson(rate * p * level)), row[f"teachers_{stage}"])
    return row


def school_values(row: dict, stage: int) -> dict[str, float]:
    """Return the seven values of one stage, by the formulas as printed."""
    a, b, c = (row.get(f"enrolment_{name}") or 0 for name in ("primary", "junior", "senior"))
    if stage == 0:
        share, own = a / (a + 1.1 * b + 1.32 * c), a
    elif a:
        share, own = 1.1 * b / (a + 1.1 * b + 1.32 * c), b
    else:
        share, own = b / (b + 1.2 * c), b
    count = {stem: row[f"{stem}_{STAGES[stage]}"] for stem in STAFF}
    return {
        "R1": 100 * count["teachers_above_required_qualification"] / own,
        "R2": 100 * count["backbone_teachers"] / own,
        "R3": 100 * (count["pe_teachers"] + count["arts_teachers"]) / own,
        "R4": (row["teaching_area"] - row["indoor_sports_area"]) * share / own,
        "R5": (row["sports_ground_area"] + row["gymnasium_area"] + row["indoor_sports_area"]) * share / own,
        "R6": row["equipment_value"] * share / own,
        "R7": 100 * row["multimedia_rooms"] * share / own,
    }


def passes(values: dict[str, float], stage: int) -> bool:
    """Say whether at least six of seven are met and the other one reaches 85 %."""
    ratio = [values[name] / minima[stage] for name, minima in MINIMA.items()]
    return sum(r >= 1 - 1e-12 for r in ratio) >= 6 and all(r >= 0.85 - 1e-12 for r in ratio)


def coefficient(values: list[float], students: list[float]) -> float:
    """Return S / Xbar with weights P_i / P_N."""
    total = sum(students)
    mean = sum(v * p for v, p in zip(values, students, strict=True)) / total
    variance = sum(p / total * (v - mean) ** 2 for v, p in zip(values, students, strict=True))
    return math.sqrt(variance) / mean


def in_scope(row: dict, school_type: str) -> bool:
    return school_type != "special_education_school" and not (
        school_type == "teaching_point" and row["enrolment_primary"] < 50
    )


def simulated_county(seed: int, n_years: int, n_schools: int, share_missing: float):
    """Return schools, rows, and the complete rows before cells were taken out."""
    rng = np.random.default_rng(seed)
    kinds = rng.choice(list(TYPES), n_schools, p=[0.42, 0.08, 0.2, 0.15, 0.03, 0.08, 0.04])
    schools = [
        {"school_id": str(i), "school_name": f"第{i}学校", "school_type": kind, "location": "urban"}
        for i, kind in enumerate(kinds)
    ]
    complete = [
        simulated_school(rng, kind, 2000 + year, str(i))
        for year in range(n_years)
        for i, kind in enumerate(kinds)
    ]
    gaps = []
    for row in complete:
        cells = [name for name in row if name not in ("school_id", "year") and row[name] is not None]
        cells = [name for name in cells if not name.startswith("enrolment")]
        gaps.append([str(name) for name in rng.choice(cells, 1)] if rng.random() < share_missing else [])
    given = [
        {name: None if name in missing else value for name, value in row.items()}
        for row, missing in zip(complete, gaps, strict=True)
    ]
    return schools, given, complete, gaps


def completions(row: dict, gap: list[str], stage: int):
    """Yield the school with its one missing cell on both sides of every value that can matter.

    Each indicator is linear in the cell, so its verdicts change only where it crosses a minimum or a floor.
    """
    for name in gap:
        least, top = (row["indoor_sports_area"] if name == "teaching_area" else 0.0), 1e9
        if name == "indoor_sports_area":
            top = row["teaching_area"]
        elif (
            name.endswith(STAGES) and not name.startswith("teachers_p") and not name.startswith("teachers_j")
        ):
            top = row[f"teachers_{name.rsplit('_', 1)[-1]}"]
        at_zero, at_one = (school_values(row | {name: cell}, stage) for cell in (0.0, 1.0))
        crossings = [
            (share * minima[stage] - at_zero[k]) / (at_one[k] - at_zero[k])
            for k, minima in MINIMA.items()
            for share in (0.85, 1)
            if at_one[k] != at_zero[k]
        ]
        turns = np.array([least, *(x for x in crossings if least < x < top), top])
        turns.sort()
        for cell in np.unique(np.concatenate([turns, (turns[1:] + turns[:-1]) / 2])):
            yield row | {name: float(cell)}


N_COUNTIES, N_YEARS = 2, 20


@pytest.mark.parametrize("seed", range(N_COUNTIES))
def test_agrees_with_plain_formulas_on_simulated_county_years(seed):
    schools, given, _, _ = simulated_county(seed, N_YEARS, 14, share_missing=0.0)
    kinds = {school["school_id"]: school["school_type"] for school in schools}
    resources = compute_resource_indicators(make_county(schools, given), STANDARD)
    for year in resources.years:
        compliance = judge_resources(resources, year=year)
        rows = [row for row in given if row["year"] == year and in_scope(row, kinds[row["school_id"]])]
        by_stage = {
            stage: [(row, school_values(row, stage)) for row in rows if TYPES[kinds[row["school_id"]]][stage]]
            for stage in (0, 1)
        }
        expected_verdicts = {
            (row["school_id"], STAGES[stage]): "pass" if passes(values, stage) else "fail"
            for stage, units in by_stage.items()
            for row, values in units
        }
        found = compliance.schools.set_index(["school_id", "stage"])["verdict"].to_dict()
        assert found == expected_verdicts
        for stage, units in by_stage.items():
            students = [row[f"enrolment_{STAGES[stage]}"] for row, _ in units]
            if not units:
                continue
            table = compliance.coefficients.query(f"stage == '{STAGES[stage]}'").set_index("indicator")
            for name in MINIMA:
                values = [unit[1][name] for unit in units]
                if sum(values) == 0:
                    continue
                expected = coefficient(values, students)
                assert table.loc[name, "coefficient"] == pytest.approx(expected, rel=1e-10, abs=1e-12)
                assert table.loc[name, "verdict"] == ("pass" if expected <= LIMITS[stage] else "fail")


@pytest.mark.parametrize("seed", range(3))
def test_decides_exactly_when_every_completion_of_a_missing_cell_agrees(seed):
    schools, given, complete, gaps = simulated_county(1000 + seed, 6, 14, share_missing=0.5)
    kinds = {school["school_id"]: school["school_type"] for school in schools}
    resources = compute_resource_indicators(make_county(schools, given), STANDARD)
    n_undecided = 0
    for year in resources.years:
        found = judge_resources(resources, year=year).schools.set_index(["school_id", "stage"])
        for row, whole, gap in zip(given, complete, gaps, strict=True):
            kind = kinds[row["school_id"]]
            if row["year"] != year or not in_scope(whole, kind):
                continue
            for stage in (0, 1):
                if not TYPES[kind][stage]:
                    continue
                outcomes = {
                    passes(school_values(filled, stage), stage) for filled in completions(whole, gap, stage)
                }
                outcomes |= {passes(school_values(whole, stage), stage)}
                expected = {(True,): "pass", (False,): "fail", (False, True): "undecided"}[
                    tuple(sorted(outcomes))
                ]
                judged = found.loc[(row["school_id"], STAGES[stage])]
                assert judged["verdict"] == expected, (row, gap, STAGES[stage])
                assert judged["deciding"] == (tuple(gap) if expected == "undecided" else ())
                n_undecided += expected == "undecided"
    assert n_undecided > 0


def verdict_of(row: dict, **changes) -> str:
    (verdict,) = verdicts_of([row | changes])
    return verdict


def verdicts_of(rows: list[dict]) -> list[str]:
    """Return the verdicts of schools that meet all minima but for the cells given, in one county."""
    base = {
        "year": 2025,
        "enrolment_primary": 100,
        "teachers_primary": 10,
        "teachers_above_required_qualification_primary": 5,
        "backbone_teachers_primary": 1,
        "pe_teachers_primary": 1,
        "arts_teachers_primary": 1,
        "teaching_area": 600,
        "indoor_sports_area": 0,
        "gymnasium_area": 0,
        "sports_ground_area": 900,
        "equipment_value": 300000,
        "multimedia_rooms": 3,
    }
    codes = [str(number) for number in range(len(rows))]
    county = make_county(
        [{"school_id": code, "school_name": code, "school_type": "primary_school"} for code in codes],
        [{"school_id": code} | base | row for code, row in zip(codes, rows, strict=True)],
    )
    compliance = judge_resources(compute_resource_indicators(county, STANDARD), year=2025)
    return compliance.schools.set_index("school_id").loc[codes, "verdict"].tolist()


def test_one_indicator_may_miss_by_up_to_fifteen_percent():
    assert verdict_of({}) == "pass"
    assert verdict_of({"equipment_value": 170_000}) == "pass"  # exactly 0.85
    assert verdict_of({"equipment_value": 169_999}) == "fail"
    assert verdict_of({"equipment_value": 199_000, "teaching_area": 449}) == "fail"  # two below


def test_a_missing_cell_that_moves_two_indicators_apart_is_judged_together():
    # Indoor sports rooms lower R4 and raise R5, so the two are settled together and not one by one.
    row = {"teaching_area": 450, "sports_ground_area": 750}
    every_size = [row | {"indoor_sports_area": rooms} for rooms in range(451)]
    assert set(verdicts_of(every_size)) == {"pass", "fail"}
    assert verdict_of(row, indoor_sports_area=None) == "undecided"
    # With the ground 50 m2 smaller R5 needs 50 m2 of rooms; R4 then misses, and the school passes in between.
    assert verdict_of(row | {"sports_ground_area": 700}, indoor_sports_area=None) == "undecided"
    # A ground so small that R5 reaches its floor only where R4 has fallen below its own: no rooms help.
    hopeless = {"sports_ground_area": 560}
    assert set(verdicts_of([size | hopeless for size in every_size])) == {"fail"}
    assert verdict_of(row | hopeless, indoor_sports_area=None) == "fail"


def test_a_county_passes_only_when_all_schools_and_all_coefficients_do():
    def row(code: str, stock: float) -> dict:
        return {
            "school_id": code,
            "year": 2025,
            "enrolment_primary": 100,
            "teachers_primary": 100,
            "teachers_above_required_qualification_primary": 5 * stock,
            "backbone_teachers_primary": 2 * stock,
            "pe_teachers_primary": 1 * stock,
            "arts_teachers_primary": 1 * stock,
            "teaching_area": 600 * stock,
            "indoor_sports_area": 0,
            "gymnasium_area": 0,
            "sports_ground_area": 900 * stock,
            "equipment_value": 300000 * stock,
            "multimedia_rooms": 3 * stock,
        }

    def overall(stocks: tuple[float, ...]) -> tuple[str, str]:
        schools = [
            {"school_id": str(i), "school_name": str(i), "school_type": "primary_school"}
            for i in range(len(stocks))
        ]
        county = make_county(schools, [row(str(i), stock) for i, stock in enumerate(stocks)])
        compliance = judge_resources(compute_resource_indicators(county, STANDARD), year=2025)
        return compliance.stages["coefficients"].item(), compliance.verdict

    assert overall((1, 2)) == ("pass", "pass")  # CV 1/3
    assert overall((1, 3)) == ("pass", "pass")  # CV exactly 0.5
    assert overall((1, 4)) == ("fail", "fail")  # CV 0.6, every school passes
    assert overall((1, 0.5)) == ("pass", "fail")


def test_flags_values_close_to_a_limit():
    def near(stock: float) -> bool:
        schools = [
            {"school_id": str(i), "school_name": str(i), "school_type": "primary_school"} for i in (1, 2)
        ]
        rows = [
            {"school_id": str(i), "year": 2025, "enrolment_primary": 100, "equipment_value": value}
            for i, value in ((1, 1), (2, stock))
        ]
        resources = compute_resource_indicators(make_county(schools, rows), STANDARD)
        return (
            judge_resources(resources, year=2025).coefficients.set_index("indicator").loc["R6", "near_limit"]
        )

    assert near(3.02)  # CV (3.02 - 1) / (3.02 + 1) = 0.5025
    assert not near(3.2)


def test_the_2012_standard_limits_the_mean_of_the_coefficients():
    # 重庆万州 初中, composite of eight printed coefficients: see test_published_composites.
    standard = load_standard("national_2012")
    county = make_county(
        [
            {
                "school_id": str(i),
                "school_name": str(i),
                "school_type": "primary_school",
                "ownership": "public",
            }
            for i in (1, 2)
        ],
        [
            {
                "school_id": str(i),
                "year": 2015,
                "enrolment_primary": 100,
                "teachers_primary": 5 * i,
                "teachers_above_required_qualification_primary": 4 * i,
                "teachers_intermediate_title_primary": 3 * i,
                "teaching_area": 400,
                "indoor_sports_area": 0,
                "gymnasium_area": 0,
                "sports_ground_area": 800,
                "equipment_value": 1000,
                "computers": 10,
                "books": 2000 * i,
            }
            for i in (1, 2)
        ],
    )
    compliance = judge_resources(compute_resource_indicators(county, standard), year=2015)
    last = compliance.coefficients.iloc[-1]
    assert last["indicator"] == "composite"
    assert last["coefficient"] == pytest.approx(4 * (1 / 3) / 8)
    assert last["verdict"] == "pass"
    assert set(compliance.coefficients["verdict"][:-1]) == {""}


def test_a_resource_that_no_school_has_leaves_its_coefficient_open():
    county = make_county(
        [{"school_id": str(i), "school_name": str(i), "school_type": "primary_school"} for i in (1, 2)],
        [{"school_id": str(i), "year": 2025, "enrolment_primary": 10, "multimedia_rooms": 0} for i in (1, 2)],
    )
    table = judge_resources(compute_resource_indicators(county, STANDARD), year=2025).coefficients
    row = table.set_index("indicator").loc["R7"]
    assert math.isnan(row["coefficient"])
    assert row["verdict"] == "undecided"


def test_a_year_without_schools_is_refused_with_the_years_that_have_them():
    county = make_county(
        [{"school_id": "1", "school_name": "甲校", "school_type": "primary_school"}],
        [{"school_id": "1", "year": 2025, "enrolment_primary": 10}],
    )
    with pytest.raises(DesignError, match="2025"):
        judge_resources(compute_resource_indicators(county, STANDARD), year=2019)


PUBLISHED_2012 = {
    # Tables of 安徽, 重庆 and 吉林: 用房, 运动, 仪器, 计算机, 图书, 师生比, 学历, 职称; composite as printed.
    "合肥庐阳 小学": ((0.881, 1.299, 0.977, 0.379, 0.170, 0.334, 0.286, 0.408), 0.592),
    "合肥庐阳 初中": ((0.353, 0.784, 0.146, 0.491, 0.037, 0.226, 0.223, 0.253), 0.314),
    "合肥蜀山 小学": ((0.711, 0.649, 0.472, 0.338, 0.235, 0.274, 0.260, 0.396), 0.417),
    "合肥蜀山 初中": ((0.505, 0.484, 0.325, 0.275, 0.199, 0.715, 0.421, 1.021), 0.493),
    "重庆万州 小学": ((0.437, 0.419, 0.255, 0.188, 0.171, 0.263, 0.263, 0.420), 0.302),
    "重庆黔江 小学": ((0.633, 0.891, 0.435, 0.328, 0.351, 0.391, 0.379, 0.541), 0.494),
    "长春南关 小学": ((0.393, 0.578, 0.372, 0.246, 0.208, 0.311, 0.311, 0.455), 0.359),
    "长春宽城 小学": ((0.251, 0.426, 0.267, 0.227, 0.127, 0.318, 0.302, 0.440), 0.295),
    "重庆万州 初中": ((0.381, 0.298, 0.264, 0.212, 0.207, 0.502, 0.445, 0.539), 0.356),
    "重庆黔江 初中": ((0.808, 0.445, 0.537, 0.472, 0.492, 0.243, 0.272, 0.265), 0.442),
}


@pytest.mark.parametrize("county_name", PUBLISHED_2012)
def test_reproduces_the_published_composites_of_2012(county_name):
    coefficients, composite = PUBLISHED_2012[county_name]
    stocks = (
        "teaching_area",
        "sports_ground_area",
        "equipment_value",
        "computers",
        "books",
        "teachers_primary",
        "teachers_above_required_qualification_primary",
        "teachers_intermediate_title_primary",
    )
    # Five equal schools, one with 1 + 2c and four with 1 - c/2 of the mean, have the coefficient c.
    rows = [
        {
            "school_id": str(i),
            "year": 2014,
            "enrolment_primary": 100,
            "indoor_sports_area": 0,
            "gymnasium_area": 0,
        }
        | {
            stock: 1000 * (1 + 2 * c if i == 0 else 1 - c / 2)
            for stock, c in zip(stocks, coefficients, strict=True)
        }
        for i in range(5)
    ]
    schools = [
        {"school_id": str(i), "school_name": str(i), "school_type": "primary_school", "ownership": "public"}
        for i in range(5)
    ]
    resources = compute_resource_indicators(make_county(schools, rows), load_standard("national_2012"))
    table = judge_resources(resources, year=2014).coefficients.set_index("indicator")
    assert table.loc["composite", "coefficient"] == pytest.approx(composite, abs=5.001e-4)
