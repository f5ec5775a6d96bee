"""The primary answers of a study together: one p-value each, adjusted for there being several."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.inference.romano_wolf import holm


def adjust_primary_answers(studies: Sequence[AdoptionStudy]) -> NDArray[np.float64]:
    """Adjust the p-values of the printed intervals for the number of stages and roles answered.

    Holm's method holds whatever the dependence: stages and roles share comparison schools, so their
    answers are not independent, and few clusters leave no joint distribution to draw from.

    Parameters
    ----------
    studies : sequence of AdoptionStudy
        All primary studies. Those without a printed interval do not count in the family.

    Returns
    -------
    ndarray, (n_studies,)
        Adjusted p-values; missing where no interval is printed.
    """
    given = np.array(
        [np.nan if study.interval is None else study.interval.p_value for study in studies], dtype=float
    )
    adjusted = np.full(len(given), np.nan)
    known = np.isfinite(given)
    adjusted[known] = holm(given[known])
    return adjusted
