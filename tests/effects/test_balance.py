"""Balance before adoption: standardised differences by hand, and trends that were planted."""

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units
from toolkit.effects.balance import compute_balance

ROLES = ["member", "member", "lead", "", "", ""]


def test_a_standardised_difference_is_that_of_the_textbook():
    enrolment = np.full((6, len(YEARS)), 100.0)
    enrolment[:, :3] = np.array([[100], [140], [300], [80], [90], [130]])
    # What comes after the baseline does not count.
    enrolment[:2, 3:] = 9000.0
    adoption, panel = make_study(
        make_units([2020, 2021, 2020, None, None, None], role=ROLES), enrolment=enrolment
    )
    found = compute_balance(adoption, panel, stage="primary")
    assert found.baseline_years == (2016, 2017, 2018)
    row = found.covariates.set_index(["role", "covariate"]).loc[("member", "enrolment")]
    # Members 100, 140: mean 120, variance 800; comparison 80, 90, 130: mean 100, variance 700.
    assert (row["n_adopters"], row["n_comparison"]) == (2, 3)
    assert (row["mean_adopters"], row["mean_comparison"]) == (120, 100)
    assert row["standardised_difference"] == pytest.approx(20 / np.sqrt(750))


def test_a_difference_in_trend_before_adoption_comes_back():
    years = np.array(YEARS, dtype=float)
    slope = np.array([0.05, 0.05, -0.02, 0.01, 0.01, 0.01])
    outcomes = np.arange(6.0)[:, None] + slope[:, None] * (years - 2016)
    # A bad year of selection and an effect afterwards are no part of the trend.
    outcomes[0, 3], outcomes[1, 4], outcomes[0, 4:] = -9.0, -9.0, 7.0
    adoption, panel = make_study(
        make_units([2020, 2021, 2020, None, None, None], role=ROLES), achievement=outcomes
    )
    trends = compute_balance(adoption, panel, stage="primary").trends.set_index("role")
    assert trends["estimate"].to_dict() == pytest.approx({"member": 0.04, "lead": -0.03})
    assert trends.loc["member", ["n_adopters", "n_comparison", "n_cohorts"]].tolist() == [2, 3, 2]
    # Two groups and one: their scatter is not known.
    assert trends["std_error"].isna().all()


def test_the_standard_error_of_a_trend_is_that_of_two_means_by_cluster():
    rng = np.random.default_rng(7)
    outcomes = rng.standard_normal((12, len(YEARS)))
    adoption, panel = make_study(make_units([2020] * 6 + [None] * 6), achievement=outcomes)
    found = compute_balance(adoption, panel, stage="primary").trends.set_index("role").loc["member"]
    window = outcomes[:, :3]
    slopes = (window[:, 2] - window[:, 0]) / 2
    own, other = slopes[:6], slopes[6:]
    assert found["estimate"] == pytest.approx(own.mean() - other.mean())
    assert found["std_error"] == pytest.approx(np.sqrt(own.var() / 6 + other.var() / 6))
    groups = ["甲"] * 2 + ["乙"] * 2 + ["丙"] * 2 + [""] * 6
    adoption, panel = make_study(make_units([2020] * 6 + [None] * 6, groups=groups), achievement=outcomes)
    clustered = compute_balance(adoption, panel, stage="primary").trends.set_index("role").loc["member"]
    sums = (own - own.mean()).reshape(3, 2).sum(axis=1) / 6
    assert clustered["std_error"] == pytest.approx(np.sqrt(np.sum(np.square(sums)) + other.var() / 6))


def test_with_one_year_before_there_is_neither_level_nor_trend():
    adoption, panel = make_study(make_units([2018, None, None], role=["member", "", ""]))
    found = compute_balance(adoption, panel, stage="primary")
    assert np.isnan(found.trends["estimate"]).all()
    level = found.covariates[found.covariates["covariate"] == "prior_achievement"]
    assert level["n_comparison"].tolist() == [0, 0]


def test_locations_are_shares_and_what_does_not_vary_has_no_difference():
    units = make_units([2020, 2020, None, None], location=["urban", "rural", "urban", "urban"])
    adoption, panel = make_study(units)
    found = compute_balance(adoption, panel, stage="primary").covariates.set_index(["role", "covariate"])
    assert found.loc[("member", "urban"), "mean_adopters"] == 0.5
    assert found.loc[("member", "rural"), "mean_comparison"] == 0.0
    assert np.isnan(found.loc[("member", "town_area"), "standardised_difference"])


def test_groups_and_schools_of_one_name_in_two_counties_are_clusters_of_their_own():
    outcomes = np.random.default_rng(3).standard_normal((12, len(YEARS)))
    groups = ["甲"] * 2 + ["乙"] * 2 + ["甲"] * 2 + [""] * 6
    units = make_units([2020] * 6 + [None] * 6, groups=groups)
    units["county_id"] = ["990100"] * 4 + ["990200"] * 2 + ["990100"] * 6
    adoption, panel = make_study(units, achievement=outcomes)
    found = compute_balance(adoption, panel, stage="primary").trends.set_index("role").loc["member"]
    slopes = (outcomes[:, 2] - outcomes[:, 0]) / 2
    own, other = slopes[:6], slopes[6:]
    sums = (own - own.mean()).reshape(3, 2).sum(axis=1) / 6
    assert found["std_error"] == pytest.approx(np.sqrt(np.sum(sums**2) + other.var() / 6))
