"""Which teachers are eligible for rotation, by the rule in the settings."""

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.indicators.roster import school_rows
from toolkit.indicators.school_calendar import school_year_of_start
from toolkit.variation.programmes import programme_settings

COLUMNS = ["teacher_id", "year", "school_id", "stage", "subject", "location", "eligible"]


def eligible_teachers(county: County) -> pd.DataFrame:
    """Return the roster of teachers with whether each is eligible for rotation in the year.

    Eligible in year Y are teachers of the compulsory stages of public ordinary schools with a post
    of the establishment and no exemption, at the school since Y minus the years that the rule asks
    for. The rule is local; the settings hold the usual one.

    Parameters
    ----------
    county : County
        Without the table `teachers` the result has no rows.

    Returns
    -------
    pandas.DataFrame
        One row per teacher and year: `teacher_id`, `year`, `school_id`, `stage`, `subject`,
        `location`, and `eligible`: "yes" when every condition holds, "no" when one fails,
        "unknown" when what decides is missing. Rows are persons: none may be shown.
    """
    roster = county.tables.get("teachers")
    if roster is None or roster.empty:
        return pd.DataFrame(columns=COLUMNS)
    rule = programme_settings("eligible")
    roster = roster.drop_duplicates(["teacher_id", "year"]).reset_index(drop=True)
    schools = school_rows(county)[["school_id", "year", "school_type", "ownership", "location"]]
    joined = roster.merge(
        schools.drop_duplicates(["school_id", "year"]), on=["school_id", "year"], how="left"
    )
    excluded = programme_settings("schools")["excluded_types"]
    at_school = joined["year"] - school_year_of_start(joined["arrived"])
    conditions = [
        _is(joined["stage"].isin(rule["stages"]), joined["stage"]),
        _is(joined["ownership"].isin(rule["ownership"]), joined["ownership"]),
        _is(~joined["school_type"].isin(excluded), joined["school_type"]),
        _is((at_school >= rule["years_at_school"]).fillna(False), at_school),
    ]
    if rule["established_post"]:
        conditions.append(_is(joined["established_post"].fillna(False), joined["established_post"]))
    if rule["without_exemption"]:
        conditions.append(joined["exemption"].isna().to_numpy(dtype=float))
    held = np.column_stack(conditions)
    eligible = np.select(
        [(held == 0).any(axis=1), np.isnan(held).any(axis=1)], ["no", "unknown"], default="yes"
    )
    return joined.assign(eligible=eligible)[COLUMNS]


def _is(holds: pd.Series, known: pd.Series) -> np.ndarray:
    """Return 1 where a condition holds, 0 where it fails, missing where it is not known."""
    return np.where(known.isna(), np.nan, holds.to_numpy(dtype=float))
