"""Effects on overlapping schools side by side: intervals, differences, a test that all are equal."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.guard import GuardFinding, check_design
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.sample_cells import SampleCells, identified_cells
from toolkit.inference.clusters import (
    ClusterInfluence,
    align_clusters,
    cluster_covariance,
    cluster_std_errors,
    debiased_effective_clusters,
    degrees_of_freedom,
    t_interval,
)
from toolkit.inference.romano_wolf import romano_wolf

Floats = NDArray[np.float64]
EqualityRefusal = Literal["", "equality_one_effect", "equality_few_clusters", "equality_singular"]

ESTIMATE_COLUMNS = ["effect", "std_error", "degrees", "conf_low", "conf_high", "p_value", "p_adjusted"]
SMALLEST_RATIO = 1e-10
NO_OVERLAP = "guard_no_overlap"
CLUSTERS_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class EqualityTest:
    """Joint test that all effects are equal.

    Attributes
    ----------
    wald : float
        Quadratic form of the differences in the inverse of their covariance.
    statistic : float
        `wald` scaled to its F reference.
    degrees, denominator_degrees : float
        Degrees of freedom of the reference.
    p_value : float
        Missing if refused.
    refusal : str
        Why there is no test; empty if there is one.
    """

    wald: float
    statistic: float
    degrees: float
    denominator_degrees: float
    p_value: float
    refusal: EqualityRefusal


def name_clusters(sample: AdoptionSample, influence: ClusterInfluence) -> ClusterInfluence:
    """Label clusters by county and group or school instead of their number in one sample.

    Clusters of several samples can then be aligned: a school that serves as comparison in two of them, or
    a group with schools in both, is one cluster.

    Raises
    ------
    ValueError
        If two clusters of the sample would share a label.
    """
    units = sample.units
    county = units["county_id"].astype(str)
    joined = units["adoption_year"].notna()
    if sample.rules.assignment == "county":
        label = county
    else:
        group = "group|" + units["school_group"].astype(str)
        label = county + "|" + group.where(joined, "school|" + units["school"].astype(str))
    # The least label of a cluster: "group|..." goes before "school|...".
    first = pd.Series(label.to_numpy(dtype=object)).groupby(sample.clusters).min()
    if first.duplicated().any():
        raise ValueError(f"clusters share a label: {sorted(first[first.duplicated()])}")
    names = first.loc[influence.clusters].to_numpy(dtype=str)
    order = np.argsort(names, kind="stable")
    return ClusterInfluence(names[order], influence.contributions[order])


def find_refusal(
    sample: AdoptionSample,
    settings: EventStudySettings,
    *,
    limits: DesignLimits = DEFAULT_LIMITS,
    estimand: Literal["total", "legacy"] = "total",
    cells: SampleCells | None = None,
) -> tuple[GuardFinding, ...]:
    """Return the first reason why a sample identifies no effect, or nothing.

    Besides what the guard knows from the design, cells may fail for lack of overlap, or their years may
    not have been observed: then no year since joining has an effect.
    """
    own = cells or settings.cells(sample)
    guard = check_design(
        sample,
        comparison=settings.comparison,
        anticipation=settings.anticipation,
        estimand=estimand,
        limits=limits,
        cells=own,
    )
    # That no cell has an effect is said below, in words for whatever sample this is.
    refused = tuple(
        finding for finding in guard.findings if finding.severity == "refused" and finding.code != NO_OVERLAP
    )
    if refused:
        return refused[:1]
    if identified_cells(own.effects, settings.last).any():
        return ()
    n_schools = int(np.isfinite(sample.cohorts).sum())
    return (GuardFinding("effects_no_identified_cell", "refused", {"schools": n_schools}),)


def tabulate_estimates(
    effects: Floats,
    influence: ClusterInfluence,
    settings: EventStudySettings,
    *,
    degrees_of: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Return intervals and p-values of effects whose clusters are aligned, one row each.

    `p_adjusted` holds for all rows together, see `adjust_p_values`. Degrees of freedom are those given, or
    effective ones of the contributions.
    """
    std_errors = cluster_std_errors(influence)
    rows = []
    for position, (effect, error) in enumerate(zip(effects, std_errors, strict=True)):
        if not error > 0:
            rows.append((effect, error, np.nan, np.nan, np.nan, np.nan))
            continue
        own = influence.contributions[:, position]
        degrees = degrees_of_freedom(debiased_effective_clusters(own))
        if degrees_of is not None:
            degrees = degrees_of[position]
        interval = t_interval(effect, error, degrees, confidence_level=settings.confidence_level)
        rows.append((effect, error, degrees, *interval, 2 * stats.t.sf(abs(effect) / error, degrees)))
    table = pd.DataFrame(rows, columns=ESTIMATE_COLUMNS[:-1], dtype=float)
    p_values = table["p_value"].to_numpy()
    return table.assign(
        p_adjusted=adjust_p_values(p_values, influence, seed=settings.seed, n_draws=settings.n_draws)
    )


def adjust_p_values(p_values: Floats, influence: ClusterInfluence, *, seed: int, n_draws: int) -> Floats:
    """Adjust p-values of t-tests for the family, the dependence of the estimates used.

    Romano and Wolf's stepdown on normal multipliers shared by the estimates. Each t-statistic enters as the
    normal one of the same p-value: draws at a fixed standard error do not know that clusters are few, and
    their quantiles would lie below those of the t distribution. Missing p-values stay missing.

    Parameters
    ----------
    p_values : ndarray, (n_estimates,)
        Two-sided, of each estimate alone.
    influence : ClusterInfluence
        Contributions of the clusters to the estimates.
    seed, n_draws : int
        Of the multipliers.
    """
    adjusted = np.full(len(p_values), np.nan)
    known = np.flatnonzero(np.isfinite(p_values))
    if not len(known):
        return adjusted
    contributions = influence.contributions[:, known]
    rng = np.random.default_rng(seed)
    draws = np.zeros((n_draws, len(known)))
    for start in range(0, len(contributions), CLUSTERS_AT_ONCE):
        block = contributions[start : start + CLUSTERS_AT_ONCE]
        draws += rng.standard_normal((n_draws, len(block))) @ block
    own = p_values[known]
    statistics = stats.norm.isf(np.maximum(own, np.finfo(float).tiny) / 2)
    scale = np.sqrt((contributions**2).sum(axis=0))
    family = romano_wolf(statistics, np.ones(len(known)), draws / scale)
    adjusted[known] = np.maximum(family, own)
    return adjusted


def contrast_effects(
    names: Sequence[str], effects: Floats, influence: ClusterInfluence
) -> tuple[list[tuple[str, str]], Floats, ClusterInfluence]:
    """Return the pairs of effects, first less second, and what clusters add to each difference."""
    pairs = list(combinations(range(len(names)), 2))
    first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    moved = influence.contributions[:, first] - influence.contributions[:, second]
    named = [(names[one], names[other]) for one, other in pairs]
    return named, effects[first] - effects[second], ClusterInfluence(influence.clusters, moved)


def compute_equality_test(effects: Floats, influence: ClusterInfluence) -> EqualityTest:
    """Test whether all effects are equal.

    With G clusters and q differences, wald (G - q) / ((G - 1) q) is referred to F(q, G - q): Hotelling's
    distribution for means of G independent normal clusters whose covariance has its factor for few
    clusters, as contributions of `inflate_by_side` have. G is the least effective number of clusters
    behind a difference. With two effects it is the square of their t-statistic.
    """
    rest = len(effects) - 1
    blank = (np.nan, np.nan, float(max(rest, 0)), np.nan, np.nan)
    if rest < 1:
        return EqualityTest(*blank, "equality_one_effect")
    differences = effects[1:] - effects[0]
    moved = influence.contributions[:, 1:] - influence.contributions[:, :1]
    own = ClusterInfluence(influence.clusters, moved)
    covariance = cluster_covariance(own)
    roots = np.linalg.eigvalsh(covariance)
    if not roots[0] > SMALLEST_RATIO * roots[-1]:
        return EqualityTest(*blank, "equality_singular")
    everything = influence.contributions[:, :, None] - influence.contributions[:, None, :]
    rows, columns = np.triu_indices(len(effects), 1)
    clusters = min(
        debiased_effective_clusters(everything[:, i, j]) for i, j in zip(rows, columns, strict=True)
    )
    clusters = max(clusters, 2.0) if rest == 1 else clusters
    if not clusters > rest:
        return EqualityTest(*blank, "equality_few_clusters")
    wald = float(differences @ np.linalg.solve(covariance, differences))
    statistic = wald * (clusters - rest) / ((clusters - 1) * rest)
    p_value = float(stats.f.sf(statistic, rest, clusters - rest))
    return EqualityTest(wald, statistic, rest, clusters - rest, p_value, "")


def average_influence(sample: AdoptionSample, influence: ClusterInfluence) -> ClusterInfluence:
    """Return what the labelled clusters add to the average effect, the last column of an event study."""
    return name_clusters(sample, ClusterInfluence(influence.clusters, influence.contributions[:, -1:]))


def align_averages(parts: Sequence[ClusterInfluence]) -> ClusterInfluence:
    """Put averages side by side; without any there are no clusters either."""
    return align_clusters(parts) if parts else ClusterInfluence(np.empty(0, dtype=str), np.empty((0, 0)))
