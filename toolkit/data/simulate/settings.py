"""What a simulated county is asked to be."""

from dataclasses import dataclass, field

import numpy as np

NOUNS = (
    "register",
    "names",
    "enrolment",
    "plan",
    "premises",
    "teachers",
    "programmes",
    "rotations",
    "scores",
    "classes",
    "county_items",
    "pupils",
    "funds",
    "dirt",
)


# No province has the number 99.
CODE_START = "9901"


@dataclass(frozen=True, slots=True)
class PlantedEffects:
    """Effects planted in the scores, in standard deviations of pupil scores.

    Attributes
    ----------
    close_form, loose_form : float
        Member schools of tight and loose school groups from the third year on;
        one and two thirds of it in the first two years.
    lead : float
        Lead schools, from the first year on.
    intake : float
        Prior attainment of pupils who entered a member school after it joined.
    choice_year_dip : float
        Shock of a member school in the year before it joins, times `selection_strength`.
    strong_school_project : float
        Schools of 强校工程, with the same ramp as members.
    spillover : float
        Schools in no programme whose town has a member school.
    receiving_primary, receiving_junior : float
        One incoming backbone teacher (FTE) per 100 students of the stage.
    disruption : float
        One incoming teacher (FTE) in the first year per 100 students.
    sending : float
        One absent backbone teacher (FTE) per 100 students.
    teacher_sd : float
        Standard deviation of teacher effects at class level.
    backbone_teacher : float
        Resident backbone teacher minus other teacher, at class level.
    """

    close_form: float = 0.08
    loose_form: float = 0.02
    lead: float = -0.01
    intake: float = 0.05
    choice_year_dip: float = -0.10
    strong_school_project: float = 0.05
    spillover: float = 0.01
    receiving_primary: float = 0.10
    receiving_junior: float = 0.0
    disruption: float = -0.03
    sending: float = -0.034
    teacher_sd: float = 0.14
    backbone_teacher: float = 0.06


NO_EFFECTS = PlantedEffects(
    close_form=0.0,
    loose_form=0.0,
    lead=0.0,
    intake=0.0,
    strong_school_project=0.0,
    spillover=0.0,
    receiving_primary=0.0,
    disruption=0.0,
    sending=0.0,
    backbone_teacher=0.0,
)
"""No policy does anything; schools are still chosen for their weakness and their bad year."""


@dataclass(frozen=True, slots=True)
class SimulationSettings:
    """Size, period, effects and dirt of a simulated county.

    Attributes
    ----------
    county_number : int
        Position in the list of invented counties; the code is 9901 and this number.
    n_schools : int
        Schools open in the last year (20 to 600).
    first_year, n_years : int
        School years, each by the year in which it starts; at least 3.
    effects : PlantedEffects
        What policies do to scores.
    selection_strength : float
        How much weak schools are preferred when members are chosen; scales the bad year before joining too.
    icc_primary, icc_junior : float
        Between-school share of the variance of scores.
    pupils_per_grade : int
        Most tested pupils in a school's grade and year; larger grades are sampled.
    with_teachers, with_scores : bool
        Whether the two person-level tables are made. Scores need teachers.
    clean : bool
        Whether all cells are filled, rotations carry codes, and no school opens, closes, merges or changes
        its name.
    """

    county_number: int = 1
    n_schools: int = 60
    first_year: int = 2018
    n_years: int = 8
    effects: PlantedEffects = field(default_factory=PlantedEffects)
    selection_strength: float = 1.0
    icc_primary: float = 0.10
    icc_junior: float = 0.20
    pupils_per_grade: int = 40
    with_teachers: bool = True
    with_scores: bool = True
    clean: bool = False

    def __post_init__(self) -> None:
        if not 20 <= self.n_schools <= 600:
            raise ValueError(f"n_schools must lie between 20 and 600, not {self.n_schools}")
        if not 3 <= self.n_years <= 20:
            raise ValueError(f"n_years must lie between 3 and 20, not {self.n_years}")
        if not 1 <= self.county_number <= 99:
            raise ValueError(f"county_number must lie between 1 and 99, not {self.county_number}")
        if self.with_scores and not self.with_teachers:
            raise ValueError("scores need teachers: set with_scores=False too")

    @property
    def county_id(self) -> str:
        """A code that no real county has."""
        return f"{CODE_START}{self.county_number:02d}"

    @property
    def years(self) -> range:
        """School years of the tables."""
        return range(self.first_year, self.first_year + self.n_years)

    @property
    def last_year(self) -> int:
        """School year for which verdicts are planted."""
        return self.first_year + self.n_years - 1


DEMO = SimulationSettings()
DEMO_SEED = 20250901


def is_synthetic(county_id: str) -> bool:
    """Say whether a county's code is one that only simulated counties have."""
    return county_id.startswith(CODE_START) and len(county_id) == len(CODE_START) + 2


def stream(seed: int, settings: SimulationSettings, noun: str) -> np.random.Generator:
    """Return the random stream of one part, so that a change in one part leaves the others alone."""
    return np.random.default_rng([seed, settings.county_number, NOUNS.index(noun)])
