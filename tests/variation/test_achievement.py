"""校际差异率 from scores: against slow formulas, against planted shares, and where it is refused."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.tests_of_pupils import drawn_marks, enrolment_of, make_tested_county, score_rows
from toolkit.data.county import County
from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES, conform
from toolkit.errors import DesignError
from toolkit.indicators.outcomes import compute_outcomes
from toolkit.share import share_path
from toolkit.standards import load_standard
from toolkit.variation.achievement import READINGS, estimate_achievement_readings
from toolkit.variation.achievement_trends import compute_achievement_trends
from toolkit.variation.class_shares import class_p_value, estimate_class_shares
from toolkit.variation.icc_reliability import compute_icc_reliability
from toolkit.variation.monitoring import compute_entered_monitoring, monitoring_limit
from toolkit.variation.school_means import (
    between_school_share_of_squares,
    cv_of_school_means,
    sd_of_school_means,
)
from toolkit.variation.shrunken_means import estimate_shrunken_means

STANDARD = load_standard("national_2017")
MARKS = {"a": [60.0, 70.0, 80.0], "b": [50.0, 90.0], "c": [88.0, 92.0, 96.0, 100.0]}
COMPARED = [*READINGS, "icc_low", "icc_high"]


def readings_of(scores, *, students=None, **options):
    county = make_tested_county(scores, enrolment=students or enrolment_of(scores), **options)
    outcomes = compute_outcomes(county, STANDARD)
    return outcomes, estimate_achievement_readings(outcomes, STANDARD)


def only(scores, **options):
    table = readings_of(scores, **options)[1].table
    assert len(table) == 1
    return table.iloc[0]


def each(**tests):
    """Return the readings of several tests of one county, each named by a subject."""
    scores = pd.concat([rows.assign(subject=subject) for subject, rows in tests.items()])
    students = dict.fromkeys(scores["school_id"].unique(), 1000.0)
    table = readings_of(scores, students=students)[1].table.set_index("subject")
    return table.loc[list(tests)]


def numbers(row, names):
    return row[names].to_numpy(dtype=float)


@pytest.fixture(scope="module")
def drawn():
    return drawn_marks(np.random.default_rng(5), [20, 35, 5, 40, 28, 12, 33, 19], icc=0.2)


@pytest.fixture(scope="module")
def demo():
    """The demonstration county with the tests of its last year, their outcomes and readings."""
    county = load_county(
        share_path("data", "demo_county.xlsx"), tables=("schools", "school_years", "county_years")
    ).county
    scores = pd.read_parquet(share_path("data", "demo_county", "scores.parquet")).query("year == 2025")
    tables = {**county.tables, "scores": conform(scores.reset_index(drop=True), TABLES["scores"])}
    county = County(county.county_id, county.name, tables)
    outcomes = compute_outcomes(county, STANDARD)
    return county, outcomes, estimate_achievement_readings(outcomes, STANDARD)


# Slow formulas


def test_readings_equal_the_sums_over_pupils():
    row = only(score_rows(MARKS))
    scores = [(school, mark) for school, marks in MARKS.items() for mark in marks]
    mean = sum(mark for _, mark in scores) / len(scores)
    means = {school: sum(marks) / len(marks) for school, marks in MARKS.items()}
    total = sum((mark - mean) ** 2 for _, mark in scores)
    between = sum((means[school] - mean) ** 2 for school, _ in scores)
    assert row["eta_squared"] == pytest.approx(between / total, rel=1e-10)
    assert row["mean_sd"] == pytest.approx((between / len(scores)) ** 0.5, rel=1e-10)
    assert row["mean_cv"] == pytest.approx((between / len(scores)) ** 0.5 / mean, rel=1e-10)
    assert row["mean"] == pytest.approx(mean)


def test_weights_count_a_pupil_as_often_as_they_say():
    weights = [3.0, 1.0, 2.0, 1.0, 1.0, 1.0]
    weighted = score_rows({"a": [60.0, 80.0], "b": [50.0, 90.0], "c": [70.0, 75.0]}).assign(weight=weights)
    repeated = score_rows({"a": [60.0, 60.0, 60.0, 80.0], "b": [50.0, 50.0, 90.0], "c": [70.0, 75.0]})
    found = each(chinese=weighted, mathematics=repeated.assign(weight=np.nan))
    one, other = found.iloc[0], found.iloc[1]
    for name in ("eta_squared", "mean_sd", "mean_cv", "mean"):
        assert one[name] == pytest.approx(other[name], rel=1e-10)
    assert np.isfinite(one["icc_weighted"])
    assert np.isnan(other["icc_weighted"])


def test_the_icc_of_equal_schools_is_that_of_the_analysis_of_variance():
    # Three schools of three: mean squares 84 between and 13 within by hand give (84 - 13) / (84 + 2 * 13).
    marks = {"a": [60.0, 66.0, 63.0], "b": [70.0, 74.0, 72.0], "c": [60.0, 70.0, 65.0]}
    values = np.array(list(marks.values()))
    between = 3 * values.mean(axis=1).var(ddof=1)
    within = values.var(axis=1, ddof=1).mean()
    expected = (between - within) / (between + 2 * within)
    assert only(score_rows(marks))["icc"] == pytest.approx(expected, rel=1e-6)


def test_plausible_values_are_read_one_by_one_and_averaged(drawn):
    rng = np.random.default_rng(9)
    values = {f"plausible_value_{at}": drawn["score"] + rng.standard_normal(len(drawn)) for at in (1, 2, 3)}
    blank = drawn.assign(score=np.nan, full_mark=np.nan)
    single = [blank.assign(score=own, linked_scale=True) for own in values.values()]
    found = each(chinese=blank.assign(**values), music=single[0], art=single[1], history=single[2])
    row, alone = found.iloc[0], [found.iloc[at] for at in (1, 2, 3)]
    assert row["eta_squared"] == pytest.approx(np.mean([one["eta_squared"] for one in alone]))
    assert min(one["icc"] for one in alone) <= row["icc"] <= max(one["icc"] for one in alone)
    assert row["icc_low"] < row["icc"] < row["icc_high"]
    assert np.isnan(row["mean_sd"])
    assert np.isnan(row["mean_cv"])


# Known truth


def test_the_share_drawn_between_schools_is_recovered():
    shares, rng = {"music": 0.0, "art": 0.1, "history": 0.3}, np.random.default_rng(11)
    found = each(**{subject: drawn_marks(rng, [30] * 200, icc=icc) for subject, icc in shares.items()})
    for (_, row), icc in zip(found.iterrows(), shares.values(), strict=True):
        # Large-sample standard error for 200 schools of 30 pupils.
        error = np.sqrt(2 * (1 - icc) ** 2 * (1 + 29 * icc) ** 2 / (30 * 29 * 199))
        assert row["icc"] == pytest.approx(icc, abs=4 * error)
        assert row["icc_low"] <= row["icc"] <= row["icc_high"]
        assert row["icc_high"] - row["icc_low"] == pytest.approx(4 * error, rel=0.6)


def test_the_share_of_squares_is_biased_up():
    # 40 schools of 10 pupils with a true share of 0.1. Expected sums of squares: between
    # 39 (10 x 0.1 + 0.9) = 74.1, within 360 x 0.9 = 324.
    rng = np.random.default_rng(3)
    found = []
    for _ in range(400):
        schools = np.sqrt(0.1) * rng.standard_normal((40, 1)) + np.sqrt(0.9) * rng.standard_normal((40, 10))
        sums = (np.full(40, 10.0), schools.mean(axis=1), 10 * schools.var(axis=1))
        found.append(between_school_share_of_squares(*sums))
    assert np.mean(found) == pytest.approx(74.1 / (74.1 + 324), abs=0.006)


def test_shares_of_classes_and_schools_are_recovered():
    rng = np.random.default_rng(21)
    scores = drawn_marks(rng, [80] * 60, icc=0.15, class_share=0.2, classes=4)
    outcomes, readings = readings_of(scores)
    shares = estimate_class_shares(outcomes, readings, year=2025).table.iloc[0]
    assert shares["school_share"] == pytest.approx(0.15, abs=0.13)
    assert shares["class_share"] == pytest.approx(0.2, abs=0.06)
    assert shares[["school_share", "class_share", "pupil_share"]].sum() == pytest.approx(1)
    assert shares["is_large"]
    assert (shares["n_classes"], shares["n_schools"], shares["n_pupils"]) == (240, 60, 4800)


def test_classes_that_do_not_differ_are_not_called_large():
    rng = np.random.default_rng(22)
    scores = drawn_marks(rng, [60] * 12, icc=0.15, classes=3)
    outcomes, readings = readings_of(scores)
    shares = estimate_class_shares(
        outcomes, readings, year=2025, large_share=0.0, significance=0.01
    ).table.iloc[0]
    assert shares["class_p_value"] > 0.01
    assert not shares["is_large"]


def test_the_f_test_of_classes_is_the_analysis_of_variance_within_schools():
    # One school: the F test of scipy between its classes; schools beside it add degrees of freedom.
    rng = np.random.default_rng(4)
    classes = [rng.normal(70, 10, size) for size in (8, 11, 9)]
    table = pd.DataFrame(
        {
            "school_id": "a",
            "n": [len(own) for own in classes],
            "mean": [own.mean() for own in classes],
            "within_ss": [own.var() * len(own) for own in classes],
        }
    )
    assert class_p_value(table) == pytest.approx(stats.f_oneway(*classes).pvalue, rel=1e-9)
    assert np.isnan(class_p_value(table.head(1)))


def test_the_demonstration_county_has_the_shares_planted_in_it(demo):
    table = demo[2].of_year(2025)
    planted = table["stage"].map({"primary": 0.10, "junior": 0.20})
    assert len(table) == 8
    # Teachers, years and programmes add a little to schools: the planted share is still in each interval.
    assert ((table["icc_low"] <= planted) & (planted <= table["icc_high"])).all()
    assert (table["estimand"] == "sample_test").all()


# What must not change anything


def test_neither_the_order_of_rows_nor_the_unit_of_marks_nor_other_tests_change_anything(drawn):
    found = each(
        chinese=drawn,
        mathematics=drawn.sample(frac=1, random_state=1),
        english=drawn.assign(score=1.5 * drawn["score"], full_mark=150.0),
        science=drawn.assign(school_id="9" + drawn["school_id"]),
        history=drawn.assign(score=drawn["score"].to_numpy()[::-1]),
    )
    alone = numbers(only(drawn), COMPARED)
    for subject in ("chinese", "mathematics", "english", "science"):
        assert numbers(found.loc[subject], COMPARED) == pytest.approx(alone, rel=1e-9)


def test_shares_do_not_change_when_a_linked_scale_is_moved_and_stretched(drawn):
    linked = drawn.assign(linked_scale=True, full_mark=np.nan)
    found = each(chinese=linked, mathematics=linked.assign(score=7 * linked["score"] + 300))
    names = ["icc", "icc_low", "icc_high", "eta_squared"]
    assert numbers(found.iloc[1], names) == pytest.approx(numbers(found.iloc[0], names), rel=1e-8)


def test_the_scores_given_are_not_modified(drawn):
    county = make_tested_county(drawn, enrolment=enrolment_of(drawn))
    before = county.tables["scores"].copy()
    outcomes = compute_outcomes(county, STANDARD)
    pupils = outcomes.pupils.copy()
    readings = estimate_achievement_readings(outcomes, STANDARD)
    estimate_shrunken_means(outcomes, readings, year=2025)
    pd.testing.assert_frame_equal(county.tables["scores"], before)
    pd.testing.assert_frame_equal(outcomes.pupils, pupils)


# Refusals


@pytest.mark.parametrize(
    "scale", ["linked_scale_test", "scale_without_full_mark", "several_full_marks", "letters_only"]
)
def test_the_coefficient_of_variation_is_refused_without_a_true_zero(scale):
    with pytest.raises(DesignError) as refused:
        cv_of_school_means([10, 20], [0.1, 0.2], scale=scale)
    assert refused.value.name == f"achievement_cv_{scale}"


@pytest.mark.parametrize("scale", ["linked_scale_test", "several_full_marks", "letters_only"])
def test_points_are_refused_on_a_scale_without_points(scale):
    with pytest.raises(DesignError) as refused:
        sd_of_school_means([10, 20], [0.1, 0.2], scale=scale)
    assert refused.value.name == f"achievement_points_{scale}"


def test_the_message_says_what_to_use_in_place_of_the_coefficient():
    with pytest.raises(DesignError, match="between-school variance share"):
        cv_of_school_means([10, 20], [-0.1, 0.2], scale="linked_scale_test")


def test_one_school_and_equal_scores_are_refused():
    with pytest.raises(DesignError, match="at least two"):
        between_school_share_of_squares([10], [70], [5])
    with pytest.raises(DesignError, match="All scores are equal"):
        between_school_share_of_squares([10, 10], [70, 70], [0, 0])


def test_a_test_that_cannot_be_read_says_why():
    cases = {
        "music": (score_rows({"a": [60.0, 70.0]}), "refused_one_school"),
        "art": (score_rows({"a": [60.0], "b": [70.0]}), "refused_one_pupil_each"),
        "science": (score_rows({"a": [70.1] * 7, "b": [70.1] * 4}), "refused_no_spread"),
        "english": (
            score_rows(MARKS).assign(full_mark=[100.0, 150.0] + [100.0] * 7),
            "refused_several_full_marks",
        ),
        "history": (score_rows(MARKS).assign(score=np.nan, grade_letter="B"), "refused_letters_only"),
        "biology": (score_rows(MARKS).assign(absent=True), "refused_no_scores"),
        # A school with one pupil is read with the others.
        "chinese": (score_rows({**MARKS, "d": [75.0]}), ""),
    }
    scores = pd.concat([rows.assign(subject=subject) for subject, (rows, _) in cases.items()])
    outcomes, readings = readings_of(scores, students=dict.fromkeys("abcd", 10.0))
    table = readings.table.set_index("subject")
    assert table["refusal"].to_dict() == {subject: refusal for subject, (_, refusal) in cases.items()}
    assert (table[list(READINGS)].isna().all(axis=1) == (table["refusal"] != "")).all()
    read = table.loc["chinese"]
    assert read["n_schools"] == 4
    assert 0 <= read["icc_low"] <= read["icc"] <= read["icc_high"] < 1
    # No pupil has a class id.
    assert estimate_class_shares(outcomes, readings, year=2025).table.empty


def test_a_county_without_scores_has_empty_results_everywhere():
    county = make_tested_county(score_rows({"a": [1.0]}), enrolment={"a": 1})
    tables = {name: table for name, table in county.tables.items() if name != "scores"}
    bare = type(county)(county.county_id, county.name, tables)
    outcomes = compute_outcomes(bare, STANDARD)
    readings = estimate_achievement_readings(outcomes, STANDARD)
    assert readings.table.empty
    assert compute_achievement_trends(readings, last_year=2025).trends.empty
    assert estimate_class_shares(outcomes, readings, year=2025).table.empty
    assert compute_icc_reliability(readings, year=2025).table.empty
    assert estimate_shrunken_means(outcomes, readings, year=2025).table.empty
    assert compute_entered_monitoring(bare, STANDARD, year=2025).table.empty


# Years, precision, schools, monitoring


def test_a_full_examination_and_a_sample_are_never_one_series(drawn):
    years = [drawn.assign(year=pd.array([year] * len(drawn), dtype="Int64")) for year in range(2020, 2026)]
    part = years[-1].groupby("school_id").head(4)
    scores = pd.concat([*years[:-1], part])
    _, readings = readings_of(scores, students=enrolment_of(drawn), years=tuple(range(2020, 2026)))
    trends = compute_achievement_trends(readings, last_year=2025).trends.set_index("estimand")
    assert trends["n_points"].to_dict() == {"census_test": 5, "sample_test": 1}
    # The same scores every year: no slope, and the intervals meet.
    assert trends.loc["census_test", "slope"] == pytest.approx(0, abs=1e-12)
    assert trends.loc["census_test", "intervals_meet"]
    assert np.isnan(trends.loc["sample_test", "slope"])


def test_years_after_the_report_are_left_out(drawn):
    years = [drawn.assign(year=pd.array([year] * len(drawn), dtype="Int64")) for year in (2024, 2025)]
    _, readings = readings_of(pd.concat(years), students=enrolment_of(drawn), years=(2024, 2025))
    assert compute_achievement_trends(readings, last_year=2024).series["year"].tolist() == [2024]


def test_the_precision_of_the_national_sample_is_that_of_the_published_table(demo):
    table = compute_icc_reliability(demo[2], year=2025).table
    national = table[table["design"] == "national_sample"].set_index(["stage", "true_share"])
    # Large-sample formula and simulated chances, 12 schools of 30 pupils; 8 schools for the junior stage.
    assert national["std_error"].xs("primary").round(3).loc[[0.10, 0.15]].tolist() == [0.051, 0.066]
    assert national["std_error"].xs("junior").round(3).loc[[0.10, 0.15]].tolist() == [0.064, 0.082]
    chances = national["chance"].xs("primary")
    assert chances.to_numpy() == pytest.approx([0.85, 0.74, 0.56, 0.39], abs=0.012)
    own = table[table["design"] == "own_tests"].drop_duplicates(["stage", "grade"])
    assert own["n_schools"].tolist() == [37, 37, 21, 21]


def test_a_standard_without_a_limit_gives_no_chances(drawn):
    other = load_standard("national_2012")
    assert np.isnan(monitoring_limit(other))
    readings = estimate_achievement_readings(readings_of(drawn)[0], other)
    table = compute_icc_reliability(readings, year=2025).table
    assert table["chance"].isna().all()
    assert table["std_error"].notna().all()


def test_means_of_schools_are_drawn_towards_the_mean_the_more_the_fewer_pupils(drawn):
    outcomes, readings = readings_of(drawn)
    table = estimate_shrunken_means(outcomes, readings, year=2025).table.sort_values("n_pupils")
    assert table["reliability"].is_monotonic_increasing
    assert ((table["conf_low"] < table["shrunken"]) & (table["shrunken"] < table["conf_high"])).all()
    raw = table["school_mean"] - drawn["score"].mean()
    assert (np.sign(raw) == np.sign(table["shrunken"]))[raw.abs() > 1].all()


def test_shrunken_means_cover_the_effects_of_schools():
    # 200 schools of 12 pupils with known effects: 95 % of intervals, standard error 0.015.
    rng = np.random.default_rng(8)
    effects = np.sqrt(0.2) * rng.standard_normal(200)
    scores = pd.DataFrame({"school_id": np.repeat([f"{at:03d}" for at in range(200)], 12)})
    scores["score"] = 60 + 10 * (np.repeat(effects, 12) + np.sqrt(0.8) * rng.standard_normal(2400))
    scores = score_rows({"a": [0.0] * 2400}).assign(**scores)
    outcomes, readings = readings_of(scores)
    table = estimate_shrunken_means(outcomes, readings, year=2025).table.sort_values("school_id")
    covered = (table["conf_low"] <= effects) & (effects <= table["conf_high"])
    assert covered.mean() == pytest.approx(0.95, abs=3 * 0.0154)


def test_the_latest_entered_monitoring_of_each_subject_is_shown(demo):
    entered = compute_entered_monitoring(demo[0], STANDARD, year=2024).table
    assert entered["year"].unique().tolist() == [2024]
    assert len(entered) == 6
    rates = entered.set_index("subject")["monitored_rate"]
    # Typed from the demonstration county's sheet.
    assert rates["chinese"] == 0.133
    assert rates["morality_law"] == 0.130
    assert entered["monitored_rank"].tolist() == [3.0] * 6
