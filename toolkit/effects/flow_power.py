"""What a study of rotation can detect, and what smaller effects would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.flow_effects import FlowStudy, linked_covariance
from toolkit.effects.rotation_data import RotationSample, rotation_settings
from toolkit.effects.rotation_guard import effective_schools
from toolkit.inference.clusters import degrees_of_freedom
from toolkit.inference.power_curve import PowerCurve
from toolkit.inference.power_needs import ScaledNeeds, StudyPrecision, needs_of_precision
from toolkit.models.flow_regression import FlowPanel, FlowRegression, estimate_flow_regression

Floats = NDArray[np.float64]

NEEDS_COLUMNS = ["flow", "effect", "schools", "years", "counties", "power"]


@dataclass(frozen=True, slots=True)
class FlowPower:
    """What it takes to detect effects of receiving and of sending.

    Attributes
    ----------
    study : FlowStudy
        The study it is scaled from.
    needs : mapping of str to tuple of ScaledNeeds
        By flow in and flow out, one per planned effect; empty where the study was refused.
    curves : mapping of str to PowerCurve
        By the same flows, power of the study itself by placebo flows.
    """

    study: FlowStudy
    needs: Mapping[str, tuple[ScaledNeeds, ...]]
    curves: Mapping[str, PowerCurve]

    @property
    def n_schools(self) -> int:
        """Number of schools that enter the estimate; 0 where it was refused."""
        return 0 if self.study.regression is None else _n_schools(self.study.regression)

    @property
    def n_years(self) -> int:
        """Number of school years that enter the estimate; 0 where it was refused."""
        return 0 if self.study.regression is None else _n_years(self.study.regression)

    def tidy(self) -> pd.DataFrame:
        """Return one row per flow and planned effect; `power` is that of the study itself."""
        rows = [
            (flow, one.effect, one.schools, one.years, one.counties, self.power(flow, one.effect))
            for flow, needs in self.needs.items()
            for one in needs
        ]
        return pd.DataFrame(rows, columns=NEEDS_COLUMNS).assign(stage=self.study.sample.stage)

    def power(self, flow: str, effect: float) -> float:
        """Return the chance that the study detects an effect, by simulation."""
        curve = self.curves[flow]
        return float(np.interp(effect, curve.effects, curve.rejected))


def compute_flow_power(
    study: FlowStudy, *, effects: Sequence[float] | None = None, n_draws: int | None = None
) -> FlowPower:
    """Compute what receiving and sending effects need to be found, and what the study itself finds.

    Needs are scaled from the standard error and the effective number of schools of each estimate. The
    simulation takes the estimated effects off the outcomes, lets whole histories of flows change places
    between the schools of a county (teachers keep whom they linked), and counts rejections of the t test of
    the study, estimated anew: outcomes keep their own covariance over years. It is the power of flows that
    go to schools at random. Its size at no effect is part of the result.

    Parameters
    ----------
    study : FlowStudy
        Of one stage.
    effects : sequence of float, optional
        To plan for, per full-time teacher and 100 students; by default those of the settings.
    n_draws : int, optional
        Placebo flows; by default as many as the settings say.
    """
    if study.regression is None:
        return FlowPower(study, {}, {})
    rule, settings = rotation_settings("planning"), study.settings
    levels = {"power": settings.power, "size": 1 - settings.confidence_level}
    counties = len(np.unique(study.sample.blocks))
    planned = tuple(rule["effects"] if effects is None else effects)
    needs = {}
    for row in study.table.head(2).to_dict("records"):
        precision = StudyPrecision(
            std_error=float(row["std_error"]),
            effective_clusters=float(row["effective"]),
            n_schools=_n_schools(study.regression),
            n_years=_n_years(study.regression),
        )
        found = needs_of_precision(planned, precision, **levels)
        needs[str(row["flow"])] = tuple(_over(one, counties) for one in found)
    grid = np.array(rule["simulated"], dtype=float)
    draws = int(rule["draws"]) if n_draws is None else n_draws
    return FlowPower(study, needs, _simulate(study, study.regression, grid, draws))


def _over(needs: ScaledNeeds, counties: int) -> ScaledNeeds:
    """Return needs whose counties are single ones, not multiples of those of the study."""
    number = needs.counties and needs.counties * counties
    return ScaledNeeds(needs.effect, needs.schools, needs.years, number)


def _n_schools(found: FlowRegression) -> int:
    return int(found.cells.any(axis=1).sum())


def _n_years(found: FlowRegression) -> int:
    return int(found.cells.any(axis=0).sum())


def _simulate(study: FlowStudy, found: FlowRegression, grid: Floats, n_draws: int) -> dict[str, PowerCurve]:
    """Return the power of the tests of receiving and sending by placebo flows."""
    sample, settings = study.sample, study.settings
    flows = found.panel.flows
    untreated = sample.outcomes - flows @ found.estimates
    rng = np.random.default_rng(settings.seed)
    p_values = np.full((n_draws, len(grid), 2), np.nan)
    for draw in range(n_draws):
        order = _shuffle(sample.blocks, rng)
        panel = FlowPanel(untreated, flows[order], sample.controls, sample.weights, sample.blocks)
        p_values[draw] = _tests(panel, _moved_links(sample, order), grid)
    size = 1 - settings.confidence_level
    rejected = (p_values <= size).mean(axis=0)
    return {
        name: PowerCurve(grid, rejected[:, place], n_draws, size)
        for place, name in enumerate(settings.flows[:2])
    }


def _shuffle(blocks: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.intp]:
    """Return for each school the one of its county whose flows it takes."""
    order = np.arange(len(blocks))
    for block in np.unique(blocks):
        own = np.flatnonzero(blocks == block)
        order[own] = rng.permutation(own)
    return order


def _moved_links(sample: RotationSample, order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return the links of teachers between the schools that now have their flows."""
    place = np.argsort(order)
    return np.column_stack([place[sample.links[:, :2]], sample.links[:, 2]])


def _tests(panel: FlowPanel, links: NDArray[np.int64], grid: Floats) -> Floats:
    """Return p-values of the first two flows at each effect, (n_effects, 2); missing where not identified.

    An effect of a flow moves its own estimate by itself and nothing else, so that one estimate serves all.
    """
    try:
        found = estimate_flow_regression(panel)
    except ValueError:
        return np.full((len(grid), 2), np.nan)
    errors = np.sqrt(np.diag(linked_covariance(found, links)))[:2]
    degrees = np.array([degrees_of_freedom(one) for one in effective_schools(found)[:2]])
    statistics = np.abs(found.estimates[:2] + grid[:, None]) / errors
    return np.asarray(2 * stats.t.sf(statistics, degrees))
