"""Teachers by year: posts that follow the students, people who hold them, move, rise and leave."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.simulate.enrolment import Enrolment
from toolkit.data.simulate.names import names
from toolkit.data.simulate.plan import Plan
from toolkit.data.simulate.posts import ARTS, PE, Posts, draw_slots, plan_posts
from toolkit.data.simulate.settings import SimulationSettings, stream

DEGREES = {
    "primary": (("below_college",), ("college", "bachelor", "master"), (0.34, 0.62, 0.04)),
    "junior": (("college",), ("bachelor", "master"), (0.92, 0.08)),
}
TURNOVER, MOVES_INSIDE = 0.05, 0.45
TITLES = ("no_title", "second_title", "first_title", "senior_title")


@dataclass(frozen=True, slots=True)
class Staff:
    """Who teaches where.

    Attributes
    ----------
    roster : pandas.DataFrame
        One row per teacher and year: `person`, `year`, `row` (of the register), `stage`, `subject`,
        `arrived_year`, `qualification`, `qualified`, `title`, `backbone` (title in force),
        `backbone_title`, `backbone_expiry`, `established`, `birth_year`, `exemption`, `post`, `applied`.
    counts : pandas.DataFrame
        Sums over the roster by (row, stage, year).
    """

    roster: pd.DataFrame
    counts: pd.DataFrame


def simulate_teachers(enrolment: Enrolment, plan: Plan, settings: SimulationSettings, seed: int) -> Staff:
    """Simulate the rosters; in the last year they add up to the planned numbers."""
    rng = stream(seed, settings, "teachers")
    units = plan_posts(enrolment, plan, settings, rng)
    slots = draw_slots(units, rng)
    spells = _spells(units, slots, settings, rng)
    people = _people(spells, settings, rng)
    roster = _roster(spells, people, settings, rng)
    return Staff(roster, _count(roster))


def _spells(
    units: Posts, slots: pd.DataFrame, settings: SimulationSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Return who held which post from when to when; people who change school within the county are linked."""
    unit = slots["unit"].to_numpy()
    active = slots["rank"].to_numpy()[:, None] < units.posts[unit]
    before = np.zeros_like(active)
    before[:, 1:] = active[:, :-1]
    begins = active & (~before | (rng.random(active.shape) < TURNOVER))
    number = np.cumsum(begins.ravel()).reshape(active.shape) - 1
    slot, position = np.nonzero(begins)
    end = np.zeros(len(slot), dtype=np.int64)
    rows, columns = np.nonzero(active)
    np.maximum.at(end, number[rows, columns], columns)
    spells = pd.DataFrame({"slot": slot, "start": position, "end": end})
    spells["unit"] = unit[slot]
    spells["row"] = units.row[spells["unit"]]
    spells["stage"] = units.stage[spells["unit"]]
    spells["subject"] = slots["subject"].to_numpy()[slot]
    held_last = (spells["end"] == units.last[spells["unit"]]) & slots["inside"].to_numpy()[slot]
    spells["planned"] = held_last & (spells["end"] == settings.n_years - 1)
    spells["qualified"] = slots["qualified"].to_numpy()[slot]
    spells["backbone"] = slots["backbone"].to_numpy()[slot] & held_last
    spells["person"] = _link(spells, rng)
    return spells


def _link(spells: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return the person of each spell: some of those who begin come from another school."""
    follows = np.full(len(spells), -1)
    lottery = rng.random(len(spells))
    leavers: dict[tuple[str, str, int], list[int]] = {}
    beginners: dict[tuple[str, str, int], list[int]] = {}
    columns = zip(spells["stage"], spells["subject"], spells["start"], spells["end"], strict=True)
    for spell, (stage, subject, start, end) in enumerate(columns):
        leavers.setdefault((stage, subject, end + 1), []).append(spell)
        if start > 0 and lottery[spell] < MOVES_INSIDE:
            beginners.setdefault((stage, subject, start), []).append(spell)
    rows = spells["row"].to_numpy()
    for key in sorted(beginners):
        available = [leavers.get(key, [])[index] for index in rng.permutation(len(leavers.get(key, [])))]
        for spell in beginners[key]:
            match = next((leaver for leaver in available if rows[leaver] != rows[spell]), None)
            if match is not None:
                available.remove(match)
                follows[spell] = match
    successor = np.full(len(spells), -1)
    successor[follows[follows >= 0]] = np.flatnonzero(follows >= 0)
    person = np.arange(len(spells))
    for spell in np.lexsort((-spells["start"].to_numpy(),)):
        if successor[spell] >= 0:
            person[spell] = person[successor[spell]]
    return np.unique(person, return_inverse=True)[1]


def _people(spells: pd.DataFrame, settings: SimulationSettings, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what stays with a person; the last spell decides what was planned."""
    ordered = spells.sort_values(["person", "start"], kind="stable")
    people = ordered.groupby("person").agg(
        first=("start", "min"), last=("end", "max"), stage=("stage", "last"), planned=("planned", "last"),
        qualified=("qualified", "last"), backbone=("backbone", "last"),
    )  # fmt: skip
    n_people = len(people)
    draw = {
        name: rng.random(n_people) for name in ("age", "degree", "title", "gained", "expired", "post", "out")
    }
    served = (people["last"] - people["first"]).to_numpy()
    incumbent = (people["first"] == 0).to_numpy()
    oldest = 59 - served
    age = np.where(incumbent, 23 + draw["age"] * (oldest - 23), np.minimum(22 + 9 * draw["age"] ** 2, oldest))
    people["birth_year"] = (settings.first_year + people["first"] - np.floor(age)).astype(int)
    planned = people["planned"].to_numpy()
    people["qualified"] = np.where(planned, people["qualified"], draw["degree"] < 0.85)
    people["backbone"] = np.where(planned, people["backbone"], draw["gained"] < 0.11)
    degree = rng.random(n_people)
    people["degree"] = [
        _degree(stage, qualified, value)
        for stage, qualified, value in zip(people["stage"], people["qualified"], degree, strict=True)
    ]
    # Some reached their degree within the period; before it they were one step lower.
    people["upgraded"] = np.where(
        people["qualified"] & incumbent & (draw["degree"] > 0.86),
        settings.first_year + 1 + np.floor(draw["out"] * (settings.n_years - 1)),
        0,
    ).astype(int)
    last = settings.last_year
    people["gained"] = np.where(people["backbone"], last - np.floor(14 * draw["gained"] ** 1.2), 0).astype(
        int
    )
    expired = ~people["backbone"].to_numpy() & planned & (draw["expired"] < 0.05)
    people["expired_on"] = np.where(expired, last - np.floor(6 * draw["title"]), 0).astype(int)
    people["ability"] = draw["title"]
    people["established"] = draw["post"] > 0.07
    listed = names()["teachers"]["exemptions"]
    exempt = np.where(draw["out"] < 0.03, np.floor(draw["out"] / 0.03 * len(listed)), -1).astype(int)
    people["exemption"] = np.array([*listed, ""], dtype=object)[exempt]
    return people


def _degree(stage: str, qualified: bool, draw: float) -> str:
    below, above, shares = DEGREES[stage]
    if not qualified:
        return below[0]
    return above[min(int(np.searchsorted(np.cumsum(shares), draw)), len(above) - 1)]


def _roster(
    spells: pd.DataFrame, people: pd.DataFrame, settings: SimulationSettings, rng: np.random.Generator
) -> pd.DataFrame:
    """Return one row per teacher and year."""
    before = np.minimum(1 + rng.geometric(0.10, len(spells)), 30)
    length = (spells["end"] - spells["start"] + 1).to_numpy()
    index = np.repeat(np.arange(len(spells)), length)
    step = np.arange(len(index)) - np.repeat(np.cumsum(length) - length, length)
    roster = spells.loc[index, ["person", "row", "stage", "subject", "start", "planned"]].reset_index(
        drop=True
    )
    roster["year"] = settings.first_year + roster["start"] + step
    person = people.loc[roster["person"]].reset_index(drop=True)
    born = person["birth_year"].to_numpy()
    arrived = np.where(
        roster["start"] > 0, settings.first_year + roster["start"], settings.first_year - before[index]
    )
    roster["arrived_year"] = np.maximum(arrived, born + 22)
    year = roster["year"].to_numpy()
    upgraded = (person["upgraded"] <= year).to_numpy()
    lower = np.array([DEGREES[stage][0][0] for stage in roster["stage"]], dtype=object)
    roster["qualification"] = np.where(upgraded, person["degree"], lower)
    roster["qualified"] = person["qualified"].to_numpy(dtype=bool) & upgraded
    service = year - born - 23
    ability = person["ability"].to_numpy()
    rank = (
        (service >= 1 + 2 * ability).astype(int)
        + (service >= 8 + 6 * ability)
        + ((service >= 17 + 10 * ability) & (ability < 0.45))
    )
    roster["title"] = np.array(TITLES, dtype=object)[rank]
    roster["applied"] = np.where(rank > 1, born + 23 + np.ceil(8 + 6 * ability), np.nan)
    gained, expired = person["gained"].to_numpy(), person["expired_on"].to_numpy()
    roster["backbone"] = person["backbone"].to_numpy(dtype=bool) & (gained <= year)
    # Titles run for three years and are renewed; those with `expired_on` were not.
    lapses = gained + 3 * ((year - gained) // 3 + 1)
    held = roster["backbone"].to_numpy() | (expired > 0)
    roster["backbone"] |= expired > year
    ability_kind = np.where(
        ability < 0.08, "province_backbone", np.where(ability < 0.3, "city_backbone", "county_backbone")
    )
    roster["backbone_title"] = np.where(held, ability_kind, "")
    roster["backbone_expiry"] = np.where(held, np.where(expired > 0, expired, lapses), 0)
    for name in ("established", "exemption", "birth_year"):
        roster[name] = person[name].to_numpy()
    roster = roster.sort_values(["year", "row", "stage", "person"], kind="stable").reset_index(drop=True)
    roster["post"] = _posts(roster, rng)
    return roster.drop(columns=["start", "planned"])


def _posts(roster: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.object_]:
    """Give every school one principal, and class teachers to about a third."""
    kind = np.where(rng.random(len(roster)) < 0.36, "class_teacher", "subject_teacher").astype(object)
    service = (roster["year"] - roster["birth_year"]).to_numpy()
    keys = roster["year"].to_numpy() * 10_000 + roster["row"].to_numpy()
    order = np.lexsort((-service, keys))
    firsts = order[np.r_[True, np.diff(keys[order]) != 0]]
    kind[firsts] = "principal"
    return kind


def _count(roster: pd.DataFrame) -> pd.DataFrame:
    """Add up the roster by school, stage and year."""
    title, subject = roster["title"], roster["subject"]
    kinds = pd.DataFrame(
        {
            "teachers": 1,
            "teachers_above_required_qualification": roster["qualified"],
            "backbone_teachers": roster["backbone"],
            "pe_teachers": subject.isin(PE),
            "arts_teachers": subject.isin(ARTS),
            "senior_title_teachers": title == "senior_title",
            "teachers_intermediate_title": title.isin(["first_title", "senior_title"]),
        }
    ).astype(int)
    by = [roster["row"], roster["stage"], roster["year"]]
    return pd.DataFrame(kinds.groupby(by).sum())
