"""县域保障 and 满意度: what the county office enters."""

import numpy as np
import pandas as pd

from toolkit.data.simulate.frames import column
from toolkit.data.simulate.names import names
from toolkit.data.simulate.rotation import Rotations
from toolkit.data.simulate.settings import SimulationSettings, stream

YEARS_ENTERED = 3
FROM_EVIDENCE = (
    "G01", "G02", "G10", "G14b", "G15b", "Q3", "Q5", "Q6", "Q7", "Q8", "P1", "V1", "V2", "V3", "V4",
)  # fmt: skip
MONITORED = ("chinese", "mathematics", "science", "physical_education", "art", "morality_law")
# Mean satisfied share of those who answered, and questionnaires sent.
RESPONDENTS = {
    "students_surveyed": (0.93, 1200),
    "parents": (0.90, 1500),
    "teachers_surveyed": (0.91, 400),
    "principals": (0.95, 60),
    "people_congress": (0.94, 40),
    "cppcc_members": (0.93, 40),
    "other_public": (0.88, 300),
}


def county_item_table(
    school_years: pd.DataFrame, rotations: Rotations, settings: SimulationSettings, seed: int
) -> pd.DataFrame:
    """Return the entered items of the last three years (rotations are counted from the second year on)."""
    rng = stream(seed, settings, "county_items")
    years = list(settings.years)[1:][-YEARS_ENTERED:]
    ratios = [row for year in years for row in _ratios(year, school_years, rotations, settings, rng)]
    table = pd.DataFrame(
        ratios, columns=["year", "item", "subject", "item_value", "item_numerator", "item_denominator"]
    )
    words = names()["county_items"]
    judged = pd.DataFrame(
        [
            {
                "year": year,
                "item": item,
                "entered_verdict": "met",
                "evidence": words["evidence"].format(item=item),
                "judge": words["judge"],
                "judged_on": f"{year + 1}-06-20",
            }
            for year in years
            for item in FROM_EVIDENCE
        ]
    )
    return pd.concat([table, judged], ignore_index=True).assign(item_source=words["source"])


def _ratios(
    year: int,
    school_years: pd.DataFrame,
    rotations: Rotations,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> list[tuple]:
    """Return items with a number: value, or numerator and denominator."""
    back = settings.last_year - year
    now = school_years[school_years["year"] == year]
    counted = rotations.compliance[rotations.compliance["year"] == year].iloc[0]
    disabled = float(column(now, "students_with_disabilities").sum())
    migrant = float(column(now, "migrant_students").sum())
    pay = 92_000 * 0.96**back
    rows = [
        (year, "G07", "", np.nan, 7000.0 * 90, 90.0),
        (year, "G08", "", np.nan, round(1.015 * pay), round(pay)),
        (year, "G11a", "", np.nan, float(counted["rotated"]), float(counted["eligible"])),
        (year, "G11b", "", np.nan, float(counted["rotated_backbone"]), float(counted["rotated"])),
        (year, "G14a", "", np.nan, float(round((0.60 - 0.03 * back) * 900)), 900.0),
        (year, "G15a", "", np.nan, float(np.floor(0.91 * migrant)), migrant),
        (year, "Q2", "", np.nan, disabled, float(np.ceil(disabled / 0.975))),
    ]
    for subject in MONITORED:
        rows.append(
            (year, "Q9a", subject, 3.0 if subject != "physical_education" or back else 4.0, np.nan, np.nan)
        )
        rate = 0.118 + 0.02 * rng.random() + 0.01 * back
        rows.append((year, "Q9b", subject, round(rate, 3), np.nan, np.nan))
    return rows


def survey_table(settings: SimulationSettings, seed: int) -> pd.DataFrame:
    """Return the satisfaction surveys of the last three years."""
    rng = stream(seed, settings, "county_items")
    rng.random(100)
    rows = []
    for year in list(settings.years)[-YEARS_ENTERED:]:
        for respondents, (share, sent) in RESPONDENTS.items():
            returned = int(np.floor(sent * (0.90 + 0.08 * rng.random())))
            rate = share - 0.01 * (settings.last_year - year) + 0.01 * rng.random()
            rows.append((year, respondents, sent, returned, int(np.floor(rate * returned))))
    columns = [
        "year", "respondents", "questionnaires_sent", "questionnaires_returned", "questionnaires_satisfied",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)
