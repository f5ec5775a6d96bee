"""The schools that report a stock, stage by stage and indicator by indicator."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.resources import ResourceIndicators
from toolkit.standards import Indicator


@dataclass(frozen=True, slots=True)
class KnownStocks:
    """One indicator of one stage in the schools that report it.

    Attributes
    ----------
    stage : str
        Stage.
    indicator : Indicator
        Indicator.
    units : pandas.DataFrame, (n_schools, 9)
        Identity of the schools.
    amount, enrolment : ndarray, (n_schools,)
        Stock and students; at least one stock is above zero.
    share : ndarray, (n_schools,)
        Part of an addition to the school's stock that falls to this stage.
    n_missing : int
        Schools that do not report it.
    limit : float
        Greatest coefficient that the standard allows; NaN when it sets none for the indicator.
    """

    stage: str
    indicator: Indicator
    units: pd.DataFrame
    amount: NDArray[np.float64]
    enrolment: NDArray[np.float64]
    share: NDArray[np.float64]
    n_missing: int
    limit: float


def known_stocks(resources: ResourceIndicators, *, year: int) -> Iterator[KnownStocks]:
    """Give every stage and indicator of a year that at least one school has and reports."""
    standard = resources.standard
    for stage in resources.stages:
        units = resources.select(year=year, stage=stage)
        limit = np.nan if standard.composite else standard.coefficient_limits.get(stage, np.nan)
        for k, indicator in enumerate(standard.indicators):
            enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
            amount = resources.amount[units, k]
            known = ~np.isnan(amount) & ~np.isnan(enrolment)
            if amount[known].sum() > 0:
                identity = resources.units.iloc[units[known]].reset_index(drop=True)
                yield KnownStocks(
                    stage=stage,
                    indicator=indicator,
                    units=identity,
                    amount=amount[known],
                    enrolment=enrolment[known],
                    share=resources.share[units[known], k],
                    n_missing=int((~known).sum()),
                    limit=limit,
                )
