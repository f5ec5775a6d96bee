from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.inference.wild_bootstrap import wild_cluster_test

FOLDER = Path(__file__).resolve().parent.parent / "oracles" / "wild"
PANEL = pd.read_csv(FOLDER / "panel.csv")
TESTS = pd.read_csv(FOLDER / "tests.csv")
FIXED = {"constant": [], "years": ["year"], "schools_years": ["school", "year"]}


def remover(model):
    """Projection off the dummies, by the slow obvious formula."""
    dummies = [np.ones((len(PANEL), 1))]
    dummies += [pd.get_dummies(PANEL[column]).to_numpy(dtype=float) for column in FIXED[model]]
    basis = np.column_stack(dummies)
    projection = basis @ np.linalg.pinv(basis)
    return lambda values: values - projection @ values


def result_of(model, size, **options):
    outcome = (PANEL["outcome"] + size * PANEL["treated"]).to_numpy()
    remove = remover(model)
    return wild_cluster_test(
        remove(outcome[:, None])[:, 0],
        remove(PANEL[["treated", "covariate"]].to_numpy()),
        PANEL["cluster"].to_numpy(),
        seed=1,
        residualise=remove,
        **({"weights": "rademacher"} | options),
    )


@pytest.mark.parametrize("row", TESTS.to_dict("records"), ids=lambda row: f"{row['model']}-{row['effect']}")
def test_p_value_and_statistic_equal_those_of_wildboottest(row):
    result = result_of(row["model"], row["size"])
    assert result.is_exact
    assert result.n_draws == row["draws"] == 1024
    assert result.p_value == pytest.approx((row["larger"] + 2) / 1024, abs=1e-12)
    assert 0 <= result.p_value - row["p_printed"] <= 2 / 1024
    assert result.statistic * np.sqrt(10 / 9) == pytest.approx(row["t"], rel=1e-9)


def refitted_statistics(outcome, design, clusters, null):
    """All bootstrap t-statistics, each by two least-squares fits on the full design; treatment first."""
    others = design[:, 1:]
    shifted = outcome - null * design[:, 0]
    fitted = others @ np.linalg.lstsq(others, shifted, rcond=None)[0]
    residual = shifted - fitted
    inverse = np.linalg.inv(design.T @ design)
    labels = np.unique(clusters)
    statistics = []
    for signs in product((-1.0, 1.0), repeat=len(labels)):
        moved = null * design[:, 0] + fitted + residual * np.array(signs)[np.searchsorted(labels, clusters)]
        beta = inverse @ design.T @ moved
        error = moved - design @ beta
        scores = np.array([design[clusters == g].T @ error[clusters == g] for g in labels])
        variance = inverse @ (scores.T @ scores) @ inverse
        statistics.append((beta[0] - null) / np.sqrt(variance[0, 0]))
    return np.abs(statistics)


@pytest.mark.parametrize("model", ["constant", "schools_years"])
def test_equals_two_least_squares_fits_per_sign_vector(model):
    few = PANEL["cluster"].isin([0, 1, 2, 5, 6, 7]).to_numpy()
    frame = PANEL[few]
    dummies = [np.ones((len(frame), 1))]
    dummies += [
        pd.get_dummies(frame[column], drop_first=True).to_numpy(dtype=float) for column in FIXED[model]
    ]
    full = np.column_stack([frame[["treated", "covariate"]].to_numpy(), *dummies])
    outcome, clusters = frame["outcome"].to_numpy(), frame["cluster"].to_numpy()
    basis = np.column_stack(dummies)
    projection = basis @ np.linalg.pinv(basis)

    def remove(values):
        return values - projection @ values

    for null in (0.0, 0.7):
        slow = refitted_statistics(outcome, full, clusters, null)
        beta = np.linalg.lstsq(full, outcome, rcond=None)[0]
        result = wild_cluster_test(
            remove(outcome[:, None])[:, 0],
            remove(full[:, :2]),
            clusters,
            seed=1,
            null_value=null,
            residualise=remove,
            weights="rademacher",
        )
        observed = abs(beta[0] - null) / (result.std_error / np.sqrt(6 / 5))
        assert result.p_value == pytest.approx(np.mean(slow >= observed * (1 - 1e-9)), abs=1e-12)
        assert slow[-1] == pytest.approx(observed, rel=1e-8)


def test_interval_holds_the_null_values_that_are_not_rejected():
    result = result_of("schools_years", 0.9)
    width = result.conf_high - result.conf_low
    for end, outward in ((result.conf_low, -1), (result.conf_high, 1)):
        inside = result_of("schools_years", 0.9, null_value=end - outward * 1e-4 * width)
        outside = result_of("schools_years", 0.9, null_value=end + outward * 1e-4 * width)
        assert inside.p_value > 0.05 >= outside.p_value


def test_interval_moves_with_the_outcome_and_scales_with_it():
    plain, moved = result_of("schools_years", 0.0), result_of("schools_years", 2.0)
    assert moved.estimate - plain.estimate == pytest.approx(2.0)
    assert moved.conf_low - plain.conf_low == pytest.approx(2.0, abs=1e-6)
    assert moved.conf_high - plain.conf_high == pytest.approx(2.0, abs=1e-6)
    remove = remover("constant")
    outcome = remove(PANEL[["outcome"]].to_numpy())[:, 0]
    design, clusters = remove(PANEL[["treated", "covariate"]].to_numpy()), PANEL["cluster"].to_numpy()
    one = wild_cluster_test(outcome, design, clusters, seed=3, n_draws=199)
    order = np.random.default_rng(0).permutation(len(outcome))
    other = wild_cluster_test(1000 * outcome[order], design[order], clusters[order], seed=3, n_draws=199)
    assert other.p_value == one.p_value
    assert other.conf_high == pytest.approx(1000 * one.conf_high, rel=1e-6)


def test_effects_nested_in_clusters_need_no_residualiser():
    columns = PANEL[["outcome", "treated", "covariate", "school"]].groupby("school")
    within = (PANEL[["outcome", "treated", "covariate"]] - columns.transform("mean")).to_numpy()
    basis = pd.get_dummies(PANEL["school"]).to_numpy(dtype=float)
    projection = basis @ np.linalg.pinv(basis)
    arguments = (within[:, 0], within[:, 1:], PANEL["cluster"].to_numpy())
    without = wild_cluster_test(*arguments, seed=1, weights="rademacher")
    given = wild_cluster_test(
        *arguments, seed=1, weights="rademacher", residualise=lambda values: values - projection @ values
    )
    assert without.p_value == given.p_value
    assert without.conf_low == pytest.approx(given.conf_low, rel=1e-6)


def test_few_clusters_take_six_points_and_signs_are_enumerated_when_they_are_few():
    assert result_of("constant", 0.0, weights="auto", n_draws=99).weights == "webb"
    rng = np.random.default_rng(1)
    outcome, design, clusters = rng.normal(size=48), rng.normal(size=(48, 1)), np.repeat(np.arange(12), 4)
    assert wild_cluster_test(outcome, design, clusters, seed=1).is_exact
    drawn = wild_cluster_test(outcome, design, clusters, seed=1, n_draws=999)
    assert not drawn.is_exact
    assert drawn.weights == "rademacher"
    exact = wild_cluster_test(outcome, design, clusters, seed=1)
    assert drawn.p_value == pytest.approx(exact.p_value, abs=4 * np.sqrt(0.25 / 999))


def test_interval_is_unbounded_when_four_clusters_cannot_reject():
    rng = np.random.default_rng(2)
    outcome, design, clusters = rng.normal(size=20), rng.normal(size=(20, 1)), np.repeat(np.arange(4), 5)
    result = wild_cluster_test(outcome, design, clusters, seed=1, weights="rademacher")
    assert result.p_value >= 2 / 16
    assert (result.conf_low, result.conf_high) == (-np.inf, np.inf)


def test_size_is_near_nominal_with_twelve_clusters_half_of_them_treated():
    rng = np.random.default_rng(5)
    clusters = np.repeat(np.arange(12), 6)
    treated = (clusters % 2 == 0) - 0.5
    rejected = []
    for _ in range(120):
        outcome = rng.normal(size=12)[clusters] + rng.normal(size=72)
        result = wild_cluster_test(outcome - outcome.mean(), treated[:, None], clusters, seed=1, n_draws=199)
        rejected.append(result.p_value <= 0.05)
    assert abs(np.mean(rejected) - 0.05) <= 3 * np.sqrt(0.05 * 0.95 / 120)


def test_refuses_collinear_designs_missing_values_and_one_cluster():
    rng = np.random.default_rng(2)
    outcome, column = rng.normal(size=20), rng.normal(size=20)
    clusters = np.repeat(np.arange(4), 5)
    with pytest.raises(ValueError, match="full rank"):
        wild_cluster_test(outcome, np.column_stack([column, column]), clusters, seed=1)
    with pytest.raises(ValueError, match="complete"):
        wild_cluster_test(np.where(clusters == 1, np.nan, outcome), column[:, None], clusters, seed=1)
    with pytest.raises(ValueError, match="two clusters"):
        wild_cluster_test(outcome, column[:, None], np.zeros(20), seed=1)
    with pytest.raises(ValueError, match="weights must be one of"):
        wild_cluster_test(outcome, column[:, None], clusters, seed=1, weights="normal")
