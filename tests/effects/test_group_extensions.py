"""What stands beside the main estimate: planted truths come back, and refused studies give nothing."""

import numpy as np
import pytest

from tests.effects import extension_results as made
from toolkit.effects.group_extensions import (
    DIVISIONS,
    compare_neighbours,
    compare_robustness,
    compute_legacy,
    decompose_study,
    estimate_divisions,
    estimate_intakes,
)


def test_a_planted_difference_between_forms_comes_back_adjusted_for_all_divisions():
    found = made.results()["divisions"]
    assert [one.by for one in found.divisions] == list(DIVISIONS)
    row = found.differences.set_index("by").loc["form"]
    assert row["effect"] == pytest.approx(0.4, abs=0.05)
    assert row["p_adjusted"] >= row["p_value"]
    assert row["p_adjusted"] < 0.05


def test_every_adopter_is_in_one_subgroup_of_every_division_or_not_known():
    for one in made.results()["divisions"].divisions:
        assert one.table["n_schools"].sum() == 2 * made.N_GROUPS


def test_neighbours_are_looked_for_under_both_meanings_of_near():
    found = {one.nearness: one for one in made.results()["spillovers"]}
    assert found["town"].average["effect"].item() == pytest.approx(made.SPILLOVER, abs=0.05)
    assert found["distance"].refusals


def test_comparison_schools_moved_by_their_neighbours_hide_that_much_of_the_effect():
    found = made.results()["neighbours"][0].table.set_index("sample")["effect"]
    assert found["comparison_without_neighbours"] == pytest.approx(0.3, abs=0.05)
    # 6 of the 28 comparison schools move by 0.2 in most of the years compared, all 12 neighbours in one.
    hidden = found["comparison_without_neighbours"] - found["comparison_all"]
    assert hidden == pytest.approx(0.2 * 6 / 28, abs=0.02)


def test_trends_before_joining_are_told_from_growth_after_it():
    steady = made.results()["intakes"][0]
    growing = estimate_intakes(made.data_of(trend=0.05), made.DESIGN)[0]
    assert steady.trends_before["log_new_entrants"] > 0.01
    assert growing.trends_before["log_new_entrants"] < 0.001
    assert "prior_score" not in steady.trends_before


def test_a_refused_study_has_no_results_and_raises_nothing():
    data, refused = made.data_of(), made.results()["refused"]
    assert refused.is_refused
    found = estimate_divisions(data, refused, made.DESIGN)
    assert found.divisions == ()
    assert found.differences.empty
    assert found.tidy().empty
    assert compare_robustness(refused) is None
    assert decompose_study(refused) is None
    assert compare_neighbours([refused]) == (None,)
    assert compute_legacy([], None, data, [refused, refused], made.DESIGN) == (None, None)


def test_other_estimators_run_under_the_settings_of_the_study():
    study, result = made.results()["study"], made.results()["robustness"]
    settings = study.settings.event_study
    assert (result.settings.comparison, result.settings.anticipation) == ("not_yet", settings.anticipation)
    main = result.table.set_index("estimator").at["estimator_group_time", "estimate"]
    assert main == pytest.approx(study.event_study.average.effect, rel=1e-9)


def test_only_stages_with_member_schools_have_intake():
    assert [one.stage for one in made.results()["intakes"]] == ["primary"]
    assert np.isfinite(made.results()["intakes"][0].effects.table["effect"]).any()
