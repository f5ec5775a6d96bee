"""Missing teachers against the teachers that are there: what can be found within present posts."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import TABLES
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.planning.gaps import GapList

WHOLE = "teachers"


@dataclass(frozen=True, slots=True)
class TeacherPosts:
    """Gaps in teachers split by whether those already there could fill them.

    The data hold no approved number of posts (核定编制), so vacancies are not known and no gap is net of
    them.

    Attributes
    ----------
    gaps : pandas.DataFrame
        One row per school, stage and indicator of teachers with a known gap: `school_id`, `school_name`,
        `stage`, `indicator`, `gap`, `teachers` of the stage, `within_staff` (teachers who are there and do
        not count yet: by further study, title or change of subject), `beyond_staff` (the rest).
    totals : pandas.DataFrame
        One row per stage and indicator: the sums, `n_schools`, and `n_unknown` schools whose gap or teachers
        are not known.
    staff : pandas.DataFrame
        One row per stage: `staff` and `teachers` of the schools in scope, `established` and `not_established`
        of the register of teachers (missing when it does not say), `more_teachers`: the least number of
        further persons with whom every indicator of teachers can be reached.
    """

    gaps: pd.DataFrame
    totals: pd.DataFrame
    staff: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per school, stage and indicator."""
        return self.gaps


def compare_with_posts(county: County, resources: ResourceIndicators, gaps: GapList) -> TeacherPosts:
    """Split every gap in teachers into what present teachers could fill and what they cannot.

    Parameters
    ----------
    county : County
        Its `teachers` table, where there is one, says who holds an established post.
    resources : ResourceIndicators
        Schools in scope with their teachers.
    gaps : GapList
        The gaps of the year.

    Notes
    -----
    A school needs at least as many teachers as the largest of its indicators asks for; whoever is there
    and does not count yet can be made to count only up to that number.
    """
    cells = [
        _stage_gaps(resources, gaps, stage, indicator.id, whole)
        for stage in resources.stages
        for indicator in resources.standard.indicators
        if (whole := _bounding_column(resources, indicator.id, stage))
    ]
    found = pd.concat([_empty(), *cells], ignore_index=True)
    known = found.dropna(subset=["within_staff"]).reset_index(drop=True)
    return TeacherPosts(
        gaps=known, totals=_totals(found), staff=_staff(county, resources, known, year=gaps.year)
    )


def _empty() -> pd.DataFrame:
    columns = {"school_id": "str", "school_name": "str", "stage": "str", "indicator": "str"}
    numbers = dict.fromkeys(("gap", "teachers", "within_staff", "beyond_staff"), "float64")
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in (columns | numbers).items()})


def _bounding_column(resources: ResourceIndicators, indicator_id: str, stage: str) -> str:
    """Return the column of all teachers of whom the indicator counts some, '' for other stocks."""
    indicator = resources.standard.indicator(indicator_id)
    terms = [column for column, _, case in indicator_terms(resources.standard, indicator, stage) if not case]
    bounds = {TABLES["school_years"].column(column).at_most for column in terms}
    return f"{WHOLE}_{stage}" if bounds == {f"{WHOLE}_{stage}"} else ""


def _stage_gaps(
    resources: ResourceIndicators, gaps: GapList, stage: str, indicator_id: str, whole: str
) -> pd.DataFrame:
    """Return the gaps of one indicator of teachers, in school and stage, with its teachers."""
    units = resources.select(year=gaps.year, stage=stage)
    teachers = pd.Series(
        resources.rows[whole].to_numpy(dtype=float)[units], index=resources.units["school_id"].iloc[units]
    )
    own = gaps.gaps[(gaps.gaps["stage"] == stage) & (gaps.gaps["indicator"] == indicator_id)]
    exact = own["status"] == "exact"
    gap = own["gap_low"].where(exact).to_numpy(dtype=float)
    there = own["school_id"].map(teachers).to_numpy(dtype=float)
    within = np.minimum(gap, np.maximum(there - own["present"].to_numpy(dtype=float), 0.0))
    return own[["school_id", "school_name", "stage", "indicator"]].assign(
        gap=gap, teachers=there, within_staff=np.floor(within), beyond_staff=gap - np.floor(within)
    )


def _totals(found: pd.DataFrame) -> pd.DataFrame:
    """Return the sums by stage and indicator."""
    counted = found.assign(
        n_schools=found["within_staff"].notna(), n_unknown=found["within_staff"].isna()
    ).astype({"n_schools": "int64", "n_unknown": "int64"})
    columns = ["gap", "within_staff", "beyond_staff", "n_schools", "n_unknown"]
    known = counted.assign(gap=counted["gap"].where(counted["n_schools"] == 1))
    return known.groupby(["stage", "indicator"], sort=False)[columns].sum().reset_index()


def _staff(county: County, resources: ResourceIndicators, known: pd.DataFrame, *, year: int) -> pd.DataFrame:
    """Return staff, teachers and established posts of each stage, and the persons that must be added."""
    rows = []
    for stage in resources.stages:
        units = resources.select(year=year, stage=stage)
        schools = resources.units["school_id"].iloc[units]
        own = resources.rows.iloc[units]
        added = known[known["stage"] == stage].groupby("school_id", sort=False)["beyond_staff"].max()
        established = _established(county, set(schools), stage, year=year)
        rows.append(
            {
                "stage": stage,
                "staff": _sum(own[f"staff_{stage}"].to_numpy(dtype=float)),
                "teachers": _sum(own[f"{WHOLE}_{stage}"].to_numpy(dtype=float)),
                "established": established[0],
                "not_established": established[1],
                "more_teachers": float(added.sum()),
            }
        )
    return pd.DataFrame(rows)


def _sum(values: NDArray[np.float64]) -> float:
    """Return a sum over the schools that report, missing when none does."""
    return float(np.nansum(values)) if not np.isnan(values).all() else np.nan


def _established(county: County, schools: set[str], stage: str, *, year: int) -> tuple[float, float]:
    """Return the teachers with and without an established post; missing when the register does not say."""
    register = county.tables.get("teachers")
    if register is None:
        return np.nan, np.nan
    own = register[
        (register["year"] == year) & (register["stage"] == stage) & register["school_id"].isin(schools)
    ]
    told = own["established_post"].dropna().astype(bool)
    return (float(told.sum()), float((~told).sum())) if len(told) else (np.nan, np.nan)
