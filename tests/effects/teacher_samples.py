"""Pupils of teachers who move between schools, drawn with known value added."""

import numpy as np
import pandas as pd

from toolkit.indicators.teacher_cells import collect_teacher_cells

YEARS = tuple(range(2016, 2024))
PUPIL_NOISE = 0.5


def draw_teachers(rng, n_schools=30, *, per_school=4, moving=0.15, teacher_sd=0.15, spells=False):
    """Return the school of each teacher by year, value added, and spells where the moves are rotations.

    Each year some teachers change places with one another, so that schools keep their numbers. With spells,
    they go for the year and are back the next.
    """
    n_teachers = n_schools * per_school
    home = np.repeat(np.arange(n_schools), per_school)
    place = np.tile(home, (len(YEARS), 1))
    rows = []
    current = home.copy()
    for at in range(1, len(YEARS)):
        chosen = rng.permutation(n_teachers)[: int(moving * n_teachers)]
        turned = np.roll(chosen, 1)
        now = (home if spells else current).copy()
        now[chosen] = now[turned]
        place[at] = now
        for teacher in chosen:
            if spells and now[teacher] != home[teacher]:
                rows.append((teacher, home[teacher], now[teacher], YEARS[at]))
        current = now
    added = teacher_sd * rng.standard_normal(n_teachers)
    return place, added, _placed(rows)


def _placed(rows):
    placed = pd.DataFrame(rows, columns=["teacher", "sent", "taken", "first_year"])
    return pd.DataFrame(
        {
            "teacher_id": [f"T{number:03d}" for number in placed["teacher"]],
            "sending": [f"S{number:02d}" for number in placed["sent"]],
            "receiving": [f"S{number:02d}" for number in placed["taken"]],
            "stage": "primary",
            "first_year": placed["first_year"].astype("Int64"),
            "last_year": placed["first_year"].astype("Int64"),
            "share": 1.0,
            "reason": "rotation_used",
            "direction": np.where(np.arange(len(placed)) % 3 == 0, "up", "down"),
        }
    )


def draw_pupils(rng, place, added, *, size=15, sorting=0.0, school_sd=0.3, year_sd=0.05, extra=None):
    """Return one row per pupil: two grades, two teachers each, a school's pupils better or worse throughout.

    `sorting`: pupils' ability rises with the mean value added at the school in the year. `extra`: what else
    is added to a teacher's pupils by year, (n_years, n_teachers).
    """
    n_years, n_teachers = place.shape
    n_schools = int(place.max()) + 1
    level = school_sd * rng.standard_normal(n_schools)
    sums = np.array([np.bincount(place[at], added, n_schools) for at in range(n_years)])
    counts = np.array([np.bincount(place[at], minlength=n_schools) for at in range(n_years)])
    mean = sums / np.maximum(counts, 1)
    at = np.repeat(np.arange(n_years), n_teachers * size)
    teacher = np.tile(np.repeat(np.arange(n_teachers), size), n_years)
    school = place[at, teacher]
    order = np.array([pd.Series(place[year]).groupby(place[year]).cumcount() for year in range(n_years)])
    ability = level[school] + 0.7 * rng.standard_normal(len(at)) + sorting * mean[at, school]
    shock = year_sd * rng.standard_normal((n_years, n_teachers))
    value = added[teacher] + shock[at, teacher] + (0 if extra is None else extra[at, teacher])
    return pd.DataFrame(
        {
            "teacher": pd.Series([f"T{number:03d}" for number in range(n_teachers)]).iloc[teacher].to_numpy(),
            "school": pd.Series([f"S{number:02d}" for number in range(n_schools)]).iloc[school].to_numpy(),
            "stage": "primary",
            "grade": 5.0 + order[at, teacher] % 2,
            "subject": "mathematics",
            "year": np.array(YEARS)[at],
            "weight": 1.0,
            "score": ability + value + PUPIL_NOISE * rng.standard_normal(len(at)),
            "prior": ability + PUPIL_NOISE * rng.standard_normal(len(at)),
        }
    )


def make_cells(seed=1, *, spells=False, **options):
    """Return cells, value added by teacher and spells."""
    rng = np.random.default_rng(seed)
    drawn = {name: options.pop(name) for name in ("n_schools", "moving", "teacher_sd") if name in options}
    place, added, placed = draw_teachers(rng, spells=spells, **drawn)
    pupils = draw_pupils(rng, place, added, **options)
    return collect_teacher_cells("990100", pupils), added, placed
