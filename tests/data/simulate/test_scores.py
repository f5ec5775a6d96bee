"""Scores have the planned dependence and carry the planted effects."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from toolkit.data.simulate import NO_EFFECTS, PlantedEffects, SimulationSettings, simulate_county

SPREAD = {"primary": 11.5, "junior": 13.8}
SMALL = SimulationSettings(n_schools=24, n_years=6, clean=True, pupils_per_grade=25)
BIG = PlantedEffects(close_form=0.5, loose_form=0.3, lead=-0.2, strong_school_project=0.4, spillover=0.2,
                     intake=0.0, backbone_teacher=0.0, teacher_sd=0.0)  # fmt: skip


def z_scores(scores: pd.DataFrame) -> pd.Series:
    tests = scores.groupby(["year", "grade", "subject"])["score"]
    return (scores["score"] - tests.transform("mean")) / tests.transform("std")


def between_share(scores: pd.DataFrame) -> float:
    """Between-school share of the variance: one-way analysis of variance within each test, averaged."""
    shares = []
    for _, test in scores.assign(z=z_scores(scores)).dropna(subset="z").groupby(["year", "grade", "subject"]):
        schools = test.groupby("school_id")["z"]
        size, mean = schools.size(), schools.mean()
        within = ((test["z"] - schools.transform("mean")) ** 2).sum() / (len(test) - len(size))
        between = (size * (mean - test["z"].mean()) ** 2).sum() / (len(size) - 1)
        typical = (len(test) - (size**2).sum() / len(test)) / (len(size) - 1)
        component = (between - within) / typical
        shares.append(component / (component + within))
    return float(np.mean(shares))


def test_schools_differ_as_much_as_planned(demo):
    scores = demo.county.tables["scores"]
    # 39 and 21 schools: the share of one draw of school effects has a standard error near 0.025 and 0.06.
    assert between_share(scores[scores["grade"] <= 6]) == pytest.approx(0.10, abs=0.06)
    assert between_share(scores[scores["grade"] > 6]) == pytest.approx(0.20, abs=0.12)


def test_scores_correlate_over_one_year_as_planned(demo):
    scores = demo.county.tables["scores"]
    for grade in (6, 9):
        test = scores[(scores["grade"] == grade) & scores["prior_score"].notna() & scores["score"].notna()]
        by = test.groupby(["year", "subject"])
        correlations = by[["score", "prior_score"]].corr().iloc[0::2, 1]
        assert correlations.mean() == pytest.approx(0.75, abs=0.03)


def test_prior_scores_are_the_pupils_own_scores_of_the_year_before(demo):
    scores = demo.county.tables["scores"]
    second = scores[scores["grade"].isin([6, 9]) & (scores["year"] > demo.settings.first_year)]
    before = scores.assign(year=scores["year"] + 1)[["student_id", "year", "subject", "score"]]
    joined = second.merge(before, on=["student_id", "year", "subject"], suffixes=("", "_before"))
    assert len(joined) == len(second)
    assert joined["prior_score"].equals(joined["score_before"])


@pytest.mark.slow
def test_planted_effects_are_the_difference_to_a_county_without_effects():
    with_effects = simulate_county(replace(SMALL, effects=BIG), seed=5)
    nothing = replace(NO_EFFECTS, teacher_sd=0.0, choice_year_dip=0.0)
    without = simulate_county(replace(SMALL, effects=nothing), seed=5)
    one, other = with_effects.county.tables["scores"], without.county.tables["scores"]
    assert one["student_id"].equals(other["student_id"])
    stage = pd.Series(np.where(one["grade"] <= 6, "primary", "junior"), name="stage")
    gain = (one["score"] - other["score"]) / stage.map(SPREAD)
    inside = (one["score"] < one["full_mark"]) & (other["score"] < other["full_mark"])
    found = gain[inside].groupby([one["school_id"], stage, one["year"].astype(int)]).mean()
    truth = with_effects.truth["score_effects"]
    planted = pd.DataFrame(truth["rows"], columns=truth["columns"]).set_index(["school_id", "stage", "year"])
    total = planted.sum(axis=1)
    compared = found.to_frame("found").join(total.rename("planted")).fillna(0.0)
    assert (compared["planted"].abs() > 0.2).sum() > 10
    # Marks are whole: a school's mean is off by at most a few hundredths of a standard deviation.
    assert (compared["found"] - compared["planted"]).abs().max() < 0.06


def test_without_effects_only_the_bad_year_before_joining_is_planted():
    settings = replace(SMALL, effects=NO_EFFECTS, selection_strength=2.0, with_scores=False)
    truth = simulate_county(settings, seed=3).truth
    rows = pd.DataFrame(truth["score_effects"]["rows"], columns=truth["score_effects"]["columns"])
    assert (rows["membership_effect"] == 0).all()
    assert (rows["rotation_effect"] == 0).all()
    assert set(rows["choice_year_dip"]) == {-0.2}
    starts = {
        (spell["school_id"], spell["stage"], spell["start_year"] - 1)
        for spell in truth["programmes"]
        if spell["role"] == "member" and spell["programme"] != "school_zone"
    }
    assert set(zip(rows["school_id"], rows["stage"], rows["year"], strict=True)) <= starts


def test_effects_ramp_up_over_three_years_and_members_differ_from_leads(demo):
    truth = demo.truth
    rows = pd.DataFrame(truth["score_effects"]["rows"], columns=truth["score_effects"]["columns"])
    effect = rows.set_index(["school_id", "stage", "year"])["membership_effect"]
    single: dict[tuple[str, str], list[dict]] = {}
    for spell in truth["programmes"]:
        single.setdefault((spell["school_id"], spell["stage"]), []).append(spell)
    full = {"close_form": 0.08, "loose_form": 0.02}
    seen = 0
    for (school, stage), spells in single.items():
        spell = spells[0]
        if len(spells) > 1 or spell["programme"] != "group_schooling" or spell["end_year"]:
            continue
        for year in range(spell["start_year"], demo.settings.last_year + 1):
            share = min(year - spell["start_year"] + 1, 3) / 3
            expected = -0.01 if spell["role"] == "lead" else full[spell["form"]] * share
            assert effect[school, stage, year] == pytest.approx(expected, abs=1e-6)
            seen += 1
    assert seen > 40
