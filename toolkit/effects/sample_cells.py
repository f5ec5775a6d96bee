"""The group-time effects of a sample under one design, on which guard, event study and averages rest."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.models.group_time import Comparison, GroupTimeEffects, estimate_group_time
from toolkit.models.group_time_blocks import estimate_group_time_within

Within = Literal["county", "province", "everywhere"]
PROVINCE_DIGITS = 2


@dataclass(frozen=True, eq=False)
class SampleCells:
    """Effects by cohort and period, estimated when first asked for and once only.

    Attributes
    ----------
    sample : AdoptionSample
        Schools, outcome and weights.
    comparison : {"never", "not_yet"}
        Schools that never adopt, or also those that have not yet.
    anticipation : int
        Years before joining in which a school may already have changed.
    within : {"county", "province", "everywhere"}, optional
        Where schools are compared. If not given, within the county where groups adopt, and everywhere
        where counties do.
    """

    sample: AdoptionSample
    comparison: Comparison
    anticipation: int
    within: Within | None = None

    @cached_property
    def effects(self) -> GroupTimeEffects:
        """The cells, refused ones with their reason."""
        sample = self.sample
        within = self.within or ("everywhere" if sample.rules.assignment == "county" else "county")
        county = sample.units["county_id"].astype(str)
        blocks = county if within == "county" else county.str[:PROVINCE_DIGITS]
        number = pd.factorize(blocks, sort=True)[0].astype(np.int64)
        if within == "everywhere" or (number == number[0]).all():
            return estimate_group_time(
                sample.panel, comparison=self.comparison, base="universal", anticipation=self.anticipation
            )
        return estimate_group_time_within(
            sample.panel,
            number,
            comparison=self.comparison,
            base="universal",
            anticipation=self.anticipation,
        )


def identified_cells(effects: GroupTimeEffects, last: float) -> NDArray[np.bool_]:
    """Say which cells from joining to `last` years after it have an effect, (n_cells,)."""
    since = effects.event_times
    return np.isfinite(effects.effects) & (since >= 0) & (since <= last)


def treated_without_effect(
    sample: AdoptionSample, effects: GroupTimeEffects, last: float
) -> NDArray[np.bool_]:
    """Say of which adopters no effect from joining to `last` can be estimated, (n_units,).

    Where covariates leave no overlap, or years were not observed, a cohort has no cell with an effect.
    """
    known = identified_cells(effects, last)
    cohorts = sample.cohorts
    found = np.zeros(len(cohorts), dtype=bool)
    for cohort, block in set(zip(effects.cohorts[known], effects.blocks[known], strict=True)):
        own = (effects.panel.cohorts == cohort) & (effects.unit_blocks == block)
        found[effects.used[own]] = True
    return np.isfinite(cohorts) & ~found
