"""Total effects by doses that move both ways, if trends were not parallel: honest bounds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.flow_paths import LEAST_SWITCHERS, FlowPaths
from toolkit.effects.rotation_data import rotation_settings
from toolkit.inference.clusters import debiased_effective_clusters
from toolkit.inference.honest_bounds import compute_honest_bounds
from toolkit.inference.honest_study import Breakdown, EventStudy, HonestInterval
from toolkit.models.switching_dose_effects import SwitchingDoseEffects

Floats = NDArray[np.float64]

BOUND_COLUMNS = ["flow", "restriction", "bound", "estimate", "conf_low", "conf_high", "refusal"]


@dataclass(frozen=True, slots=True)
class PathBounds:
    """Intervals of the total effect of one flow that allow for a difference in trends.

    Attributes
    ----------
    flow : str
        Name of the flow.
    study : EventStudy or None
        Years before and since the first change; None where too few schools are behind the first year.
    intervals : tuple of HonestInterval
        One per bound; refused ones say why.
    breakdowns : tuple of Breakdown
        By restriction, smallest bound at which the interval contains zero.
    """

    flow: str
    study: EventStudy | None
    intervals: tuple[HonestInterval, ...]
    breakdowns: tuple[Breakdown, ...]

    @property
    def refusal(self) -> str:
        """Return why there is no interval, "no_first_year" or as `refuse_bounds`; empty if there is one."""
        return self.intervals[0].refusal if self.intervals else "no_first_year"


@dataclass(frozen=True, slots=True)
class FlowBounds:
    """Honest bounds of one stage.

    Attributes
    ----------
    paths : FlowPaths
        What is bounded.
    flows : tuple of PathBounds
        One per flow that is not refused in `paths`.
    """

    paths: FlowPaths
    flows: tuple[PathBounds, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per flow and bound, `BOUND_COLUMNS`."""
        rows = [
            (bounds.flow, *(getattr(one, name) for name in BOUND_COLUMNS[1:]))
            for bounds in self.flows
            for one in bounds.intervals
        ]
        return pd.DataFrame(rows, columns=BOUND_COLUMNS).assign(stage=self.paths.sample.stage)


def bound_flow_paths(
    paths: FlowPaths, *, ratios: Sequence[float] | None = None, curvatures: Sequence[float] | None = None
) -> FlowBounds:
    """Bound the total effect of each flow if trends of changed and unchanged schools differ.

    The target is the total effect of one full-time teacher and 100 students, as in `FlowPaths.averages`, over
    the years that are shown. Differences in trends are those of outcomes, in standard deviations a year:
    schools whose flow rose against unchanged ones, and unchanged ones against schools whose flow fell.

    Parameters
    ----------
    paths : FlowPaths
        Of one stage.
    ratios, curvatures : sequence of float, optional
        Bounds on relative magnitudes and on the change of the slope; by default those of the settings.

    Notes
    -----
    Years have different schools behind them: a trend of some that leave before the last year shows as a
    change of the difference from year to year.
    """
    settings = rotation_settings("bounds")
    bounds = (
        tuple(settings["ratios"] if ratios is None else ratios),
        tuple(settings["curvatures"] if curvatures is None else curvatures),
    )
    level = paths.confidence_level
    return FlowBounds(
        paths, tuple(_bound(name, found, bounds, level) for name, found in paths.estimates.items())
    )


def path_event_study(found: SwitchingDoseEffects) -> tuple[EventStudy, Floats] | None:
    """Return effects by year as honest bounds take them, and the weights of the total effect.

    Effects are those of whole paths, not divided by the flow, which grows with the years: only so is a
    straight difference in trends a straight line through zero in the base year, the last before the change.
    The effect l years on and the placebo of l years are changes from there, forwards and backwards. Years are
    taken from the change outwards, as long as they have schools enough behind them, by number and by
    effective number: one that hangs on two schools has a variance that nobody knows.

    Returns
    -------
    tuple of EventStudy and ndarray, or None
        None where the year of the change itself has too few. The effective number of clusters is that behind
        the total effect, as in the study of joining.
    """
    place = {int(time): at for at, time in enumerate(found.event_times) if _is_usable(found, at)}
    after = _outwards(place, 1)
    if not after:
        return None
    before = _outwards(place, -1)[::-1]
    chosen = [*before, *after]
    weights = _target_weights(found, after)
    study = EventStudy(
        before=found.effects[before],
        after=found.effects[after],
        covariance=found.covariance[np.ix_(chosen, chosen)],
        effective_clusters=debiased_effective_clusters(found.influence[:, after] @ weights),
    )
    return study, weights


def _is_usable(found: SwitchingDoseEffects, at: int) -> bool:
    """Say whether a year has schools enough behind it."""
    if found.n_switchers[at] < LEAST_SWITCHERS or not found.std_errors[at] > 0:
        return False
    return debiased_effective_clusters(found.influence[:, at]) >= LEAST_SWITCHERS


def _outwards(place: dict[int, int], step: int) -> list[int]:
    """Return the positions of consecutive years from the change on, forwards or backwards."""
    found, time = [], step
    while time in place:
        found.append(place[time])
        time += step
    return found


def _target_weights(found: SwitchingDoseEffects, after: list[int]) -> Floats:
    """Return the weights that turn effects of paths into the total effect of one unit of the flow.

    Effects of all switchers and years add up, over the flow beyond the first one in these years.
    """
    schools = found.switcher_weights[after]
    # The current flow is the share of lag zero in the summed departure of the flow.
    current = found.lag_weights[: len(after), 0] * found.dose_changes[after]
    return schools / float(schools @ current)


def _bound(
    name: str,
    found: SwitchingDoseEffects,
    allowed: tuple[tuple[float, ...], tuple[float, ...]],
    level: float,
) -> PathBounds:
    """Return the intervals and breakdown values of one flow."""
    given = path_event_study(found)
    if given is None:
        return PathBounds(name, None, (), ())
    study, weights = given
    ratios, curvatures = allowed
    bounds = compute_honest_bounds(
        study, weights, ratios=ratios, curvatures=curvatures, confidence_level=level
    )
    return PathBounds(name, study, bounds.intervals, (bounds.breakdown_ratio, bounds.breakdown_curvature))
