"""What single groups do to an effect, and what schools that only looked weak show without any programme."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.adoption_study import AdoptionStudy, leave_out
from toolkit.effects.event_study import AverageEffect, EventStudySettings, estimate_average
from toolkit.effects.sample_cells import treated_without_effect
from toolkit.models.group_time import NEVER

Floats = NDArray[np.float64]

LEAVE_ONE_OUT_COLUMNS = ["school_group", "n_schools", "effect", "std_error", "change", "reason"]
PLACEBO_COLUMNS = [
    "anticipation",
    "is_study_base",
    "n_schools",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
]
LEAST_GROUPS = 2
LEAST_PLACEBOS = 3
PLACEBO_OUT = "sample_placebo"


@dataclass(frozen=True, slots=True)
class LeaveOneGroupOut:
    """The average effect without each group in turn.

    Attributes
    ----------
    effect : float
        With all groups.
    table : pandas.DataFrame
        One row per group: its schools, the effect without it and its standard error, the change, and why
        there is none (a vocabulary code) or "".
    """

    effect: float
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per group."""
        return self.table

    @property
    def range(self) -> tuple[float, float]:
        """Smallest and largest effect without one group."""
        return float(self.table["effect"].min()), float(self.table["effect"].max())


@dataclass(frozen=True, slots=True)
class PlaceboAdoption:
    """What the design finds among schools that were as weak as those chosen, but joined nothing.

    Attributes
    ----------
    table : pandas.DataFrame
        One row per base year: `anticipation` (years before joining that are left out of the base),
        whether it is that of the study, placebo schools, effect, standard error and t interval.
    reason : str
        Why there is no table (a vocabulary code), or "".
    """

    table: pd.DataFrame
    reason: str

    def tidy(self) -> pd.DataFrame:
        """Return one row per base year."""
        return self.table


def leave_one_group_out(study: AdoptionStudy) -> LeaveOneGroupOut | None:
    """Estimate the average effect without each group in turn.

    Parameters
    ----------
    study : AdoptionStudy
        Without an effect, where the design was refused, there is nothing to look behind: None.
    """
    event_study = study.event_study
    if event_study is None:
        return None
    sample, whole = study.sample, event_study.average.effect
    joined = np.isfinite(sample.cohorts)
    label = sample.units["county_id"].astype(str) + "|" + sample.units["school_group"]
    rows = []
    for name in sorted(label[joined].unique()):
        own = joined & (label == name).to_numpy()
        found = _without(sample, own, study.settings.event_study)
        effect, error = (found.effect, found.std_error) if found else (np.nan, np.nan)
        reason = "" if found else "sensitivity_too_few_groups"
        rows.append((name.split("|", 1)[1], int(own.sum()), effect, error, effect - whole, reason))
    return LeaveOneGroupOut(whole, pd.DataFrame(rows, columns=LEAVE_ONE_OUT_COLUMNS))


def place_placebo_adoption(study: AdoptionStudy) -> PlaceboAdoption | None:
    """Let comparison schools that were as weak in the year of selection "join" in place of the real ones.

    Each adopter, the weakest first, is stood in for by the comparison school nearest to it in the outcome
    of the year before joining (the last one that was observed); at most half of the comparison schools, so
    that the other half can be compared with. Real adopters are left out. Nothing happened to these schools:
    an effect that is found is their return from one bad year. It is shown with the base year of the study
    and, where it was observed, with the year just before joining as base, which a study of schools chosen
    for a bad year must not take.

    Parameters
    ----------
    study : AdoptionStudy
        None is returned where the design was refused.

    Notes
    -----
    Standard errors take every school as its own cluster. With few comparison schools the stand-ins are
    not alike: the distance is for the reader to judge from the number of schools.
    """
    if study.is_refused:
        return None
    sample = study.sample
    cohorts = _placebo_cohorts(sample)
    count = int(np.isfinite(cohorts).sum())
    if count < LEAST_PLACEBOS:
        return PlaceboAdoption(pd.DataFrame(columns=PLACEBO_COLUMNS), "sensitivity_too_few_placebos")
    never = ~np.isfinite(sample.cohorts)
    kept = leave_out(sample, ~never, PLACEBO_OUT)
    years = np.where(np.isfinite(cohorts), cohorts, np.nan)[never]
    units = kept.units.assign(adoption_year=years, school_group=kept.units["school"].astype(str))
    placebo = replace(kept, units=units, clusters=np.arange(len(units), dtype=np.int64))
    own = study.settings.event_study
    rows = []
    for anticipation in sorted({0, own.anticipation}):
        settings = replace(own, anticipation=anticipation)
        average = _average_if_estimable(placebo, settings)
        if average is None:
            continue
        limits = (average.effect, average.std_error, average.conf_low, average.conf_high)
        rows.append((anticipation, anticipation == own.anticipation, count, *limits))
    table = pd.DataFrame(rows, columns=PLACEBO_COLUMNS)
    if not table["is_study_base"].any():
        return PlaceboAdoption(pd.DataFrame(columns=PLACEBO_COLUMNS), "sensitivity_too_few_placebos")
    return PlaceboAdoption(table, "")


def _placebo_cohorts(sample: AdoptionSample) -> Floats:
    """Return the year in which each comparison school stands in for an adopter, else infinite, (n_units,)."""
    cohorts = np.full(len(sample.units), NEVER)
    county = sample.units["county_id"].to_numpy()
    joined = np.flatnonzero(np.isfinite(sample.cohorts))
    before = np.searchsorted(sample.periods, sample.cohorts[joined]) - 1
    level = sample.outcomes[joined, before]
    free = np.isinf(sample.cohorts)
    left = {name: int((free & (county == name)).sum()) // 2 for name in np.unique(county)}
    for unit, year, own in sorted(
        zip(joined, before, level, strict=True), key=lambda entry: (entry[2], entry[0])
    ):
        distance = np.abs(sample.outcomes[:, year] - own)
        open_to = np.flatnonzero(free & (county == county[unit]) & np.isfinite(distance))
        if left[county[unit]] and len(open_to):
            chosen = open_to[np.argmin(distance[open_to])]
            cohorts[chosen], free[chosen] = sample.cohorts[unit], False
            left[county[unit]] -= 1
    return cohorts


def _average_if_estimable(sample: AdoptionSample, settings: EventStudySettings) -> AverageEffect | None:
    """Return the average effect; None where a base year was not observed or no adopter has an effect."""
    is_adopter = np.isfinite(sample.cohorts)
    if not np.isin(sample.cohorts[is_adopter] - 1 - settings.anticipation, sample.periods).all():
        return None
    cells = settings.cells(sample)
    if treated_without_effect(sample, cells.effects, settings.last)[is_adopter].all():
        return None
    return estimate_average(sample, settings, cells=cells)


def _without(
    sample: AdoptionSample, out: NDArray[np.bool_], settings: EventStudySettings
) -> AverageEffect | None:
    """Estimate without some units; None where too few groups are left for a standard error."""
    rest = leave_out(sample, out, PLACEBO_OUT)
    adopters = np.isfinite(rest.cohorts)
    if len(np.unique(rest.clusters[adopters])) < LEAST_GROUPS:
        return None
    return _average_if_estimable(rest, settings)
