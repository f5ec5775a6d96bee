"""Premises and equipment by year, with the building and equipment projects that changed them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

# Kind of project, stock it raises, share of schools, what it brought as a share of the last year's stock,
# yuan per unit.
PROJECTS = (
    ("extension", "R4", 0.16, (0.06, 0.20), 2400.0),
    ("sports_ground", "R5", 0.14, (0.08, 0.25), 420.0),
    ("equipment", "R6", 0.30, (0.15, 0.40), 1.0),
    ("network", "R7", 0.15, (0.10, 0.30), 45000.0),
)
RENEWAL = {"R4": 0.0, "R5": 0.0, "R6": 0.035, "R7": 0.02}
INDOOR_SCHOOLS, GYMNASIUM_SCHOOLS = 0.3, 0.2


@dataclass(frozen=True, slots=True)
class Premises:
    """Stocks by school and year, and what was built.

    Attributes
    ----------
    stocks : Mapping of str to ndarray, (n_schools, n_years)
        Columns of `school_years`.
    projects : pandas.DataFrame
        `row`, `kind`, `started`, `finished`, `amount`, `places`, `area`.
    """

    stocks: dict[str, NDArray[np.float64]]
    projects: pd.DataFrame


def simulate_premises(register: Register, plan: Plan, settings: SimulationSettings, seed: int) -> Premises:
    """Go back from the planned stocks of the last year to earlier years."""
    rng = stream(seed, settings, "premises")
    n_schools, n_years = len(register), settings.n_years
    back = np.arange(n_years)[::-1]
    totals, projects = {}, []
    for kind, indicator, share, (low, high), price in PROJECTS:
        last = plan.stocks[indicator].to_numpy()
        built = rng.random(n_schools) < share
        finished = rng.integers(1, n_years, n_schools)
        brought = np.where(built, low + (high - low) * rng.random(n_schools), 0.0)
        step = 1.0 if indicator == "R7" else 10.0 if indicator != "R6" else 1000.0
        brought = np.floor(brought * last / step) * step
        after = np.arange(n_years)[None, :] >= finished[:, None]
        slow = (1 - RENEWAL[indicator]) ** back[None, :]
        path = (last - brought)[:, None] * slow + brought[:, None] * after
        totals[indicator] = np.where(back[None, :] == 0, last[:, None], _rounded(path, indicator))
        for row in np.flatnonzero(brought > 0):
            done = settings.first_year + int(finished[row])
            area = brought[row] if indicator in ("R4", "R5") else np.nan
            places = round(brought[row] / 6) if kind == "extension" else np.nan
            projects.append((int(row), kind, done - 1, done, round(brought[row] * price, -3), places, area))
    columns = ["row", "kind", "started", "finished", "amount", "places", "area"]
    return Premises(_columns(totals, register, rng), pd.DataFrame(projects, columns=columns))


def _rounded(path: NDArray[np.float64], indicator: str) -> NDArray[np.float64]:
    return np.round(path, {"R4": 1, "R5": 1, "R6": -2, "R7": 0}[indicator])


def _columns(
    totals: dict[str, NDArray[np.float64]], register: Register, rng: np.random.Generator
) -> dict[str, NDArray[np.float64]]:
    """Divide the totals into the columns of the contract."""
    shape = totals["R4"].shape
    least_sports = totals["R5"].min(axis=1)
    indoor = np.where(rng.random(shape[0]) < INDOOR_SCHOOLS, np.round(0.06 * least_sports), 0.0)
    gymnasium = np.where(rng.random(shape[0]) < GYMNASIUM_SCHOOLS, np.round(0.12 * least_sports), 0.0)
    rented = np.where(
        (register.schools["location"] == "urban").to_numpy() & (rng.random(shape[0]) < 0.15), 600.0, 0.0
    )
    whole = np.broadcast_to
    # One tenth of a square metre is the precision of the form.
    return {
        "teaching_area": np.round(totals["R4"] + indoor[:, None], 1),
        "indoor_sports_area": whole(indoor[:, None], shape),
        "gymnasium_area": whole(gymnasium[:, None], shape),
        "sports_ground_area": np.round(totals["R5"] - indoor[:, None] - gymnasium[:, None], 1),
        "rented_sports_area": whole(rented[:, None], shape),
        "rented_sports_minutes": whole(np.where(rented > 0, 8.0, np.nan)[:, None], shape),
        "converted_sports_area": np.zeros(shape),
        "equipment_value": totals["R6"],
        "multimedia_rooms": totals["R7"],
    }
