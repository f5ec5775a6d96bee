"""Which schools a standard counts."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.stages import stage_enrolment
from toolkit.standards import Scope


def left_out_reason(rows: pd.DataFrame, scope: Scope) -> NDArray[np.str_]:
    """Return why each school-year is left out: a vocabulary code, '' for those that count.

    The first reason that applies is given: unknown school type, excluded type, ownership,
    run by province or city, fewer students than its type needs, no students in a compulsory stage.
    A school whose enrolment is missing is not left out for being small.
    """
    students = stage_enrolment(rows)[:, : len(COMPULSORY_STAGES)].sum(axis=1)
    least = rows["school_type"].map(dict(scope.minimum_enrolment_by_type)).to_numpy(dtype=float)
    direct = rows["directly_administered"].fillna(False).to_numpy(dtype=bool)
    owned = (rows["ownership"].isna() | rows["ownership"].isin(scope.ownership)).to_numpy(dtype=bool)
    reasons = [
        (rows["school_type"].isna().to_numpy(dtype=bool), "left_out_unknown_type"),
        (rows["school_type"].isin(scope.excluded_types).to_numpy(dtype=bool), "left_out_type"),
        (~owned, "left_out_ownership"),
        (direct & scope.excludes_directly_administered, "left_out_directly_administered"),
        (students < least, "left_out_small"),
        (students == 0, "left_out_no_students"),
    ]
    return np.select([mask for mask, _ in reasons], [code for _, code in reasons], default="")
