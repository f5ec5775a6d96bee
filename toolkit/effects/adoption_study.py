"""One question about joining a programme, answered whole: design, effect, interval, what it can tell."""

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.event_study import AdoptionEventStudy, EventStudySettings, estimate_event_study
from toolkit.effects.guard import DesignGuard, check_design
from toolkit.effects.guard_limits import DEFAULT_LIMITS, DesignLimits
from toolkit.effects.printed_interval import PrintedInterval, print_interval
from toolkit.inference.honest_bounds import compute_honest_bounds
from toolkit.inference.honest_study import Breakdown, HonestInterval
from toolkit.inference.interval_rule import IntervalRule
from toolkit.inference.pretrends import (
    DetectableTrend,
    PlaceboTest,
    compute_joint_placebo_test,
    find_detectable_trend,
)

NO_BASE_YEAR = "sample_no_base_year"


@dataclass(frozen=True, slots=True)
class StudySettings:
    """How a study is designed. Set before looking at the results.

    Attributes
    ----------
    event_study : EventStudySettings
        Comparison, base year and years since joining. By default the base year is two years before
        joining, since schools may be chosen for a bad year just before.
    rule : IntervalRule
        Which interval is printed.
    limits : DesignLimits
        From where on the guard refuses or qualifies.
    ratios : tuple of float
        Bounds on the change of the difference in trends after the base year, relative to the largest before.
    curvatures : tuple of float
        Bounds on the change of its slope from year to year, in units of the outcome.
    """

    event_study: EventStudySettings = field(default_factory=lambda: EventStudySettings(anticipation=1))
    rule: IntervalRule = field(default_factory=IntervalRule)
    limits: DesignLimits = DEFAULT_LIMITS
    ratios: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)
    curvatures: tuple[float, ...] = (0.0, 0.02, 0.05)


@dataclass(frozen=True, slots=True)
class Robustness:
    """What happens to the average effect if trends were not parallel.

    Attributes
    ----------
    placebo : PlaceboTest
        Joint test of the years before the base year.
    detectable_trend : DetectableTrend
        Straight difference in trends that this test would find with power 50 %.
    intervals : tuple of HonestInterval
        One per bound; refused ones say why.
    breakdown_ratio, breakdown_curvature : Breakdown
        Smallest bound at which the interval contains zero.
    """

    placebo: PlaceboTest
    detectable_trend: DetectableTrend
    intervals: tuple[HonestInterval, ...]
    breakdown_ratio: Breakdown
    breakdown_curvature: Breakdown

    def tidy(self) -> pd.DataFrame:
        """Return one row per bound."""
        names = ("restriction", "bound", "estimate", "conf_low", "conf_high", "refusal")
        rows = [[getattr(one, name) for name in names] for one in self.intervals]
        return pd.DataFrame(rows, columns=list(names))


@dataclass(frozen=True, slots=True)
class AdoptionStudy:
    """The effect of joining on one outcome of one stage and role.

    Attributes
    ----------
    sample : AdoptionSample
        Schools that entered and those left out, schools without the base year among the latter.
    settings : StudySettings
        Design.
    guard : DesignGuard
        What the design cannot identify, or only with care.
    event_study : AdoptionEventStudy or None
        None where the guard refuses.
    interval : PrintedInterval or None
        The interval that the rule prints for the average effect, or why there is none.
    robustness : Robustness or None
        Placebo test and bounds; None where the guard refuses or years since joining have gaps.
    """

    sample: AdoptionSample
    settings: StudySettings
    guard: DesignGuard
    event_study: AdoptionEventStudy | None
    interval: PrintedInterval | None
    robustness: Robustness | None

    @property
    def is_refused(self) -> bool:
        """Whether nothing was estimated."""
        return self.event_study is None

    def tidy(self) -> pd.DataFrame:
        """Return the answer as one row; numbers are missing where the design was refused."""
        joined = self.sample.units["adoption_year"].notna()
        row: dict[str, object] = {
            "outcome": self.sample.outcome,
            "stage": self.sample.stage,
            "role": self.sample.rules.role,
            "n_adopters": int(joined.sum()),
            "n_groups": len(self.sample.units.loc[joined, ["county_id", "school_group"]].drop_duplicates()),
            "n_comparison": int((~joined).sum()),
            "n_years": len(self.sample.periods),
            "is_refused": self.is_refused,
        }
        numbers = ("effect", "std_error", "degrees", "detectable")
        average = None if self.event_study is None else self.event_study.average
        row |= {name: np.nan if average is None else getattr(average, name) for name in numbers}
        interval = self.interval
        row |= {
            name: np.nan if interval is None else getattr(interval, name)
            for name in ("conf_low", "conf_high", "p_value")
        }
        row["interval"] = "none" if interval is None else interval.choice.interval
        row["interval_reason"] = "" if interval is None else interval.choice.reason
        bounds = self.robustness
        row["placebo_p_value"] = np.nan if bounds is None else bounds.placebo.p_value
        row["breakdown_ratio"] = np.nan if bounds is None else bounds.breakdown_ratio.value
        return pd.DataFrame([row])


def estimate_adoption_study(sample: AdoptionSample, settings: StudySettings | None = None) -> AdoptionStudy:
    """Answer what joining did to an outcome, or say why it cannot be answered.

    Estimand: mean effect over the years since joining (0 to `last`), each year alike, on the schools that
    first joined, whatever came after; schools count as the sample says. The design is checked first and
    nothing is estimated that it cannot identify; the printed interval is that of a written rule which
    looks at the number of clusters, never at the estimate.

    Parameters
    ----------
    sample : AdoptionSample
        One stage, role and outcome.
    settings : StudySettings, optional
        Defaults as in the class.
    """
    chosen = settings or StudySettings()
    design = chosen.event_study
    whole = with_base_year(sample, anticipation=design.anticipation)
    cells = design.cells(whole)
    guard = check_design(
        whole,
        comparison=design.comparison,
        anticipation=design.anticipation,
        limits=chosen.limits,
        last=design.last,
        cells=cells,
    )
    if guard.is_refused:
        return AdoptionStudy(whole, chosen, guard, None, None, None)
    event_study = estimate_event_study(whole, design, cells=cells)
    return AdoptionStudy(
        sample=whole,
        settings=chosen,
        guard=guard,
        event_study=event_study,
        interval=print_interval(event_study, chosen.rule),
        robustness=_robustness(event_study, chosen),
    )


def with_base_year(sample: AdoptionSample, *, anticipation: int) -> AdoptionSample:
    """Leave out the adopters of cohorts whose base year lies before the data.

    Their years could only be compared with another base year, in which they may already have changed.
    """
    base = sample.cohorts - 1 - anticipation
    lacking = np.isfinite(base) & ~np.isin(base, sample.periods)
    return sample if not lacking.any() else leave_out(sample, lacking, NO_BASE_YEAR)


def leave_out(sample: AdoptionSample, out: np.ndarray, reason: str) -> AdoptionSample:
    """Return the sample without some units, which are listed with the reason."""
    kept = ~out
    lost = sample.units[out].assign(reason=reason)[sample.left_out.columns.tolist()]
    clusters = np.unique(sample.clusters[kept], return_inverse=True)[1].astype(np.int64)
    return replace(
        sample,
        units=sample.units[kept].reset_index(drop=True),
        outcomes=sample.outcomes[kept],
        covariates=sample.covariates[kept],
        weights=sample.weights[kept],
        clusters=clusters,
        left_out=pd.concat([sample.left_out, lost], ignore_index=True),
    )


def _robustness(event_study: AdoptionEventStudy, settings: StudySettings) -> Robustness | None:
    """Test the years before, and bound the average; None where years have gaps or no error."""
    if not event_study.bears_bounds:
        return None
    study, weights = event_study.for_bounds()
    bounds = compute_honest_bounds(
        study,
        weights,
        ratios=settings.ratios,
        curvatures=settings.curvatures,
        confidence_level=settings.event_study.confidence_level,
    )
    return Robustness(
        placebo=compute_joint_placebo_test(study),
        detectable_trend=find_detectable_trend(study, weights),
        intervals=bounds.intervals,
        breakdown_ratio=bounds.breakdown_ratio,
        breakdown_curvature=bounds.breakdown_curvature,
    )
