"""How precisely a between-school share is known from so many schools and pupils."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.models.icc_precision import chance_below, icc_standard_error
from toolkit.variation.achievement import AchievementReadings, achievement_settings

DESIGN_KEY = ["stage", "grade"]
COLUMNS = ["design", "stage", "grade", "n_schools", "group_size", "true_share", "std_error", "chance"]


@dataclass(frozen=True, slots=True)
class ICCReliability:
    """Standard error of the share, and chance to read below the limit, by design and true share.

    Attributes
    ----------
    year : int
        School year of the county's own tests.
    limit : float
        The limit; missing when the standard has none, and then so are the chances.
    table : pandas.DataFrame
        One row per `design` ("national_sample" or "own_tests"), `stage`, `grade` (missing for the
        national sample) and `true_share`: `n_schools`, `group_size`, `std_error`, `chance`.
    """

    year: int
    limit: float
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per design and true share."""
        return self.table


def compute_icc_reliability(readings: AchievementReadings, *, year: int) -> ICCReliability:
    """Compute the precision of the national monitoring's sample and of the county's own tests.

    The county's own design of a grade is that of its subject with the fewest pupils. Unequal numbers of
    pupils per school enter as the equal number they are worth; the chance is exact for equal numbers and
    normal scores. The standard error is the large-sample one, so at few schools the chance says more.

    References
    ----------
    Donner, A. (1986). A review of inference procedures for the intraclass correlation coefficient in the
    one-way random effects model. International Statistical Review 54(1), 67-82.
    """
    designs = [*_national_designs(readings), *_own_designs(readings.of_year(year))]
    shares = achievement_settings()["precision"]["true_shares"]
    rows = [
        (
            *design,
            share,
            float(icc_standard_error(share, design[3], design[4])),
            float(chance_below(readings.limit, share, design[3], design[4]))
            if np.isfinite(readings.limit)
            else np.nan,
        )
        for design in designs
        for share in shares
    ]
    return ICCReliability(year=year, limit=readings.limit, table=pd.DataFrame(rows, columns=COLUMNS))


def _national_designs(readings: AchievementReadings) -> list[tuple[str, str, float, int, float]]:
    """Return the sample of the national monitoring, for the stages that the county tests."""
    sample = achievement_settings()["national_sample"]
    tested = set(readings.table["stage"])
    return [
        ("national_sample", stage, np.nan, sample["schools"][stage], float(sample["pupils"]))
        for stage in COMPULSORY_STAGES
        if stage in tested
    ]


def _own_designs(tests: pd.DataFrame) -> list[tuple[str, str, float, int, float]]:
    """Return the design of each grade: that of its subject with the fewest pupils."""
    usable = tests[tests["refusal"] == ""]
    fewest = usable.loc[usable.groupby(DESIGN_KEY, sort=False)["n_pupils"].idxmin()]
    return [
        ("own_tests", str(row["stage"]), float(row["grade"]), int(row["n_schools"]), float(row["group_size"]))
        for row in fewest.to_dict("records")
    ]
