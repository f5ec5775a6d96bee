"""Enrolment by grade: cohorts that enter, move up, move away and change schools."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.data.simulate.frames import looked_up
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

BURN_IN = 10
# Yearly growth of the intake, share of pupils who leave within a year, pull on those who move.
GROWTH = {"urban": 0.022, "town_area": -0.004, "rural": -0.042}
LEAVING = {"urban": 0.004, "town_area": 0.012, "rural": 0.025}
ATTRACTION = {"urban": 1.0, "town_area": 0.35, "rural": 0.0}
STAY_IN_COUNTY = 0.75
OWN_JUNIOR = 0.8
TO_JUNIOR = 0.99


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Students on 1 September.

    Attributes
    ----------
    grades : ndarray of int, (n_schools, 9, n_years + BURN_IN)
        Students by grade; the first BURN_IN years lie before the tables.
    senior : ndarray of int, (n_schools, n_years + BURN_IN)
        Students of senior secondary grades.
    """

    grades: NDArray[np.int64]
    senior: NDArray[np.int64]

    @property
    def primary(self) -> NDArray[np.int64]:
        """Students of grades 1 to 6, (n_schools, n_years + BURN_IN)."""
        return self.grades[:, :6].sum(axis=1)

    @property
    def junior(self) -> NDArray[np.int64]:
        """Students of grades 7 to 9, (n_schools, n_years + BURN_IN)."""
        return self.grades[:, 6:].sum(axis=1)


def simulate_enrolment(register: Register, settings: SimulationSettings, seed: int) -> Enrolment:
    """Simulate enrolment: intakes follow the place, pupils drift to the county seat, cohorts move up."""
    rng = stream(seed, settings, "enrolment")
    schools = register.schools
    n_all = settings.n_years + BURN_IN
    first = settings.first_year - BURN_IN
    intake = _intake(register, settings, rng)
    grades = np.zeros((len(register), 9, n_all), dtype=np.int64)
    junior_pull = _junior_pull(register, settings)
    special = (schools["type"] == "special_education_school").to_numpy()
    for position in range(n_all):
        year = first + position
        if position:
            moved = _move(grades[:, :, position - 1], register, year, rng)
            grades[:, 1:, position] = moved[:, :-1]
            _pass_to_parents(
                grades[:, :, position], schools["parent"].to_numpy(), schools["last_grade"].to_numpy()
            )
            _enter_junior(grades[:, :, position], junior_pull[:, position], special)
        grades[:, 0, position] = intake[:, position]
        _merge(grades[:, :, position], register, year)
    senior = np.round(
        schools["size_senior"].to_numpy()[:, None] * (1 + 0.02 * rng.standard_normal((len(register), n_all)))
    ).astype(np.int64)
    return Enrolment(grades, senior)


def _rates(register: Register, table: dict[str, float]) -> NDArray[np.float64]:
    return looked_up(register.schools["location"], table)


def _intake(register: Register, settings: SimulationSettings, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return grade 1 by school and year; the planned size is reached in the last year."""
    schools = register.schools
    years = np.arange(settings.first_year - BURN_IN, settings.last_year + 1)
    point = (schools["type"] == "teaching_point").to_numpy()
    growth = np.where(point, 0.0, _rates(register, GROWTH))
    mean = schools["size_primary"].to_numpy() / 6
    path = mean[:, None] * np.exp(growth[:, None] * (years - settings.last_year + 2.5))
    noise = np.where(point[:, None], 0.0, 0.05) * rng.standard_normal(path.shape)
    intake = np.round(path * np.exp(noise)).astype(np.int64)
    intake[years[None, :] < schools["opened"].to_numpy()[:, None]] = 0
    intake[years[None, :] >= schools["closed"].fillna(9999).to_numpy()[:, None]] = 0
    return intake


def _move(
    grades: NDArray[np.int64], register: Register, year: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Move pupils between schools and out of the county within a year."""
    kinds = register.schools["type"]
    fixed = kinds.isin(["teaching_point", "special_education_school"]).to_numpy()
    leaving = np.where(fixed, 0.0, _rates(register, LEAVING))
    attraction = np.where(fixed, 0.0, _rates(register, ATTRACTION))
    out = rng.binomial(grades, leaving[:, None])
    moved = grades - out
    closing = (register.schools["closed"].fillna(9999) <= year).to_numpy()
    for grade in range(grades.shape[1]):
        pull = attraction * grades[:, grade] * ~closing
        if pull.sum() > 0:
            staying = int(rng.binomial(out[:, grade].sum(), STAY_IN_COUNTY))
            moved[:, grade] += rng.multinomial(staying, pull / pull.sum())
    return moved


def _pass_to_parents(
    grades: NDArray[np.int64], parents: NDArray[np.int64], last_grades: NDArray[np.int64]
) -> None:
    """Move pupils beyond the last grade of a teaching point to its central school."""
    for row in np.flatnonzero(parents >= 0):
        beyond = int(last_grades[row])
        grades[parents[row], beyond] += grades[row, beyond]
        grades[row, beyond] = 0


def _junior_pull(register: Register, settings: SimulationSettings) -> NDArray[np.float64]:
    """Return the weight with which schools attract new junior students, (n_schools, n_all)."""
    years = np.arange(settings.first_year - BURN_IN, settings.last_year + 1)
    growth = _rates(register, GROWTH)
    special = (register.schools["type"] == "special_education_school").to_numpy()
    size = np.where(special, 0, register.schools["size_junior"].to_numpy())
    return size[:, None] * np.exp(growth[:, None] * (years - settings.last_year))


def _enter_junior(grades: NDArray[np.int64], pull: NDArray[np.float64], special: NDArray[np.bool_]) -> None:
    """Turn last year's grade 6 (now in grade 7's place) into new junior students."""
    leavers = grades[:, 6].copy()
    stays = (pull > 0) & (leavers > 0)
    own = np.where(stays, np.round(OWN_JUNIOR * leavers), 0)
    own = np.where(special, leavers, own)
    pool = round(TO_JUNIOR * float((leavers - own).sum()))
    shares = np.maximum(pull - 3.0 * own, 0.0)
    quota = pool * shares / shares.sum() if shares.sum() else shares
    entrants = np.floor(quota)
    short = int(pool - entrants.sum())
    order = np.argsort(-(quota - entrants), kind="stable")
    entrants[order[:short]] += 1
    grades[:, 6] = (own + entrants).astype(np.int64)


def _merge(grades: NDArray[np.int64], register: Register, year: int) -> None:
    """Hand over the pupils of schools that have closed."""
    closed = register.schools["closed"].fillna(9999).to_numpy()
    into = register.schools["merged_into"].to_numpy()
    for row in np.flatnonzero(closed <= year):
        grades[into[row]] += grades[row]
        grades[row] = 0
