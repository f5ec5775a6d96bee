"""Which stages a school teaches, and how a stock shared by several stages is split."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import COMPULSORY_STAGES, STAGES
from toolkit.data.schema.schools import STAGES_OF_TYPE
from toolkit.standards import Split


def stages_taught(school_years: pd.DataFrame) -> NDArray[np.bool_]:
    """Return which stages each school teaches in each year, (n_school_years, 3).

    A school teaches the stages of its type, and any other stage in which it reports students.

    Parameters
    ----------
    school_years : pandas.DataFrame
        With `school_type` and `enrolment_primary`, `enrolment_junior`, `enrolment_senior`.

    Returns
    -------
    ndarray of bool, (n_school_years, 3)
        Columns in the order primary, junior, senior.
    """
    types = school_years["school_type"].tolist()
    by_type = [[stage in STAGES_OF_TYPE.get(school_type, ()) for stage in STAGES] for school_type in types]
    return np.array(by_type, dtype=bool).reshape(-1, len(STAGES)) | (stage_enrolment(school_years) > 0)


def stage_enrolment(school_years: pd.DataFrame) -> NDArray[np.float64]:
    """Return students by stage, (n_school_years, 3), missing where not reported."""
    return school_years[[f"enrolment_{stage}" for stage in STAGES]].to_numpy(dtype=float)


def stage_weights(split: Split, taught: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the weight of one student of each stage in each school, (n, 3).

    The published weight of a senior student is relative to the junior part in a complete
    secondary school, and to the primary part in a twelve-year school.
    """
    in_twelve_year = split.senior_in_twelve_year_school
    in_complete = split.junior * split.senior_in_complete_secondary_school
    weights = np.tile([split.primary, split.junior, in_complete], (len(taught), 1))
    weights[taught[:, 0], 2] = in_twelve_year
    return weights


def with_untaught_stages_empty(rows: pd.DataFrame, taught: NDArray[np.bool_]) -> pd.DataFrame:
    """Return a copy in which a stage that the school does not teach has no students."""
    filled = rows.copy()
    for position, stage in enumerate(STAGES):
        filled.loc[~taught[:, position], f"enrolment_{stage}"] = 0.0
    return filled


def split_denominators(enrolment: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weighted students over which a shared stock is spread, (n, 2).

    A stock x of a school with A primary, B junior and C senior students is split in the
    proportions A : 1.1 B : 1.32 C, so that one student of a stage with weight w has
    x w / (A + 1.1 B + 1.32 C). The column of a stage is that denominator divided by w:
    the stage's value per student is x / column.

    Parameters
    ----------
    enrolment : ndarray, (n, 3)
        Students by stage, 0 in stages that are not taught; missing ones make the denominator missing.
    weights : ndarray, (n, 3)
        Weight of one student of each stage.

    Returns
    -------
    ndarray, (n, 2)
        Weighted students per primary and per junior student.

    References
    ----------
    测算均衡系数拆分公式: 九年一贯制 A/(A+1.1B), 完全中学 B/(B+1.2C), 十二年一贯制 A/(A+1.1B+1.32C).
    """
    total = (enrolment * weights).sum(axis=1)
    return total[:, None] / weights[:, : len(COMPULSORY_STAGES)]
