"""Spells of teacher rotation."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.simulate.enrolment import BURN_IN, Enrolment
from toolkit.data.simulate.frames import column, columns, only, records
from toolkit.data.simulate.programmes import Programmes
from toolkit.data.simulate.register import Register
from toolkit.data.simulate.settings import SimulationSettings, stream
from toolkit.data.simulate.teachers import Staff

YEARS_AT_SCHOOL = 6
# Share of eligible teachers who begin a rotation, and backbone share among them, in the last year;
# earlier years come nearer to them year by year.
LAST_RATE, LAST_BACKBONE_SHARE = 0.104, 0.19
FIRST_RATE, FIRST_BACKBONE_SHARE = 0.06, 0.24
LENGTHS, LENGTH_SHARES = (1, 2, 3), (0.35, 0.25, 0.40)
DIRECTIONS = {"urban": (0.1, 0.5, 0.4), "town_area": (0.15, 0.35, 0.5), "rural": (0.35, 0.35, 0.3)}
LOCATIONS = ("urban", "town_area", "rural")
INSIDE_SCHOOL_GROUP = 0.6
TRAVELLING_SHARE, FILE_MOVED_SHARE = 0.08, 0.10


@dataclass(frozen=True, slots=True)
class Rotations:
    """Rotation spells.

    Attributes
    ----------
    spells : pandas.DataFrame
        `person`, `stage`, `subject`, `title`, `backbone`, `sending`, `receiving` (rows of the register),
        `start` (school year), `length` (school years), `type`, `share`, `file_moved`, `running`.
    compliance : pandas.DataFrame
        `eligible`, `rotated`, `rotated_backbone` by year.
    """

    spells: pd.DataFrame
    compliance: pd.DataFrame


def simulate_rotations(
    register: Register,
    enrolment: Enrolment,
    staff: Staff,
    programmes: Programmes,
    settings: SimulationSettings,
    seed: int,
) -> Rotations:
    """Send eligible teachers to other schools for one to three years.

    Eligible in year Y: on the roster of Y with a post of the establishment, no exemption and at the
    school since Y - 6 or earlier. The roster stays with the school that holds the personnel file;
    teachers whose file moves arrive on the receiving school's roster in the year the spell begins.
    """
    rng = stream(seed, settings, "rotations")
    roster = staff.roster
    kinds = register.schools["type"].to_numpy()
    usual = (kinds != "special_education_school") & (register.schools["ownership"] == "public").to_numpy()
    eligible = roster[
        (roster["arrived_year"] <= roster["year"] - YEARS_AT_SCHOOL)
        & roster["established"]
        & (roster["exemption"] == "")
    ]
    eligible = eligible[usual[eligible["row"]]]
    away: dict[int, int] = {}
    spells, compliance = [], []
    for year in list(settings.years)[1:]:
        progress = (year - settings.first_year - 1) / max(settings.n_years - 2, 1)
        rate = FIRST_RATE + (LAST_RATE - FIRST_RATE) * progress
        share = FIRST_BACKBONE_SHARE + (LAST_BACKBONE_SHARE - FIRST_BACKBONE_SHARE) * progress
        here = eligible[eligible["year"] == year]
        n_wanted = int(np.ceil(rate * len(here)))
        moved = _file_movers(roster, year, round(FILE_MOVED_SHARE * n_wanted), usual, away, rng)
        candidates = only(here, _is_back(column(here, "person"), away, year))
        n_backbone = max(int(np.floor(share * n_wanted)) - int(column(moved, "backbone").sum()), 0)
        backbone = candidates[candidates["backbone"]]
        others = candidates[~candidates["backbone"]]
        chosen = pd.concat(
            [
                backbone.iloc[rng.permutation(len(backbone))[:n_backbone]],
                others.iloc[rng.permutation(len(others))[: n_wanted - len(moved) - n_backbone]],
            ]
        )
        chosen = chosen.assign(sending=chosen["row"], receiving=-1, file_moved=False)
        places = _Places.in_year(year, register, enrolment, programmes, usual, settings)
        for spell in [*records(moved), *records(chosen)]:
            receiving = int(spell.receiving) if spell.file_moved else places.receiving(spell, rng)
            length = int(rng.choice(LENGTHS, p=LENGTH_SHARES))
            away[spell.person] = year + length + 1
            inside = receiving in places.partners.get((spell.stage, spell.sending), ())
            spells.append(_spell(spell, receiving, year, length, inside, settings, rng))
        started = [spell for spell in spells if spell["start"] == year]
        compliance.append((year, len(here), len(started), sum(spell["backbone"] for spell in started)))
    counted = pd.DataFrame(compliance, columns=["year", "eligible", "rotated", "rotated_backbone"])
    return Rotations(pd.DataFrame(spells), counted)


def _file_movers(
    roster: pd.DataFrame,
    year: int,
    n_wanted: int,
    usual: np.ndarray,
    away: dict[int, int],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return teachers who changed school this year after six years, as rotations with the file moved."""
    before = roster.loc[roster["year"] == year - 1, ["person", "row", "arrived_year"]]
    now = roster[roster["year"] == year].merge(before, on="person", suffixes=("", "_before"))
    movers = now[
        (now["row"] != now["row_before"])
        & (now["arrived_year_before"] <= year - YEARS_AT_SCHOOL)
        & usual[now["row"]]
        & usual[now["row_before"]]
        & _is_back(column(now, "person"), away, year)
    ]
    chosen = movers.iloc[rng.permutation(len(movers))[:n_wanted]]
    return chosen.assign(sending=chosen["row_before"], receiving=chosen["row"], file_moved=True)


def _is_back(people: pd.Series, away: dict[int, int], year: int) -> np.ndarray:
    """Say which teachers are not on an earlier spell, nor just back from one."""
    return np.array([away.get(person, 0) <= year for person in people], dtype=bool)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where teachers may be sent in one year.

    `pull` holds cumulative chances over the schools by stage and location of the sending school;
    `partners` the other schools of the same school group by stage and school.
    """

    pull: dict[tuple[str, str], np.ndarray]
    partners: dict[tuple[str, int], list[int]]
    locations: list[str]

    @classmethod
    def in_year(
        cls,
        year: int,
        register: Register,
        enrolment: Enrolment,
        programmes: Programmes,
        usual: np.ndarray,
        settings: SimulationSettings,
    ) -> "_Places":
        """Return the places of a year."""
        locations = register.schools["location"].to_numpy(dtype=object)
        pull = {}
        open_rows = {}
        for stage in ("primary", "junior"):
            students = getattr(enrolment, stage)[:, BURN_IN + year - settings.first_year]
            open_rows[stage] = (students > 0) & usual
            for location, shares in DIRECTIONS.items():
                chance = np.select([locations == place for place in LOCATIONS], shares, 0.0)
                pull[stage, location] = np.cumsum(chance * open_rows[stage])
        table = programmes.memberships
        current = table[
            (table["programme"] == "group_schooling")
            & (table["start_year"] <= year)
            & ~(table["end_year"] < year)
        ]
        partners: dict[tuple[str, int], list[int]] = {}
        for _, members in current.groupby(["stage", "school_group"]):
            stage = str(members["stage"].iloc[0])
            there = [int(row) for row in members["row"] if open_rows[stage][row]]
            for row in there:
                partners[stage, row] = [other for other in there if other != row]
        return cls(pull, partners, locations.tolist())

    def receiving(self, spell: Any, rng: np.random.Generator) -> int:
        """Draw the receiving school: inside the school group, or by the usual direction."""
        partners = self.partners.get((spell.stage, spell.sending), [])
        if partners and rng.random() < INSIDE_SCHOOL_GROUP:
            return partners[int(rng.integers(len(partners)))]
        pull = self.pull[spell.stage, self.locations[spell.sending]]
        while True:
            row = int(np.searchsorted(pull, rng.random() * pull[-1], side="right"))
            if row != spell.sending:
                return row


def _spell(
    spell: Any,
    receiving: int,
    year: int,
    length: int,
    inside: bool,
    settings: SimulationSettings,
    rng: np.random.Generator,
) -> dict:
    travelling = not spell.file_moved and rng.random() < TRAVELLING_SHARE
    kind = "travelling_teaching" if travelling else "group_internal_move" if inside else "fixed_term_rotation"
    if not travelling and not inside and rng.random() < 0.15:
        kind = "support_teaching"
    return {
        "person": spell.person,
        "stage": spell.stage,
        "subject": spell.subject,
        "title": spell.title,
        "backbone": bool(spell.backbone),
        "sending": int(spell.sending),
        "receiving": receiving,
        "start": year,
        "length": length,
        "type": kind,
        "share": 0.4 if travelling else 1.0,
        "file_moved": bool(spell.file_moved),
        "running": year + length > settings.last_year,
    }


def rotation_doses(rotations: Rotations, settings: SimulationSettings) -> pd.DataFrame:
    """Return FTE of rotating teachers by (row, stage, year).

    Columns: `inflow`, `outflow`, `backbone_inflow`, `backbone_outflow`, `first_year_inflow`.
    """
    spells = rotations.spells
    parts = []
    for step in range(max(LENGTHS)):
        there = spells[(spells["length"] > step) & (spells["start"] + step <= settings.last_year)]
        year, share = there["start"] + step, there["share"]
        strong = share * there["backbone"]
        for side, flow in (("receiving", "inflow"), ("sending", "outflow")):
            part = pd.DataFrame({"row": there[side], "stage": there["stage"], "year": year})
            part[flow], part[f"backbone_{flow}"] = share, strong
            if flow == "inflow":
                part["first_year_inflow"] = share * (step == 0)
            parts.append(part)
    doses = pd.concat(parts).groupby(["row", "stage", "year"]).sum()
    return columns(doses, ["inflow", "outflow", "backbone_inflow", "backbone_outflow", "first_year_inflow"])
