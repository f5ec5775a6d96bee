"""How much rotation each school and stage had in each year: teachers in and out, in full-time equivalents."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.rotation_placement import DIRECTIONS
from toolkit.indicators.school_calendar import exposure_settings

Floats = NDArray[np.float64]
Side = Literal["sending", "receiving"]

SPELL_YEARS = (1, 2, 3)
"""Year of a spell; the last stands for itself and all later ones."""

USED = "rotation_used"
ONE_SIDED = ("rotation_sender_unknown", "rotation_receiver_unknown")
PER_STUDENTS = 100


@dataclass(frozen=True, slots=True)
class RotationDoses:
    """Rotation of each unit in each school year.

    Attributes
    ----------
    units : pandas.DataFrame, (n_units, 2)
        `school` (unit) and `stage`, in the order given.
    years : tuple of int
        School years.
    flows : mapping of str to ndarray, (n_units, n_years)
        Full-time equivalents over the teaching year, by name: `inflow`, `outflow`, `backbone_inflow`,
        `backbone_outflow`; `first_year_inflow` (teachers in the first year of their spell); the backbone
        teachers received by year of spell, `backbone_year_1` to `backbone_year_3` (and later), and
        `backbone_after` (those who left again in the years before that the settings count); where the
        spells say so, those received from inside the group and from outside, `backbone_inside` and
        `backbone_outside`, and by direction, `backbone_down`, `backbone_level`, `backbone_up`. Missing in
        years before the year that precedes the first spell; zero in later years without rotation.
    enrolment : ndarray, (n_units, n_years)
        Students of the stage.
    links : pandas.DataFrame
        `sending`, `receiving` (units), `stage`, `year`, `fte` of each spell and year whose schools are
        both known: who was linked with whom.
    use : pandas.DataFrame
        `reason` ("rotation_used", or why a spell counts on one side only or on none) and `n_spells`;
        the numbers add up to all usable spells.
    """

    units: pd.DataFrame
    years: tuple[int, ...]
    flows: Mapping[str, Floats]
    enrolment: Floats
    links: pd.DataFrame
    use: pd.DataFrame

    def per_100(self, name: str) -> Floats:
        """Return a flow per 100 students of the stage, (n_units, n_years)."""
        enrolment = np.where(self.enrolment > 0, self.enrolment, np.nan)
        return PER_STUDENTS * self.flows[name] / enrolment

    def tidy(self) -> pd.DataFrame:
        """Return one row per unit and year with the flows, in teachers and per 100 students."""
        n_units, n_years = len(self.units), len(self.years)
        long = self.units.loc[np.repeat(np.arange(n_units), n_years)].reset_index(drop=True)
        long = long.assign(year=np.tile(self.years, n_units), enrolment=self.enrolment.ravel())
        teachers = {name: values.ravel() for name, values in self.flows.items()}
        shares = {f"{name}_per_100": self.per_100(name).ravel() for name in self.flows}
        return long.assign(**teachers, **shares)

    @property
    def unmatched_share(self) -> float:
        """Share of the spells of which one school is not known; missing without spells."""
        total = int(self.use["n_spells"].sum())
        unknown = int(self.use.loc[self.use["reason"].isin(ONE_SIDED), "n_spells"].sum())
        return unknown / total if total else np.nan


def compute_rotation_doses(
    placed: pd.DataFrame, units: pd.DataFrame, years: tuple[int, ...], enrolment: Floats
) -> RotationDoses:
    """Compute how many rotating teachers each unit received and sent in each year.

    A spell counts with its share of full time and of the teaching year (September to June): one from
    1 September to the summer holidays is a whole one, one that begins in February about half. A teacher
    on rotation is absent from the sending school as long as he is at the receiving one, also where the
    personnel file moved.

    Parameters
    ----------
    placed : pandas.DataFrame
        See `place_spells`; with `is_inside` and `direction` where these are known.
    units : pandas.DataFrame
        `school` and `stage` of each unit.
    years : tuple of int
        School years of the panel.
    enrolment : ndarray, (n_units, n_years)
        Students of the stage.

    Notes
    -----
    A spell of which one school only is known counts at that school.
    """
    place = {key: row for row, key in enumerate(zip(units["school"], units["stage"], strict=True))}
    rows = {
        side: np.array(
            [place.get(key, -1) for key in zip(placed[side], placed["stage"], strict=True)], dtype=int
        )
        for side in ("sending", "receiving")
    }
    flows: dict[str, Floats] = {}
    links = []
    covered = {year: _part_of_year(placed, year) for year in years}
    for column, year in enumerate(years):
        fte = placed["share"].to_numpy(dtype=float) * covered[year]
        for name, (side, counted) in _kinds(placed, year, fte).items():
            known = (rows[side] >= 0) & (counted > 0)
            values = flows.setdefault(name, np.zeros((len(units), len(years))))
            values[:, column] = np.bincount(rows[side][known], counted[known], minlength=len(units))
        both = (fte > 0) & (placed["sending"] != "") & (placed["receiving"] != "")
        links.append(placed.loc[both, ["sending", "receiving", "stage"]].assign(year=year, fte=fte[both]))
    begins = placed["first_year"].min() if len(placed) else np.inf
    known_years = np.array(years) >= begins - 1
    for values in flows.values():
        values[:, ~known_years] = np.nan
    counts = placed["reason"].value_counts(sort=False).sort_index()
    return RotationDoses(
        units=units.reset_index(drop=True),
        years=years,
        flows=flows,
        enrolment=enrolment,
        links=pd.concat(links, ignore_index=True),
        use=pd.DataFrame({"reason": counts.index.astype(str), "n_spells": counts.to_numpy(dtype=int)}),
    )


def _kinds(placed: pd.DataFrame, year: int, fte: Floats) -> dict[str, tuple[Side, Floats]]:
    """Return by flow the side at which spells count and how much each counts in a year."""
    backbone = fte * placed["is_backbone"].to_numpy(dtype=float)
    step = (year - placed["first_year"]).to_numpy(dtype=float, na_value=np.nan)
    kinds: dict[str, tuple[Side, Floats]] = {
        "inflow": ("receiving", fte),
        "outflow": ("sending", fte),
        "backbone_inflow": ("receiving", backbone),
        "backbone_outflow": ("sending", backbone),
        "first_year_inflow": ("receiving", fte * (step == 0)),
    }
    for spell_year in SPELL_YEARS:
        is_last = spell_year == SPELL_YEARS[-1]
        there = step >= spell_year - 1 if is_last else step == spell_year - 1
        kinds[f"backbone_year_{spell_year}"] = ("receiving", backbone * there)
    kinds["backbone_after"] = ("receiving", _left_again(placed, year))
    if "is_inside" in placed:
        inside = placed["is_inside"].to_numpy(dtype=float)
        kinds["backbone_inside"] = ("receiving", backbone * inside)
        kinds["backbone_outside"] = ("receiving", backbone * (1 - inside))
    if "direction" in placed:
        for direction in DIRECTIONS:
            own = placed["direction"].eq(direction).to_numpy(dtype=float)
            kinds[f"backbone_{direction}"] = ("receiving", backbone * own)
    return kinds


def _left_again(placed: pd.DataFrame, year: int) -> Floats:
    """Return the backbone teachers, full-time equivalents, whose spell ended in one of the years before."""
    last = placed["last_year"].to_numpy(dtype=float, na_value=np.nan)
    ago = year - last
    own = placed["share"].to_numpy(dtype=float) * placed["is_backbone"].to_numpy(dtype=float)
    return own * ((ago >= 1) & (ago <= exposure_settings("rotation")["years_after"]))


def _part_of_year(placed: pd.DataFrame, year: int) -> Floats:
    """Return the share of the teaching year that each spell covers."""
    rule, calendar = exposure_settings("rotation"), exposure_settings("school_year")
    opens = pd.Timestamp(year, calendar["statistic_month"], calendar["statistic_day"])
    closes = pd.Timestamp(year + 1, rule["last_teaching_month"], 1) + pd.offsets.MonthEnd(0)
    start = placed["start"].where(placed["start"] > opens, opens)
    end = placed["end"].fillna(closes)
    end = end.where(end < closes, closes)
    days = (end - start).dt.days.to_numpy(dtype=float) + 1
    return np.clip(days / ((closes - opens).days + 1), 0.0, 1.0)
