"""Pupils who were there before: which cells are theirs, planted truths, brute force, refusals."""

from dataclasses import replace

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_panel import build_adoption_sample, pool_samples
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.grade_cells import is_legacy
from toolkit.effects.legacy import estimate_legacy_effect
from toolkit.effects.sample_rules import SampleRules
from toolkit.indicators.grade_panel import GradePanel
from toolkit.vocabulary import has_sentence, has_term

SETTINGS = EventStudySettings(anticipation=1, n_draws=199)
GRADES = (2, 3, 4)
COHORTS = [year for group in range(8) for year in [(2020, 2021)[group % 2]] * 2] + never(20)
GROUPS = [f"集团{group}" for group in range(8) for _ in range(2)] + [""] * 20


def entered_before(grade, since, first=1):
    """Say by counting years on: a pupil in this grade now, in which year did he enter?"""
    year = 2020 + since
    entered = year
    for _ in range(first, grade):
        entered -= 1
    return entered < 2020


@pytest.mark.parametrize("stage", ["primary", "junior"])
def test_pupils_were_there_before_when_they_entered_in_an_earlier_school_year(stage):
    first = {"primary": 1, "junior": 7}[stage]
    for grade in range(first, first + 6):
        for since in range(-3, 8):
            assert is_legacy(stage, grade, since) == entered_before(grade, since, first)
    assert is_legacy("primary", 6, 4)
    assert not is_legacy("primary", 6, 5)
    assert is_legacy("junior", 9, 1)
    assert not is_legacy("junior", 7, 0)


def study_of(rng, *, old=0.1, new=0.3, noise=1e-9, grades=GRADES, pupils=(10, 20, 30)):
    """Return a sample and its grades: pupils who entered before joining gain `old`, the others `new`."""
    units = make_units(COHORTS, groups=GROUPS)
    since = np.array(YEARS) - units["adoption_year"].to_numpy()[:, None]
    level = rng.normal(size=(len(units), 1))
    values = []
    for grade in grades:
        gain = np.where(since <= grade - 2, old, new) * (since >= 0)
        values.append(level + 0.1 * grade + np.nan_to_num(gain) + noise * rng.normal(size=since.shape))
    adoption, panel = make_study(units, achievement=np.mean(values, axis=0))
    sample = build_adoption_sample(
        adoption, panel, stage="primary", outcome="achievement", rules=SampleRules(covariates=())
    )
    counts = np.array(pupils, dtype=float)[: len(grades), None, None] * np.ones((1, *since.shape))
    return sample, GradePanel("990100", panel.units, YEARS, grades, np.array(values), counts, {})


def averages(found, table="table"):
    rows = getattr(found, table)
    return rows[rows["event_time"].isna()].set_index("estimate")


def test_planted_effects_on_old_and_new_pupils_come_back_in_the_cells_of_each():
    sample, grades = study_of(np.random.default_rng(0))
    found = estimate_legacy_effect(sample, [grades], SETTINGS, weights="equal")
    cells = found.cells.set_index(["grade", "event_time"])
    for grade in GRADES:
        for since in range(3):
            expected = 0.1 if since <= grade - 2 else 0.3
            assert cells.at[(grade, since), "effect"] == pytest.approx(expected, abs=1e-7)
            assert cells.at[(grade, since), "is_legacy"] == (since <= grade - 2)
    rows = averages(found)
    assert rows.at["effect_legacy", "effect"] == pytest.approx(0.1, abs=1e-7)
    # New pupils are none, one and two of three grades at event times 0, 1 and 2.
    assert rows.at["effect_total", "effect"] == pytest.approx(0.1 + 0.2 * (0 + 1 / 3 + 2 / 3) / 3, abs=1e-7)
    assert rows.at["effect_intake_change", "effect"] == pytest.approx(0.2 / 3, abs=1e-7)


def test_grades_count_by_their_pupils_at_adopters_before():
    sample, grades = study_of(np.random.default_rng(1))
    found = estimate_legacy_effect(sample, [grades], SETTINGS)
    share = {grade: found.by_grade[grade] / sum(found.by_grade.values()) for grade in GRADES}
    assert [share[grade] for grade in GRADES] == [
        pytest.approx(1 / 6),
        pytest.approx(1 / 3),
        pytest.approx(1 / 2),
    ]
    total = averages(found).at["effect_total", "effect"]
    assert total == pytest.approx(0.1 + 0.2 * (0 + 1 / 6 + 1 / 2) / 3, abs=1e-7)


def test_event_times_without_old_pupils_do_not_enter():
    sample, grades = study_of(np.random.default_rng(2), grades=(2, 3))
    found = estimate_legacy_effect(sample, [grades], replace(SETTINGS, last=4), weights="equal")
    assert sorted(found.table["event_time"].dropna().unique()) == [0, 1]
    used = found.cells.set_index(["grade", "event_time"])["is_used"]
    assert used.loc[3].tolist() == [True, True, False, False, False]


def test_of_grades_with_the_same_scores_the_total_is_the_event_study():
    rng = np.random.default_rng(3)
    sample, grades = study_of(rng, noise=0.3)
    same = np.repeat(sample.outcomes[None], 3, axis=0)
    found = estimate_legacy_effect(sample, [replace(grades, achievement=same)], SETTINGS)
    study = estimate_event_study(sample, SETTINGS)
    by_time = found.table[found.table["estimate"] == "effect_total"].set_index("event_time")
    own = study.table.set_index("event_time")
    for since in range(3):
        assert by_time.at[since, "effect"] == pytest.approx(own.at[since, "effect"], abs=1e-12)
    rows = averages(found)
    assert rows.at["effect_total", "effect"] == pytest.approx(study.average.effect, abs=1e-12)
    # The same scores in all grades leave no difference.
    assert rows.at["effect_intake_change", "effect"] == pytest.approx(0, abs=1e-12)


@pytest.mark.slow
def test_the_standard_error_of_the_difference_is_its_scatter_over_samples():
    rng = np.random.default_rng(4)
    rows = []
    for _ in range(40):
        sample, grades = study_of(rng, noise=0.3)
        rows.append(averages(estimate_legacy_effect(sample, [grades], SETTINGS)).loc["effect_intake_change"])
    effects = np.array([row["effect"] for row in rows])
    truth = 0.2 * (0 + 1 / 6 + 1 / 2) / 3
    assert abs(effects.mean() - truth) < 4 * effects.std() / np.sqrt(40)
    assert 0.7 < np.mean([row["std_error"] for row in rows]) / effects.std() < 1.4


def test_where_all_pupils_were_there_before_there_is_nothing_to_separate():
    sample, grades = study_of(np.random.default_rng(5), grades=(5, 6))
    found = estimate_legacy_effect(sample, [grades], SETTINGS)
    assert [(one.code, dict(one.numbers)) for one in found.refusals] == [
        ("legacy_cells_coincide", {"grades": 2, "years": 3})
    ]
    assert found.table.empty
    assert found.cells["is_legacy"].all()


def test_one_tested_grade_and_no_grade_of_old_pupils_are_refused():
    sample, grades = study_of(np.random.default_rng(6))
    one = estimate_legacy_effect(replace(sample, tested_grades=(3,)), [grades], SETTINGS)
    assert one.refusals[0].code == "guard_no_legacy_pupils"
    entrants = replace(
        grades, grades=(1,), achievement=grades.achievement[:1], tested_pupils=grades.tested_pupils[:1]
    )
    first = estimate_legacy_effect(sample, [entrants], SETTINGS)
    assert first.refusals[0].code == "legacy_no_cells"
    with pytest.raises(ValueError, match="no grades of the counties"):
        estimate_legacy_effect(sample, [replace(grades, county_id="990200")], SETTINGS)


def test_a_grade_tested_at_one_side_alone_gives_no_cell():
    sample, grades = study_of(np.random.default_rng(7))
    values = grades.achievement.copy()
    values[2, 16:] = np.nan
    found = estimate_legacy_effect(sample, [replace(grades, achievement=values)], SETTINGS)
    assert sorted(found.cells["grade"].unique()) == [2, 3]


def test_a_single_group_with_new_pupils_gives_no_error_and_no_number():
    sample, grades = study_of(np.random.default_rng(9))
    values = grades.achievement.copy()
    # Of all groups but one nobody was tested.
    values[:, 2:16] = np.nan
    found = estimate_legacy_effect(sample, [replace(grades, achievement=values)], SETTINGS)
    assert [one.code for one in found.refusals] == ["legacy_one_cluster"]
    assert found.table.empty
    assert has_sentence("legacy_one_cluster")


def test_pupils_seen_before_are_set_beside_all_pupils_of_the_same_cells():
    sample, grades = study_of(np.random.default_rng(8), new=0.1)
    joined = {2020: grades.achievement - 0.05, 2021: grades.achievement - 0.05}
    years = np.array(YEARS)
    for cohort, values in joined.items():
        values[:, :, years < cohort] += 0.05
        values[:, 16:] = grades.achievement[:, 16:]
        values[0] = np.where(years >= cohort, np.nan, values[0])
    found = estimate_legacy_effect(sample, [replace(grades, seen_before=joined)], SETTINGS)
    rows = averages(found, "followed")
    assert found.followed_refusals == ()
    assert not found.counts_pupils_moved_in
    assert rows.at["effect_all_tested", "effect"] == pytest.approx(0.1, abs=1e-7)
    assert rows.at["effect_seen_before", "effect"] == pytest.approx(0.05, abs=1e-7)
    assert rows.at["effect_moved_in", "effect"] == pytest.approx(0.05, abs=1e-7)
    # Grade 2 has nobody seen before: its cells are in neither.
    assert rows["n_cells"].tolist() == [12, 12, 24]


def test_where_all_pupils_had_been_seen_before_the_difference_is_none_and_rounding_no_error():
    sample, grades = study_of(np.random.default_rng(8), noise=0.05)
    same = {2020: grades.achievement.copy(), 2021: grades.achievement.copy()}
    found = estimate_legacy_effect(sample, [replace(grades, seen_before=same)], SETTINGS)
    moved = found.followed[found.followed["estimate"] == "effect_moved_in"]
    assert (moved["effect"] == 0).all()
    assert (moved["std_error"] == 0).all()
    assert moved["p_value"].isna().all()


def test_without_links_between_years_it_says_that_pupils_who_moved_in_are_counted():
    sample, grades = study_of(np.random.default_rng(9))
    found = estimate_legacy_effect(sample, [grades], SETTINGS)
    assert found.counts_pupils_moved_in
    assert [one.code for one in found.followed_refusals] == ["legacy_pupils_not_linked"]


def test_a_second_county_just_alike_changes_no_effect_and_halves_the_variances():
    sample, grades = study_of(np.random.default_rng(10), noise=0.3)
    grades = replace(grades, seen_before={2020: grades.achievement, 2021: grades.achievement})
    twin = replace(sample, units=sample.units.assign(county_id="990200"))
    one = estimate_legacy_effect(sample, [grades], SETTINGS)
    both = estimate_legacy_effect(
        pool_samples([sample, twin]), [grades, replace(grades, county_id="990200")], SETTINGS
    )
    for table in ("table", "followed"):
        own, two = averages(one, table), averages(both, table)
        np.testing.assert_allclose(two["effect"], own["effect"], atol=1e-12)
        np.testing.assert_allclose(two["std_error"], own["std_error"] / np.sqrt(2), rtol=0.1, atol=1e-9)
    assert both.cells["n_schools"].tolist() == (2 * one.cells["n_schools"]).tolist()


def test_codes_are_in_the_vocabulary():
    codes = ["legacy_no_cells", "legacy_cells_coincide", "legacy_pupils_not_linked", "legacy_pupils_not_seen"]
    assert [code for code in codes if not has_sentence(code)] == []
    names = ["effect_total", "effect_legacy", "effect_intake_change", "effect_all_tested", "effect_moved_in"]
    assert [name for name in [*names, "effect_seen_before"] if not has_term(name)] == []
