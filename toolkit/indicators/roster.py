"""Schools as they were in each year: the register joined to the yearly figures."""

import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES


def school_rows(county: County) -> pd.DataFrame:
    """Return one row per school and year, with the register's entry that held in that year.

    The entry is the one with the latest `valid_from` that is not after the year; an entry
    without `valid_from` holds from the beginning.

    Parameters
    ----------
    county : County
        With the tables `schools` and `school_years`.

    Returns
    -------
    pandas.DataFrame, (n_school_years, n_columns)
        All columns of `school_years`, then those of `schools` that it lacks, in the order of
        `school_years`. Register columns are missing for schools the register does not hold.
    """
    years = county.tables["school_years"]
    register = county.tables["schools"]
    entries = register.assign(since=register["valid_from"].astype("float64").fillna(0).astype("int64"))
    entries = entries.sort_values("since", kind="stable").drop_duplicates(["school_id", "since"], keep="last")
    left = years.assign(position=range(len(years)), at=years["year"].astype("int64"))
    added = [name for name in TABLES["schools"].column_names if name not in ("school_id", "school_name")]
    joined = pd.merge_asof(
        left.sort_values("at", kind="stable"),
        entries[["school_id", "since", "school_name", *added]].rename(
            columns={"school_name": "register_name"}
        ),
        left_on="at",
        right_on="since",
        by="school_id",
    ).sort_values("position")
    joined["school_name"] = joined["register_name"].fillna(joined["school_name"]).fillna(joined["school_id"])
    return joined.drop(columns=["position", "at", "since", "register_name"]).reset_index(drop=True)
