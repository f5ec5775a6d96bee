"""Coefficients of variation with rotating teachers counted where they come from, and where they teach."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.indicators.exposure import compute_rotation_spells
from toolkit.indicators.lineage import trace_schools
from toolkit.indicators.resources import ResourceIndicators
from toolkit.standards import Indicator, Standard
from toolkit.variation.dispersion import coefficient_of_variation
from toolkit.variation.programmes import programme_settings

QUALIFIED = "teachers_above_required_qualification"
COLUMNS = [
    "stage",
    "indicator",
    "n_schools",
    "n_missing",
    "limit",
    "coefficient_reported",
    "coefficient_sending",
    "coefficient_receiving",
    "difference",
    "full_time_equivalent",
    "n_not_known",
    "n_outside",
    "n_below_zero",
]


@dataclass(frozen=True, slots=True)
class RotationDispersion:
    """Coefficients of one year under three ways of counting rotating teachers. A description.

    Attributes
    ----------
    year : int
        School year.
    standard : Standard
        Indicators and limits.
    table : pandas.DataFrame
        One row per stage and indicator of teachers. `coefficient_reported`: counts as the schools
        report them; `coefficient_sending`: every teacher on a spell counted wholly at the sending
        school; `coefficient_receiving`: with the full-time share of the spell at the receiving
        school, the rest at the sending one; `difference` receiving minus sending.
        `full_time_equivalent` of the teachers of the kind on a spell in the year; `n_not_known`
        spells left out because nothing says whether the teacher is of the kind, or a school is
        unmatched;
        `n_outside` spells with one end outside the schools counted; `n_below_zero` schools that
        report fewer teachers than leave, set to zero.
    """

    year: int
    standard: Standard
    table: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage and indicator."""
        return self.table


def compare_placements(county: County, resources: ResourceIndicators, *, year: int) -> RotationDispersion:
    """Compare the coefficients with rotating teachers at the sending and at the receiving school.

    Every spell that runs in the year is moved on paper; nothing else changes. It says where the
    teachers stand, not what rotation does: without rotation schools would have been staffed otherwise.

    Parameters
    ----------
    county : County
        With `rotations`, and `teachers` for the qualification of those on a spell.
    resources : ResourceIndicators
        The indicators of teachers and the schools that count.
    year : int
        School year.

    Notes
    -----
    Assumed: the schools report a teacher where the personnel file is, so that the sending school
    reports the teacher unless the file has moved (not said: not moved); the stage of the
    spell holds at both schools; a spell whose full-time share is not said is full-time; of several
    open spells of one teacher the last one counts. Special
    cases of the standard, which count visiting teachers, are not applied: they would count a
    teacher twice. Without a running spell the result has no rows.
    """
    running = compute_rotation_spells(county).running_in(year).sort_values(["start", "row"], kind="stable")
    spells = running.drop_duplicates("teacher_id", keep="last").reset_index(drop=True)
    rows = []
    if len(spells):
        lineage = trace_schools(county)
        for side in ("sending", "receiving"):
            spells[side] = [
                lineage.code_in(code, year) if isinstance(code, str) else ""
                for code in spells[f"{side}_school_id"]
            ]
        spells["qualification"] = _qualifications(county, spells, year)
        rows = [
            _row(resources, spells, indicator, stage, year)
            for stage in resources.stages
            for indicator in resources.standard.indicators
            if _counts_teachers(indicator)
        ]
    found = pd.DataFrame([row for row in rows if row], columns=COLUMNS)
    return RotationDispersion(year, resources.standard, found)


def _row(
    resources: ResourceIndicators, spells: pd.DataFrame, indicator: Indicator, stage: str, year: int
) -> dict[str, object]:
    """Return the coefficients of one indicator and stage; nothing where they are not defined."""
    units = resources.select(year=year, stage=stage)
    columns = [f"{part.column}_{stage}" for part in indicator.numerator]
    signs = np.array([part.sign for part in indicator.numerator], dtype=float)
    reported = resources.rows.iloc[units][columns].to_numpy(dtype=float) @ signs
    enrolment = resources.units["enrolment"].to_numpy(dtype=float)[units]
    known = ~np.isnan(reported) & ~np.isnan(enrolment)
    if not reported[known].sum() > 0:
        return {}
    place = {code: at for at, code in enumerate(resources.units["school_id"].iloc[units[known]])}
    of_stage = spells[spells["stage"] == stage]
    kind = _of_kind(of_stage, indicator, stage)
    matched = ((of_stage["sending"] != "") & (of_stage["receiving"] != "")).to_numpy(dtype=bool)
    moving = of_stage[(kind > 0) & matched].assign(weight=kind[(kind > 0) & matched])
    leaving, arriving = _moves(moving, place)
    share = moving["full_time_share"].fillna(1.0).to_numpy(dtype=float) * moving["weight"].to_numpy(
        dtype=float
    )
    moved_file = moving["file_moved"].fillna(False).to_numpy(dtype=bool)
    whole = moving["weight"].to_numpy(dtype=float)
    at_sending = reported[known] + _shift(leaving, arriving, np.where(moved_file, -whole, 0.0), known)
    at_receiving = reported[known] + _shift(leaving, arriving, np.where(moved_file, 0.0, share), known)
    coefficients = [
        _coefficient(amount, enrolment[known]) for amount in (reported[known], at_sending, at_receiving)
    ]
    if len(kind) and np.isnan(kind).all():
        coefficients[1:] = [np.nan, np.nan]
    return {
        "stage": stage,
        "indicator": indicator.id,
        "n_schools": int(known.sum()),
        "n_missing": int((~known).sum()),
        "limit": _limit(resources.standard, stage),
        "coefficient_reported": coefficients[0],
        "coefficient_sending": coefficients[1],
        "coefficient_receiving": coefficients[2],
        "difference": coefficients[2] - coefficients[1],
        "full_time_equivalent": float(share.sum()),
        "n_not_known": int((np.isnan(kind) | (~matched & ~(kind == 0))).sum()),
        "n_outside": int(((leaving < 0) | (arriving < 0)).sum()),
        "n_below_zero": int(((at_sending < 0) | (at_receiving < 0)).sum()),
    }


def _coefficient(amount: NDArray[np.float64], enrolment: NDArray[np.float64]) -> float:
    """Return the coefficient of variation of counts that are not below zero; missing when all are zero."""
    counts = np.maximum(amount, 0.0)
    return coefficient_of_variation(counts, enrolment) if counts.sum() > 0 else np.nan


def _moves(moving: pd.DataFrame, place: dict[str, int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the position of the sending and the receiving school of each spell, -1 where not counted."""
    positions = [
        np.array([place.get(code, -1) for code in moving[side]], dtype=np.intp)
        for side in ("sending", "receiving")
    ]
    return positions[0], positions[1]


def _shift(
    leaving: NDArray[np.intp],
    arriving: NDArray[np.intp],
    teachers: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> NDArray[np.float64]:
    """Return what schools gain when so many teachers of each spell go from sending to receiving school."""
    gain = np.zeros(int(known.sum()))
    np.add.at(gain, arriving[arriving >= 0], teachers[arriving >= 0])
    np.add.at(gain, leaving[leaving >= 0], -teachers[leaving >= 0])
    return gain


def _of_kind(spells: pd.DataFrame, indicator: Indicator, stage: str) -> NDArray[np.float64]:
    """Return how often an indicator counts the teacher of each spell; missing where that is not known."""
    counts = np.zeros(len(spells))
    for part in indicator.numerator:
        rule = programme_settings("kinds")[part.column]
        column, allowed = (
            ("qualification", rule[stage]) if part.column == QUALIFIED else next(iter(rule.items()))
        )
        cells = spells[column]
        holds = cells.isin(allowed).to_numpy(dtype=float)
        counts += part.sign * np.where(cells.isna().to_numpy(dtype=bool), np.nan, holds)
    return counts


def _qualifications(county: County, spells: pd.DataFrame, year: int) -> pd.Series:
    """Return the qualification of each teacher on a spell by the roster of the year."""
    roster = county.tables.get("teachers")
    if roster is None:
        return pd.Series(np.nan, index=spells.index, dtype=object)
    now = roster[roster["year"] == year].drop_duplicates("teacher_id").set_index("teacher_id")
    return spells["teacher_id"].map(now["qualification"])


def _counts_teachers(indicator: Indicator) -> bool:
    """Say whether an indicator counts only teachers whose kind the rotation rows or the roster tell."""
    return not indicator.shared and all(
        part.column in programme_settings("kinds") for part in indicator.numerator
    )


def _limit(standard: Standard, stage: str) -> float:
    return np.nan if standard.composite else standard.coefficient_limits.get(stage, np.nan)
