"""Classes and their sizes."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.frames import column, counted
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream

# Upper ends of the bands of the form, but for the last, which is open.
BAND_ENDS = (25, 30, 35, 40, 45, 50, 55, 60, 65)
BANDS = (
    "band_1_25", "band_26_30", "band_31_35", "band_36_40", "band_41_45",
    "band_46_50", "band_51_55", "band_56_60", "band_61_65", "band_66_up",
)  # fmt: skip
# Pupils per class that lead to another class; crowded schools had larger ones until a few years ago.
USUAL = {"primary": 45, "junior": 50}
CROWDED, CROWDED_SHARE, CROWDED_UNTIL = 12, 0.18, 3


@dataclass(frozen=True, slots=True)
class Classes:
    """Classes by grade.

    Attributes
    ----------
    sections : pandas.DataFrame
        One row per class: `row`, `year`, `stage`, `grade`, `number`, `size`.
    """

    sections: pd.DataFrame

    def per_school(self) -> pd.DataFrame:
        """Return the number of classes by (row, year) and stage."""
        counts = counted(self.sections, ["row", "year", "stage"]).unstack("stage")
        return pd.DataFrame({stage: counts[stage] for stage in ("primary", "junior")})

    def largest(self) -> pd.Series:
        """Return the size of the largest class by (row, year)."""
        return column(self.sections.groupby(["row", "year"])[["size"]].max(), "size")


def simulate_classes(
    register: Register, enrolment: Enrolment, settings: SimulationSettings, seed: int
) -> Classes:
    """Divide every grade into classes of nearly equal size."""
    rng = stream(seed, settings, "classes")
    urban = (register.schools["location"] == "urban").to_numpy()
    crowded = urban & (rng.random(len(register)) < CROWDED_SHARE)
    crowded[np.flatnonzero(urban)[0]] = True
    grades = enrolment.grades[:, :, BURN_IN:]
    row, grade, position = np.nonzero(grades)
    size = grades[row, grade, position]
    junior = grade >= 6
    # One school is crowded to the end, the others were relieved.
    relieved = (position >= settings.n_years - CROWDED_UNTIL) & (row != np.flatnonzero(urban)[0])
    usual = np.where(junior, USUAL["junior"], USUAL["primary"])
    limit = usual + np.where(crowded[row] & ~relieved, CROWDED, 0)
    n_classes = -(-size // limit)
    index = np.repeat(np.arange(len(size)), n_classes)
    number = np.arange(len(index)) - np.repeat(np.cumsum(n_classes) - n_classes, n_classes)
    share, rest = size // n_classes, size % n_classes
    sections = pd.DataFrame(
        {
            "row": row[index],
            "year": settings.first_year + position[index],
            "stage": np.where(junior[index], "junior", "primary"),
            "grade": grade[index] + 1,
            "number": number + 1,
            "size": share[index] + (number < rest[index]),
        }
    )
    order = ["year", "row", "grade", "number"]
    return Classes(sections.sort_values(order, kind="stable").reset_index(drop=True))


def class_table(classes: Classes, register: Register, settings: SimulationSettings) -> pd.DataFrame:
    """Return 班额: single classes in the last year, numbers of classes by band before it."""
    sections = classes.sections.assign(size_band=_bands(classes.sections["size"].to_numpy()))
    last = sections[sections["year"] == settings.last_year]
    single = pd.DataFrame(
        {
            "row": last["row"],
            "year": last["year"],
            "stage": last["stage"],
            "grade": last["grade"],
            "class_id": [
                f"{grade}{number:02d}" for grade, number in zip(last["grade"], last["number"], strict=True)
            ],
            "size_band": last["size_band"],
            "class_size": last["size"],
            "class_count": 1,
        }
    )
    earlier = sections[sections["year"] < settings.last_year]
    banded = counted(earlier, ["year", "row", "stage", "size_band"]).reset_index(name="class_count")
    table = pd.concat([banded, single], ignore_index=True)
    rows, years = table["row"].to_numpy(dtype=int), table["year"].to_numpy(dtype=int)
    return table.assign(
        school_id=register.codes_in(rows, years), school_name=register.names_in(rows, years)
    ).drop(columns="row")


def _bands(sizes: NDArray[np.int64]) -> NDArray[np.object_]:
    return np.array(BANDS, dtype=object)[np.searchsorted(BAND_ENDS, sizes)]
