"""Posts of teachers: how many a school has in each year, for which subject, and what was planned for them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.settings import SimulationSettings

PE, ARTS = ("physical_education",), ("music", "fine_art", "art")
OTHER_SUBJECTS = {
    "primary": (("chinese", "mathematics", "english", "science", "morality_law", "information"),
                (0.38, 0.32, 0.10, 0.08, 0.07, 0.05)),
    "junior": (("chinese", "mathematics", "english", "physics", "chemistry", "biology", "history",
                "geography", "morality_law", "information"),
               (0.19, 0.19, 0.18, 0.10, 0.06, 0.06, 0.07, 0.06, 0.07, 0.02)),
}  # fmt: skip
QUALIFIED_SHARE = {"primary": (0.93, 0.98), "junior": (0.88, 0.95)}
FOLLOWING = 0.75


@dataclass(frozen=True, slots=True)
class Posts:
    """Schools by stage, with their posts by year, (n_units, n_years), and planned numbers."""

    row: NDArray[np.int64]
    stage: NDArray[np.object_]
    posts: NDArray[np.int64]
    planned: pd.DataFrame
    last: NDArray[np.int64]


def plan_posts(
    enrolment: Enrolment, plan: Plan, settings: SimulationSettings, rng: np.random.Generator
) -> Posts:
    """Return the posts by year: they follow the students with a lag, and end at the planned numbers."""
    planned = plan.staff.reset_index()
    stage = planned["stage"].to_numpy(dtype=object)
    row = planned["row"].to_numpy(dtype=np.int64)
    students = np.where((stage == "primary")[:, None], enrolment.primary[row], enrolment.junior[row])
    lagged = (0.5 * students + 0.5 * np.roll(students, 1, axis=1))[:, BURN_IN:]
    students = students[:, BURN_IN:]
    alive = students > 0
    last = settings.n_years - 1 - alive[:, ::-1].argmax(axis=1)
    alive &= alive.any(axis=1, keepdims=True)
    low, high = np.array([QUALIFIED_SHARE[name] for name in stage]).T
    share = low + (high - low) * rng.random(len(row))
    total = np.maximum.reduce(
        [
            np.ceil(planned["R1"] / share).to_numpy(),
            (planned["R3"] + np.ceil(0.6 * planned["R3"]) + 1).to_numpy(),
            (planned["R2"] + 1).to_numpy(),
        ]
    )
    reference = np.maximum(lagged[np.arange(len(row)), last], 1.0)
    ratio = np.maximum(lagged, 1.0) / reference[:, None]
    posts = np.maximum(np.round(total[:, None] * ratio**FOLLOWING), 1) * alive
    posts[np.arange(len(row)), last] = np.where(alive.any(axis=1), total, 0)
    return Posts(row, stage, posts.astype(np.int64), planned, last)


def draw_slots(units: Posts, rng: np.random.Generator) -> pd.DataFrame:
    """Return the posts that ever existed, with their subject and planned holder of the last year."""
    n_slots = units.posts.max(axis=1)
    unit = np.repeat(np.arange(len(units.row)), n_slots)
    index = np.arange(len(unit)) - np.repeat(np.cumsum(n_slots) - n_slots, n_slots)
    reference = units.posts[np.arange(len(units.row)), units.last][unit]
    inside = index < reference
    slots = pd.DataFrame({"unit": unit, "inside": inside})
    slots["rank"] = np.where(inside, _ranks(unit, np.where(inside, rng.random(len(unit)), 2.0)), index)
    specialists = units.planned["R3"].to_numpy()[unit]
    n_pe = np.round(0.48 * units.planned["R3"].to_numpy()).astype(int)[unit]
    kind = np.where(index < n_pe, "pe", np.where(index < specialists, "arts", "other"))
    outside = rng.random(len(unit))
    slots["subject_kind"] = np.where(
        inside, kind, np.where(outside < 0.06, "pe", np.where(outside < 0.12, "arts", "other"))
    )
    slots["subject"] = _subjects(units.stage[unit], slots["subject_kind"].to_numpy(), rng)
    # Who is qualified and who holds a title in force is drawn among the posts of the reference year.
    for name, planned in (("qualified", "R1"), ("backbone", "R2")):
        order = _ranks(unit, np.where(inside, rng.random(len(unit)), 2.0))
        slots[name] = inside & (order < units.planned[planned].to_numpy()[unit])
    return slots


def _ranks(by: NDArray[np.int64], values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of each value among those with the same `by` (which is sorted), from 0."""
    order = np.lexsort((values, by))
    starts = np.searchsorted(by, by)
    ranks = np.empty(len(by), dtype=np.int64)
    ranks[order] = np.arange(len(by))
    return ranks - starts


def _subjects(
    stages: NDArray[np.object_], kinds: NDArray[np.object_], rng: np.random.Generator
) -> NDArray[np.object_]:
    draws = rng.random(len(stages))
    subjects = np.empty(len(stages), dtype=object)
    for stage, (listed, shares) in OTHER_SUBJECTS.items():
        chosen = np.minimum(np.searchsorted(np.cumsum(shares), draws), len(listed) - 1)
        here = stages == stage
        subjects[here] = np.array(listed, dtype=object)[chosen[here]]
    subjects[kinds == "pe"] = PE[0]
    arts = kinds == "arts"
    subjects[arts] = np.array(ARTS, dtype=object)[
        np.minimum((draws[arts] * len(ARTS)).astype(int), len(ARTS) - 1)
    ]
    return subjects
