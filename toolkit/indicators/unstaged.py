"""Teachers that a school reports for the whole school instead of by stage."""

from typing import Literal

import numpy as np
import pandas as pd

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.stages import stages_taught

UnstagedRule = Literal["undecided", "by_teachers"]
"""Leave the teachers of combined schools open, or split them by the share of teachers."""

UNSTAGED_STEMS = ("backbone_teachers", "pe_teachers", "arts_teachers")


def with_stage_teachers(rows: pd.DataFrame, rule: UnstagedRule) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fill empty counts by stage from whole-school totals.

    A school of a single stage leaves no doubt. For a nine-year school no official rule is known:
    `by_teachers` splits in the ratio of teachers by stage. Totals that include a senior stage
    are never split.

    Parameters
    ----------
    rows : pandas.DataFrame
        School-years with the columns of the contract.
    rule : {"undecided", "by_teachers"}
        What to do with combined schools.

    Returns
    -------
    filled : pandas.DataFrame
        A copy with the counts filled.
    assumed : pandas.DataFrame
        Identity and `column` of each count that rests on the rule.
    """
    taught = stages_taught(rows)
    filled = rows.copy()
    teachers = rows[[f"teachers_{stage}" for stage in COMPULSORY_STAGES]].to_numpy(dtype=float)
    combined = taught[:, : len(COMPULSORY_STAGES)].all(axis=1) & (
        taught.sum(axis=1) == len(COMPULSORY_STAGES)
    )
    assumed = [rows[["school_id", "school_name", "year"]].head(0).assign(column="")]
    for stem in UNSTAGED_STEMS:
        totals = rows[f"{stem}_total"].to_numpy(dtype=float)
        for position, stage in enumerate(COMPULSORY_STAGES):
            column = f"{stem}_{stage}"
            empty = rows[column].isna().to_numpy() & ~np.isnan(totals) & taught[:, position]
            certain = empty & (taught.sum(axis=1) == 1)
            filled.loc[certain, column] = totals[certain]
            if rule == "by_teachers":
                split = empty & combined & (teachers.sum(axis=1) > 0)
                filled.loc[split, column] = (totals[split] * teachers[split, position]) / teachers[split].sum(
                    axis=1
                )
                assumed.append(rows.loc[split, ["school_id", "school_name", "year"]].assign(column=column))
    return filled, pd.concat(assumed, ignore_index=True)
