"""Standard errors of the effect on inequality: derivatives by brute force, units, known truths."""

import numpy as np
import pytest
from scipy import stats

from tests.effects.samples import make_sample, never
from toolkit.effects.dispersion import estimate_dispersion_effect
from toolkit.effects.dispersion_errors import answers_of_deviations, shifted_error, squares_error
from toolkit.inference.pooled_contributions import pool_contributions
from toolkit.models.counterfactual_dispersion import compute_dispersion_paths

PERIODS = np.arange(2016.0, 2022.0)
N_NEVER = 30


def draw_paths(seed, *, level=1.0, noise=0.2, scale=1.0, n_groups=24):
    """Return paths of groups of two that join in 2018 or 2020, and their clusters."""
    rng = np.random.default_rng(seed)
    dates = [year for number in range(n_groups) for year in [(2018, 2020)[number % 2]] * 2]
    groups = [f"集团{number}" for number in range(n_groups) for _ in range(2)] + [""] * N_NEVER
    outcomes = 10 + level * rng.normal(size=(len(groups), 1)) + noise * rng.normal(size=(len(groups), 6))
    outcomes[: len(dates)] -= 0.3 * level
    sample = make_sample([*dates, *never(N_NEVER)], groups=groups, outcomes=scale * outcomes, periods=PERIODS)
    paths = compute_dispersion_paths(sample.panel, comparison="not_yet")
    return paths, np.asarray(sample.clusters)[paths.effects.used]


def measure_without(paths, effects, measure):
    """Return the mean measure once these effects are taken off the treated, unit by unit."""
    panel, found = paths.effects.panel, []
    for place, period in enumerate(paths.periods):
        if not paths.treated_share[place]:
            continue
        shift = np.zeros(panel.n_units)
        for cohort, own, effect in zip(paths.effects.cohorts, paths.effects.periods, effects, strict=True):
            if own == period >= cohort:
                shift[panel.cohorts == cohort] = effect
        values = panel.outcomes[:, place] - shift
        mean = np.average(values, weights=panel.weights)
        variance = np.average((values - mean) ** 2, weights=panel.weights)
        found.append({"variance": variance, "std_dev": variance**0.5, "cv": variance**0.5 / mean}[measure])
    return np.mean(found)


@pytest.mark.parametrize("measure", ["variance", "std_dev", "cv"])
def test_the_error_of_the_shift_is_the_spread_over_normal_errors_of_the_effects(measure):
    paths, clusters = draw_paths(1)
    effects = paths.effects
    cells = np.flatnonzero(effects.periods >= effects.cohorts)
    # Of so many groups no correction is needed.
    scaled = pool_contributions(effects, clusters, cells).contributions
    rng, drawn = np.random.default_rng(2), []
    for _ in range(1500):
        moved = np.nan_to_num(effects.effects.copy())
        moved[cells] += scaled.T @ rng.normal(size=len(scaled))
        drawn.append(measure_without(paths, moved, measure))
    error, critical = shifted_error(paths, clusters, measure)
    # 1,500 draws know a spread to 2 %, and factors for few clusters hang on the weights of the cells.
    assert error == pytest.approx(np.std(drawn), rel=0.1)
    assert 1.98 < critical < 2.1


@pytest.mark.parametrize("measure", ["variance", "std_dev", "cv"])
def test_with_little_between_schools_what_the_slope_moves_with_the_error_is_added(measure):
    paths, clusters = draw_paths(1, level=0.05)
    effects = paths.effects
    cells = np.flatnonzero(effects.periods >= effects.cohorts)
    scaled = pool_contributions(effects, clusters, cells).contributions
    known, step = np.nan_to_num(effects.effects.copy()), 1e-4

    def measured(errors):
        moved = known.copy()
        moved[cells] += errors
        return measure_without(paths, moved, measure)

    slope = np.array(
        [(measured(step * cell) - measured(-step * cell)) / 2 / step for cell in np.eye(len(cells))]
    )
    # The error that goes with one standard error of the measure, and how the measure bends on the way.
    spread = np.sqrt(((scaled @ slope) ** 2).sum())
    towards = scaled.T @ (scaled @ slope) / spread
    bend = measured(towards) + measured(-towards) - 2 * measured(0 * towards)
    error, _ = shifted_error(paths, clusters, measure)
    assert bend > 0.3 * spread
    assert error == pytest.approx(np.hypot(spread, bend), rel=0.1)


def test_errors_have_the_unit_of_the_measure():
    for measure, factor in (("variance", 49.0), ("std_dev", 7.0), ("cv", 1.0)):
        errors = []
        for scale in (1.0, 7.0):
            paths, clusters = draw_paths(3, scale=scale)
            squares = squares_error(paths, clusters, measure, comparison="not_yet", anticipation=0)
            errors.append([shifted_error(paths, clusters, measure)[0], squares[0]])
        np.testing.assert_allclose(errors[1], factor * np.array(errors[0]), rtol=1e-9)


def test_schools_that_would_hardly_have_changed_leave_hardly_an_error():
    # How far apart schools are is given: it adds nothing.
    paths, clusters = draw_paths(4, level=3.0, noise=1e-6)
    assert 0 < shifted_error(paths, clusters, "std_dev")[0] < 1e-6
    squares, _ = squares_error(paths, clusters, "std_dev", comparison="not_yet", anticipation=0)
    assert 0 < squares < 1e-5


@pytest.mark.parametrize("dates", [(2018, 2019, 2020), (2018, 2018, 2020)])
def test_sums_of_deviations_are_the_sums_of_outcomes_that_their_answers_say(dates):
    rng = np.random.default_rng(9)
    joins, groups = [year for year in dates for _ in range(2)], list("甲甲乙乙丙丙")
    outcomes = rng.normal(size=(6 + N_NEVER, len(PERIODS)))
    sample = make_sample(
        joins + never(N_NEVER), groups=groups + [""] * N_NEVER, outcomes=outcomes, periods=PERIODS
    )
    paths = compute_dispersion_paths(sample.panel, comparison="not_yet")
    effects, weights = paths.effects, paths.effects.panel.weights
    # By hand: the three groups are one pool, since a group that joins alone is never left alone.
    deviations = effects.panel.outcomes - paths.mean_untreated
    for time in range(len(PERIODS)):
        cells = list(np.flatnonzero(effects.event_times == time))
        members = [np.flatnonzero(effects.panel.cohorts == effects.cohorts[cell]) for cell in cells]
        sizes = [weights[own].sum() for own in members]
        for cell, own in zip(cells, members, strict=True):
            of_pool = np.average(effects.effects[cells], weights=sizes)
            deviations[own, np.searchsorted(PERIODS, effects.periods[cell])] -= of_pool
    answers = rng.normal(size=(2, *outcomes.shape))
    found = answers_of_deviations(answers, paths, np.asarray(sample.clusters)[effects.used])
    np.testing.assert_allclose(
        (found * effects.panel.outcomes).sum(axis=(1, 2)), (answers * deviations).sum(axis=(1, 2)), atol=1e-11
    )


def test_a_single_group_has_no_error():
    paths, clusters = draw_paths(5, n_groups=1)
    assert np.isnan(shifted_error(paths, clusters, "std_dev")[0])


def test_effects_in_proportion_to_the_deviation_leave_no_error_in_the_squares():
    rng = np.random.default_rng(6)
    level = np.concatenate([(1.0, -1.0, 0.4, -0.4, 2.0, -2.0), rng.normal(size=N_NEVER)])
    level[6:] -= level[6:].mean()
    joins = np.array([2018] * 6 + [0] * N_NEVER)
    outcomes = level[:, None] * np.where((joins[:, None] > 0) & (joins[:, None] <= PERIODS), 0.7, 1.0)
    outcomes[6:] += 1e-9 * rng.normal(size=(N_NEVER, len(PERIODS)))
    groups = ["甲", "甲", "乙", "乙", "丙", "丙"] + [""] * N_NEVER
    sample = make_sample([2018] * 6 + never(N_NEVER), groups=groups, outcomes=outcomes, periods=PERIODS)
    paths = compute_dispersion_paths(sample.panel, comparison="never")
    clusters = np.asarray(sample.clusters)[paths.effects.used]
    error, _ = squares_error(paths, clusters, "std_dev", comparison="never", anticipation=0)
    assert 0 < error < 1e-8


@pytest.mark.parametrize("dates", [(2018, 2019, 2020), (2018, 2018, 2020)])
def test_with_three_groups_errors_are_as_large_as_estimates_scatter(dates):
    # Levels are given, as in the question that is asked; only what schools do of themselves is drawn.
    rng, n_draws = np.random.default_rng(7), 150
    members = [name for name, size in zip("甲乙丙", (3, 2, 4), strict=True) for _ in range(size)]
    joins = [dates["甲乙丙".index(name)] for name in members]
    level = rng.normal(size=(len(joins) + 14, 1))
    found, stated, inside = [], [], []
    for _ in range(n_draws):
        outcomes = level + 0.3 * rng.normal(size=(len(level), len(PERIODS)))
        sample = make_sample(
            joins + never(14), groups=members + [""] * 14, outcomes=outcomes, periods=PERIODS
        )
        effects = estimate_dispersion_effect(sample, measure="variance").effects.set_index("version")
        found.append(effects["effect"])
        stated.append(effects["std_error"])
        inside.append((effects["conf_low"] < 0) & (effects["conf_high"] > 0))
    scatter = np.std(found, axis=0)
    ratio = np.sqrt(np.mean(np.square(stated), axis=0)) / scatter
    # Mean squares of 150 errors with two or three degrees of freedom are known to a tenth or so; those of
    # "shifted" are too large where several directions count.
    shifted, squares = ratio
    assert 0.8 < shifted < 1.5
    assert squares == pytest.approx(1, abs=0.3)
    # With these levels; how it is over many counties is measured in the benchmarks.
    assert (np.mean(inside, axis=0) >= 0.85).all()


def test_squares_know_what_the_means_of_few_schools_take_with_them():
    # Ten schools: their mean, and that of two that join together, hold much of what each does of itself.
    rng, dates = np.random.default_rng(3), (2018, 2018, 2020, 2020)
    level = rng.normal(size=(10, 1))
    found, stated = [], []
    for _ in range(150):
        outcomes = level + 0.3 * rng.normal(size=(10, len(PERIODS)))
        sample = make_sample(
            [*dates, *never(6)], groups=[*"甲乙丙丁", *[""] * 6], outcomes=outcomes, periods=PERIODS
        )
        paths = compute_dispersion_paths(sample.panel, comparison="never")
        clusters = np.asarray(sample.clusters)[paths.effects.used]
        found.append((paths.variance - paths.variance_squares)[paths.treated_share > 0].mean())
        stated.append(squares_error(paths, clusters, "variance", comparison="never", anticipation=0)[0])
    # Without the means taken out of the outcomes first, half as large.
    assert 0.75 < np.sqrt(np.mean(np.square(stated))) / np.std(found) < 1.3


def paths_of_single_schools(base, *, noise=0.3, noise_of_never=0.3, seed=8):
    """Return paths of three schools that join alone in three years, from these levels the year before."""
    rng, dates = np.random.default_rng(seed), (2018, 2019, 2020)
    joined = np.array(base)[:, None] + noise * rng.normal(size=(3, len(PERIODS)))
    for row, year in enumerate(dates):
        joined[row, year - 1 == PERIODS] = base[row]
    others = rng.normal(size=(N_NEVER, 1)) + noise_of_never * rng.normal(size=(N_NEVER, len(PERIODS)))
    outcomes = np.vstack([joined, others - others.mean(axis=0)])
    groups = ["甲", "乙", "丙"] + [""] * N_NEVER
    sample = make_sample([*dates, *never(N_NEVER)], groups=groups, outcomes=outcomes, periods=PERIODS)
    paths = compute_dispersion_paths(sample.panel, comparison="never")
    return paths, np.asarray(sample.clusters)[paths.effects.used]


def test_squares_of_three_groups_of_which_one_counts_most_have_less_than_two_degrees_of_freedom():
    # Were what is seen taken to be noise alone, it would be known to grow with the error.
    for seed in range(3):
        paths, clusters = paths_of_single_schools((2.0, 0.5, -0.5), seed=seed)
        _, critical = squares_error(paths, clusters, "variance", comparison="never", anticipation=0)
        assert critical > stats.t.ppf(0.975, 2)


def test_groups_that_join_alone_have_an_error_of_their_own():
    found, stated = [], []
    for seed in range(60):
        paths, clusters = paths_of_single_schools((2.0, -2.0, 1.0), noise_of_never=1e-3, seed=seed)
        found.append((paths.variance - paths.variance_squares)[paths.treated_share > 0].mean())
        stated.append(squares_error(paths, clusters, "variance", comparison="never", anticipation=0)[0])
    # One degree of freedom or so: errors are known to a factor of two.
    assert 0.5 < np.sqrt(np.mean(np.square(stated))) / np.std(found) < 2


def test_where_adopters_are_at_the_mean_the_interval_has_a_width_and_holds_the_truth():
    rng, found, half = np.random.default_rng(10), [], []
    groups, dates = ["甲", "乙", "丙", *[""] * N_NEVER], (2018, 2019, 2020)
    for _ in range(150):
        outcomes = 0.3 * rng.normal(size=(3 + N_NEVER, len(PERIODS)))
        outcomes[3:] += rng.normal(size=(N_NEVER, 1))
        sample = make_sample([*dates, *never(N_NEVER)], groups=groups, outcomes=outcomes, periods=PERIODS)
        paths = compute_dispersion_paths(sample.panel, comparison="never")
        clusters = np.asarray(sample.clusters)[paths.effects.used]
        found.append((paths.variance - paths.variance_shifted)[paths.treated_share > 0].mean())
        error, critical = shifted_error(paths, clusters, "variance")
        half.append(critical * error)
    assert np.mean(np.abs(found) <= half) >= 0.87
    assert np.median(half) < 3 * np.quantile(np.abs(found), 0.95)
