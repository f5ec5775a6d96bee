"""Overall averages of group-time effects under many assignments at once, for permutation and power."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from toolkit.models.group_time import NEVER, AdoptionPanel, Comparison
from toolkit.models.group_time_samples import LARGEST_PROPENSITY, TRIMMED_PROPENSITY
from toolkit.models.propensity_batch import fit_propensities

BLOCK_VALUES = 2**17
"""Values of one array of assignments by units: what is held at a time is some tens of these."""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
OverallKind = Literal["simple", "event_time"]


@dataclass(frozen=True, slots=True)
class OverallEffects:
    """Overall average effects under many assignments.

    Attributes
    ----------
    overall : ndarray of float, (n_outcomes, n_assignments)
        Missing where no effect from adoption on is identified.
    contributions : ndarray of float, (n_outcomes, n_assignments, n_clusters)
        Sum of the influence in each cluster over the number of units; missing likewise.
    """

    overall: Floats
    contributions: Floats


@dataclass(frozen=True, slots=True)
class _Cell:
    """A cohort and period, with its base, its comparison and the average it enters."""

    cohort: float
    threshold: float
    period: int
    before: int
    point: float


def estimate_overall_effects(
    outcomes: Floats,
    cohorts: Floats,
    panel: AdoptionPanel,
    clusters: NDArray[np.intp],
    *,
    kind: OverallKind = "event_time",
    comparison: Comparison = "never",
    anticipation: int = 0,
    last: float = np.inf,
) -> OverallEffects:
    """Estimate the overall average of the group-time effects, assignment by assignment.

    Equal to `aggregate_group_time(estimate_group_time(...), kind, event_times=(-inf, last)).overall` for
    every outcome and assignment; the logits and regressions of all assignments are solved side by side.
    The base of the periods before adoption does not matter to it. An assignment without overlap or
    comparison in some cell has the average over its other cells, an event time without any cell is left
    out of the mean over event times, and without any cell the average is missing.

    Parameters
    ----------
    outcomes : ndarray of float, (n_outcomes, n_units, n_periods)
        A cell takes the units seen in both of its periods. Missing in the same places in all.
    cohorts : ndarray of float, (n_assignments, n_units)
        First treated period under each assignment; infinite if never.
    panel : AdoptionPanel
        Periods, covariates and weights; its outcomes and cohorts are not used.
    clusters : ndarray of int, (n_units,)
        From 0.
    kind : {"simple", "event_time"}
        All cells from adoption on by size of the cohort, or event times with equal weight.
    comparison, anticipation
        See `estimate_group_time`.
    last : float
        Last time since adoption that enters.

    Raises
    ------
    ValueError
        If the outcomes are not missing in the same places.
    """
    seen = np.isfinite(outcomes)
    if (seen != seen[0]).any():
        raise ValueError("outcomes must be missing in the same places")
    problem = _Problem(outcomes, seen[0], panel, clusters, comparison, anticipation)
    cells = problem.cells(cohorts, kind, last)
    n_clusters = int(clusters.max()) + 1
    overall = np.full((len(outcomes), len(cohorts)), np.nan)
    contributions = np.full((len(outcomes), len(cohorts), n_clusters), np.nan)
    block = max(1, BLOCK_VALUES // cohorts.shape[1])
    for start in range(0, len(cohorts) if cells else 0, block):
        own = slice(start, start + block)
        overall[:, own], contributions[:, own] = problem.solve(cohorts[own], cells)
    return OverallEffects(overall, contributions)


class _Problem:
    """What all assignments share."""

    def __init__(
        self,
        outcomes: Floats,
        seen: Flags,
        panel: AdoptionPanel,
        clusters: NDArray[np.intp],
        comparison: Comparison,
        anticipation: int,
    ) -> None:
        self.outcomes, self.seen = np.where(seen, outcomes, 0.0), seen
        self.is_complete = bool(seen.all())
        self.periods, self.weights = panel.periods, panel.weights
        self.comparison, self.anticipation = comparison, anticipation
        self.start = panel.periods[0] + anticipation
        self.design = np.column_stack([np.ones(len(clusters)), panel.covariates])
        units = np.arange(len(clusters))
        self.membership = sparse.csr_matrix((np.ones(len(units)), (clusters, units)))

    def cells(self, cohorts: Floats, kind: OverallKind, last: float) -> list[_Cell]:
        """Return every cohort and period from adoption on that occurs in some assignment."""
        dates = np.unique(cohorts)
        found = []
        for date in dates[np.isfinite(dates) & (dates > self.start)]:
            before = int(np.flatnonzero(self.periods + self.anticipation < date)[-1])
            for position in np.flatnonzero(self.periods >= date):
                event_time = float(np.round(self.periods[position] - date, 9))
                if event_time > last:
                    continue
                later = dates[dates > self.periods[position] + self.anticipation]
                threshold = NEVER if self.comparison == "never" or not len(later) else float(later[0])
                point = event_time if kind == "event_time" else 0.0
                found.append(_Cell(float(date), threshold, int(position), before, point))
        return found

    def solve(self, cohorts: Floats, cells: list[_Cell]) -> tuple[Floats, Floats]:
        """Return averages and contributions of the clusters for a block of assignments."""
        used = cohorts > self.start
        n_used = np.maximum(used.sum(axis=1), 1)
        samples = self._samples(cohorts, cells)
        effects = np.zeros((len(self.outcomes), len(cohorts), len(cells)))
        is_known = np.zeros((len(cohorts), len(cells)), dtype=bool)
        for sample, own in samples:
            is_known[sample.rows[:, None], own] = True
            for position, outcome in enumerate(self.outcomes):
                own_effects = sample.effects(self._changes(outcome, cells, own))
                effects[position, sample.rows[:, None], own] = own_effects
        dates, of_cell = np.unique([cell.cohort for cell in cells], return_inverse=True)
        member = [self.weights * (cohorts == date) for date in dates]
        shares = np.column_stack([own.sum(axis=1) / n_used for own in member])
        average = _Average(effects, is_known, shares[:, of_cell], np.array([cell.point for cell in cells]))
        influence = np.zeros((len(self.outcomes), *cohorts.shape))
        for sample, own in samples:
            weights = average.weights[sample.rows[:, None], own]
            for position, outcome in enumerate(self.outcomes):
                own_influence = sample.influence(weights @ self._changes(outcome, cells, own))
                influence[position, sample.rows] += own_influence
        # The sizes of the cohorts are estimates, too.
        surplus = np.stack([average.surplus[:, :, of_cell == own].sum(axis=2) for own in range(len(dates))])
        of_size = np.einsum("gmb,bg->mb", surplus, shares)
        for own, moved in zip(member, surplus, strict=True):
            influence += own * (moved / n_used)[:, :, None]
        influence -= used * (of_size / n_used)[:, :, None]
        sums = (self.membership @ influence.reshape(-1, cohorts.shape[1]).T).T
        sums = sums.reshape(*influence.shape[:2], -1)
        sums[:, ~is_known.any(axis=1)] = np.nan
        return average.overall, sums

    def _samples(self, cohorts: Floats, cells: list[_Cell]) -> "list[tuple[_Samples, NDArray[np.intp]]]":
        """Return the cohorts with their comparison, each with the cells that it serves."""
        served: dict[tuple[float, float, tuple[int, ...]], list[int]] = {}
        for position, cell in enumerate(cells):
            pair = () if self.is_complete else (cell.period, cell.before)
            served.setdefault((cell.cohort, cell.threshold, pair), []).append(position)
        found = []
        for (cohort, threshold, pair), own in served.items():
            seen = self.seen[:, pair].all(axis=1)
            treated = seen & (cohorts == cohort)
            controls = seen & (cohorts >= threshold) & ~treated
            found.append((_fit(self.design, self.weights, treated, controls), np.array(own)))
        return found

    def _changes(self, outcome: Floats, cells: list[_Cell], own: NDArray[np.intp]) -> Floats:
        """Return the change since the base period of each cell, (n_cells, n_units)."""
        now, then = [cells[cell].period for cell in own], [cells[cell].before for cell in own]
        return (outcome[:, now] - outcome[:, then]).T


class _Average:
    """Averages of the cells by size of their cohorts within points, and of the points with equal weight."""

    def __init__(self, effects: Floats, is_known: Flags, shares: Floats, points: Floats) -> None:
        known = shares * is_known
        at, of_cell = np.unique(points, return_inverse=True)
        belongs = (of_cell[:, None] == np.arange(len(at))).astype(float)
        totals = known @ belongs
        n_points = np.maximum((totals > 0).sum(axis=1, keepdims=True), 1)
        scale = 1 / (np.where(totals > 0, totals, 1.0) * n_points)
        means = (effects * known) @ belongs / np.where(totals > 0, totals, 1.0)
        self.weights = known * scale[:, of_cell]
        self.overall = np.where(is_known.any(axis=1), (effects * self.weights).sum(axis=2), np.nan)
        # What a larger share of its cohort adds by way of each cell.
        self.surplus = (effects - means[:, :, of_cell]) * (is_known * scale[:, of_cell])


@dataclass(frozen=True, slots=True)
class _Samples:
    """A cohort and its comparison under those assignments in which they identify an effect.

    Attributes
    ----------
    rows : ndarray of int, (n_rows,)
        Assignments.
    design : ndarray, (n_units, n_terms)
        With a constant.
    controls : ndarray, (n_rows, n_units)
        Weight of the units in the regression of the outcomes.
    inverse : ndarray, (n_rows, n_terms, n_terms)
        Inverse of its cross product.
    treated_shares, control_shares, of_residuals : ndarray, (n_rows, n_units)
        Weights in the mean of the cohort, in that of the comparison, and by way of the regression.
    scores, information : ndarray
        Residuals of the logit and the inverse of its information.
    """

    rows: NDArray[np.intp]
    design: Floats
    controls: Floats
    inverse: Floats
    treated_shares: Floats
    control_shares: Floats
    of_residuals: Floats
    scores: Floats
    information: Floats

    def effects(self, changes: Floats) -> Floats:
        """Return the effect of each cell from its changes (n_cells, n_units), (n_rows, n_cells)."""
        return (self.treated_shares - self.control_shares + self.of_residuals) @ changes.T

    def influence(self, changes: Floats) -> Floats:
        """Return the influence of the units over their number, from changes (n_rows, n_units)."""
        slopes = _times(self.inverse, (self.controls * changes) @ self.design)
        gaps = changes - slopes @ self.design.T
        of_treated, of_controls = self.treated_shares * gaps, self.control_shares * gaps
        mean_treated, mean_controls = of_treated.sum(axis=1), of_controls.sum(axis=1)
        moved = of_controls @ self.design - mean_controls[:, None] * (self.control_shares @ self.design)
        of_odds = self.scores * (_times(self.information, moved) @ self.design.T)
        centred = of_treated - self.treated_shares * mean_treated[:, None]
        centred -= of_controls - self.control_shares * mean_controls[:, None]
        return centred + self.of_residuals * gaps - of_odds


def _fit(design: Floats, weights: Floats, treated: Flags, controls: Flags) -> _Samples:
    """Fit propensities and regressions; keep the assignments in which both are identified."""
    n_terms = design.shape[1]
    outer = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    rows = np.flatnonzero(treated.any(axis=1) & controls.any(axis=1))
    cross = ((controls[rows] * weights) @ outer).reshape(-1, n_terms, n_terms)
    rows = rows[_is_regular(cross)]
    fitted, is_fitted = fit_propensities(design, treated[rows], treated[rows] | controls[rows], weights)
    is_fitted &= ~((fitted > LARGEST_PROPENSITY) & treated[rows]).any(axis=1)
    kept = fitted < TRIMMED_PROPENSITY
    odds = np.divide(fitted, 1 - fitted, out=np.zeros_like(fitted), where=kept) * controls[rows] * weights
    is_fitted &= odds.sum(axis=1) > 0
    rows, odds, chance = rows[is_fitted], odds[is_fitted], fitted[is_fitted]
    of_controls, own = controls[rows] * weights, treated[rows] * weights
    inverse = _inverse((of_controls @ outer).reshape(-1, n_terms, n_terms))
    both = of_controls + own
    information = ((both * chance * (1 - chance)) @ outer).reshape(-1, n_terms, n_terms)
    treated_shares = own / own.sum(axis=1, keepdims=True)
    control_shares = odds / odds.sum(axis=1, keepdims=True)
    predicted = _times(inverse, (control_shares - treated_shares) @ design)
    return _Samples(
        rows=rows,
        design=design,
        controls=of_controls,
        inverse=inverse,
        treated_shares=treated_shares,
        control_shares=control_shares,
        of_residuals=of_controls * (predicted @ design.T),
        scores=both * (treated[rows] - chance),
        information=_inverse(information),
    )


def _is_regular(matrices: Floats) -> Flags:
    """Tell which of the symmetric matrices have full rank."""
    if not len(matrices):
        return np.zeros(0, dtype=bool)
    return np.linalg.matrix_rank(matrices, hermitian=True) == matrices.shape[1]


def _inverse(matrices: Floats) -> Floats:
    return np.linalg.inv(matrices).astype(np.float64, copy=False)


def _times(matrices: Floats, vectors: Floats) -> Floats:
    return np.einsum("rkl,rl->rk", matrices, vectors)
