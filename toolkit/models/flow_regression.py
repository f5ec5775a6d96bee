"""Several flows at once on an outcome: a linear panel regression with unit and period effects."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.models.two_way import TwoWayEffects

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

INDEPENDENT = 1e-8
"""A flow of which less than this share is left beside the other terms is not told apart from them."""


@dataclass(frozen=True, slots=True)
class FlowPanel:
    """Outcome and flows of units over periods.

    Attributes
    ----------
    outcomes : ndarray, (n_units, n_periods)
        Missing where not observed.
    flows : ndarray, (n_units, n_periods, n_flows)
        Doses whose effects are wanted; a cell with a missing one does not enter.
    controls : ndarray, (n_units, n_periods, n_controls)
        Other terms; missing ones keep the cell out, too.
    weights : ndarray, (n_units,)
        Above zero.
    blocks : ndarray of int, (n_units,)
        County of each unit: period effects are those of the county and period.
    with_trends : bool
        Whether each unit has a linear trend of its own.
    """

    outcomes: Floats
    flows: Floats
    controls: Floats
    weights: Floats
    blocks: Whole
    with_trends: bool = False

    def __post_init__(self) -> None:
        shape = self.outcomes.shape
        if self.flows.shape[:2] != shape or self.controls.shape[:2] != shape:
            raise ValueError("flows and controls must have the units and periods of the outcome")
        if not (self.weights > 0).all():
            raise ValueError("weights must be above zero")

    @property
    def cells(self) -> NDArray[np.bool_]:
        """Observations that enter: complete, and of units with two or more of them, (n_units, n_periods)."""
        complete = np.isfinite(self.outcomes)
        for terms in (self.flows, self.controls):
            complete &= np.isfinite(terms).all(axis=2)
        return complete & (complete.sum(axis=1) > 1)[:, None]

    def take(self, kept: NDArray) -> "FlowPanel":
        """Return the panel of some units."""
        return FlowPanel(
            self.outcomes[kept],
            self.flows[kept],
            self.controls[kept],
            self.weights[kept],
            self.blocks[kept],
            self.with_trends,
        )


@dataclass(frozen=True, slots=True)
class FlowRegression:
    """Effects of flows, and what each observation adds to their error.

    Attributes
    ----------
    estimates : ndarray, (n_flows,)
        In units of the outcome per unit of the flow.
    contributions : ndarray, (n_units, n_periods, n_flows)
        An estimate minus its limit is about the sum of its slice; zero outside the cells.
    loads : ndarray, (n_units, n_periods, n_flows)
        Weight of each outcome in the estimate, which is their weighted sum.
    outcome, flows : ndarray, (n_obs,) and (n_obs, n_flows)
        Effects, controls and weights taken out: the regression of the first on the second is the estimate.
    cells : ndarray of bool, (n_units, n_periods)
        Observations, in the order of `outcome`.
    panel : FlowPanel
        The data.
    """

    estimates: Floats
    contributions: Floats
    loads: Floats
    outcome: Floats
    flows: Floats
    cells: NDArray[np.bool_]
    panel: FlowPanel

    @property
    def units(self) -> Whole:
        """Unit of each observation, (n_obs,)."""
        return np.nonzero(self.cells)[0]

    @property
    def correlations(self) -> Floats:
        """Correlations of the flows once effects and controls are taken out, (n_flows, n_flows)."""
        gram = self.flows.T @ self.flows
        scale = np.sqrt(np.diag(gram))
        return gram / np.outer(scale, scale)

    @property
    def spreads(self) -> Floats:
        """Standard deviation of what is left of each flow, over the observations, (n_flows,)."""
        weights = self.panel.weights[self.units]
        return np.sqrt((self.flows**2).sum(axis=0) / weights.sum())

    def residualise(self, observations: Floats) -> Floats:
        """Take effects and controls out of weighted observations, (n_obs, k)."""
        root = np.sqrt(self.panel.weights[self.units])
        values = np.zeros((*self.cells.shape, observations.shape[1]))
        values[self.cells] = observations / root[:, None]
        return _partial_out(self.panel, self.cells, values)


def estimate_flow_regression(panel: FlowPanel) -> FlowRegression:
    """Estimate the effects of several flows by weighted least squares with unit and period effects.

    The outcome is taken as linear in the flows, with the same effect per unit of flow in all units and
    periods, and flows must not answer to shocks of the outcome before or after (strict exogeneity). If
    effects differ, each estimate is an average of them in which observations count by how much of the
    flow the other terms leave, and mixes in effects of the other flows where these differ, too.

    Parameters
    ----------
    panel : FlowPanel
        Outcome, flows and controls.

    Raises
    ------
    ValueError
        If nothing is left of a flow beside the effects, controls and other flows.
    """
    cells = panel.cells
    weights = panel.weights[np.nonzero(cells)[0]]
    before = (weights[:, None] * panel.flows[cells] ** 2).sum(axis=0)
    stacked = np.concatenate([panel.flows, panel.outcomes[:, :, None]], axis=2)
    left = _partial_out(panel, cells, stacked)
    flows, outcome = left[:, :-1], left[:, -1]
    gram = flows.T @ flows
    own = np.array([_left_alone(gram, term) for term in range(len(gram))])
    if (own <= INDEPENDENT * before).any() or not (before > 0).all():
        raise ValueError("a flow is not told apart from the effects and the other flows")
    inverse = np.linalg.inv(gram)
    estimates = inverse @ (flows.T @ outcome)
    influence = flows @ inverse
    root = np.sqrt(weights)
    contributions = np.zeros((*cells.shape, len(estimates)))
    contributions[cells] = influence * (outcome - flows @ estimates)[:, None]
    loads = np.zeros_like(contributions)
    loads[cells] = influence * root[:, None]
    return FlowRegression(estimates, contributions, loads, outcome, flows, cells, panel)


def _left_alone(gram: Floats, term: int) -> float:
    """Return what the other terms leave of the sum of squares of one."""
    others = [other for other in range(len(gram)) if other != term]
    if not others:
        return float(gram[term, term])
    fitted = np.linalg.lstsq(gram[np.ix_(others, others)], gram[others, term], rcond=None)[0]
    return float(gram[term, term] - gram[term, others] @ fitted)


def _partial_out(panel: FlowPanel, cells: NDArray[np.bool_], values: Floats) -> Floats:
    """Take unit effects, effects of block and period, and controls out; rows times the root of the weight."""
    terms = np.concatenate([panel.controls, values], axis=2)
    observations = (
        _without_trends(panel, cells, terms) if panel.with_trends else _demeaned(panel, cells, terms)
    )
    n_nuisances = observations.shape[1] - values.shape[2]
    nuisances, rest = observations[:, :n_nuisances], observations[:, n_nuisances:]
    if not n_nuisances:
        return rest
    return rest - nuisances @ np.linalg.lstsq(nuisances, rest, rcond=None)[0]


def _demeaned(panel: FlowPanel, cells: NDArray[np.bool_], terms: Floats) -> Floats:
    """Return the terms without effects of unit and of block and period, (n_obs, n_terms)."""
    left = np.zeros_like(terms)
    for block in np.unique(panel.blocks):
        own = panel.blocks == block
        effects = TwoWayEffects(cells[own], panel.weights[own])
        for term in range(terms.shape[2]):
            given = np.where(cells[own], terms[own, :, term], 0.0)
            left[own, :, term] = effects.gaps(given)
    return left[cells] * np.sqrt(panel.weights[np.nonzero(cells)[0]])[:, None]


def _without_trends(panel: FlowPanel, cells: NDArray[np.bool_], terms: Floats) -> Floats:
    """Return dummies of block and period, then the terms, without effects and trends of units."""
    units, periods = np.nonzero(cells)
    pair = panel.blocks[units] * cells.shape[1] + periods
    dummies = (pair[:, None] == np.unique(pair)[None, :]).astype(np.float64)
    root = np.sqrt(panel.weights[units])[:, None]
    left = np.hstack([dummies, terms[cells]]) * root
    for unit in np.unique(units):
        own = units == unit
        basis, _ = np.linalg.qr(root[own] * np.column_stack([np.ones(own.sum()), periods[own]]))
        left[own] -= basis @ (basis.T @ left[own])
    return left
