"""Rotation and outcomes of one county or several, and the panel of one stage drawn from them."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.indicators.adoption import Adoption, compute_adoption
from toolkit.indicators.outcomes import Outcomes
from toolkit.indicators.rotation_dose import USED, RotationDoses, compute_rotation_doses
from toolkit.indicators.rotation_placement import mark_directions, mark_inside, place_spells
from toolkit.indicators.school_panel import SchoolPanel, compute_school_panel
from toolkit.indicators.stable_units import trace_units
from toolkit.models.flow_regression import FlowPanel
from toolkit.standards import Standard

Floats = NDArray[np.float64]
Weighting = Literal["enrolment", "school"]

OUT_OF_SCOPE = ("unit_out_of_scope", "unit_without_students", "unit_without_years")
MEMBER_YEARS = (-1, 0, 1, 2)
"""Years since joining a group with an effect of their own; the last stands for all later ones."""
DOSE_FLOWS = ("inflow", "outflow", "backbone_inflow", "backbone_outflow", "first_year_inflow")
"""Flows by which the size of rotation is described."""
CHANGE_COLUMNS = ["county_id", "school", "school_id", "school_name", "stage", "reason"]


@dataclass(frozen=True, slots=True)
class RotationCounty:
    """Rotation and outcomes of one county; the three hold the same units.

    Attributes
    ----------
    adoption : Adoption
        Groups: what else happened to the schools.
    panel : SchoolPanel
        Outcomes.
    doses : RotationDoses
        Teachers in and out.
    placed : pandas.DataFrame
        Spells between units. Rows are persons: none may be shown.
    """

    adoption: Adoption
    panel: SchoolPanel
    doses: RotationDoses
    placed: pd.DataFrame


@dataclass(frozen=True, slots=True)
class RotationSample:
    """The schools of one stage with outcome and flows, as arrays.

    Attributes
    ----------
    stage, outcome : str
        What is studied.
    units : pandas.DataFrame, (n_units, n_columns)
        `county_id`, `school`, `school_id`, `school_name`, `town`, `location`.
    years : tuple of int
        School years.
    outcomes : ndarray, (n_units, n_years)
        Missing where not observed.
    enrolment : ndarray, (n_units, n_years)
        Students of the stage.
    flows : mapping of str to ndarray, (n_units, n_years)
        Teachers per 100 students, full-time equivalents; see `RotationDoses.flows`.
    controls : ndarray, (n_units, n_years, n_controls)
        What else happened to the schools, named in `control_names`.
    weights : ndarray, (n_units,)
        Weight of each school.
    blocks : ndarray of int, (n_units,)
        County of each school: comparisons are within the county and year.
    links : ndarray of int, (n_links, 3)
        Two schools (rows of `units`) and a year (position) in which a teacher of one was at the other.
    left_out : pandas.DataFrame
        Other schools of the stage, with `reason`; with `units` they add up to all.
    unmatched_share : float
        Share of the spells of which a school is not known.
    """

    stage: str
    outcome: str
    units: pd.DataFrame
    years: tuple[int, ...]
    outcomes: Floats
    enrolment: Floats
    flows: Mapping[str, Floats]
    controls: Floats
    control_names: tuple[str, ...]
    weights: Floats
    blocks: NDArray[np.int64]
    links: NDArray[np.int64]
    left_out: pd.DataFrame
    unmatched_share: float

    @property
    def mean_enrolment(self) -> Floats:
        """Mean of each school over the years with students, (n_units,)."""
        students = np.where(self.enrolment > 0, self.enrolment, np.nan)
        n_years = np.isfinite(students).sum(axis=1)
        total = np.nansum(students, axis=1)
        return np.divide(total, n_years, out=np.full(len(total), np.nan), where=n_years > 0)

    def panel_of(
        self, names: Sequence[str], *, leads: Sequence[str] = (), with_trends: bool = False
    ) -> FlowPanel:
        """Return the panel of some flows; `leads` enter with next year's value, after the others."""
        terms = [self.flows[name] for name in names]
        ahead = [
            np.column_stack([self.flows[name][:, 1:], np.full(len(self.units), np.nan)]) for name in leads
        ]
        flows = np.stack([*terms, *ahead], axis=2)
        return FlowPanel(self.outcomes, flows, self.controls, self.weights, self.blocks, with_trends)

    def teachers(self, name: str) -> Floats:
        """Return a flow in full-time equivalents, (n_units, n_years)."""
        return self.flows[name] * self.enrolment / 100

    def steady_per_100(self, name: str) -> Floats:
        """Return a flow per 100 students of the school's mean enrolment, (n_units, n_years).

        A change of enrolment moves a rate while no teacher moves.
        """
        return 100 * self.teachers(name) / self.mean_enrolment[:, None]

    def tidy(self) -> pd.DataFrame:
        """Return one row per school and year."""
        n_units, n_years = self.outcomes.shape
        long = self.units.loc[np.repeat(np.arange(n_units), n_years)].reset_index(drop=True)
        values = {name: flow.ravel() for name, flow in self.flows.items()}
        return long.assign(
            stage=self.stage, year=np.tile(self.years, n_units), outcome=self.outcomes.ravel(), **values
        )


def trace_rotation(
    county: County,
    standard: Standard,
    *,
    programme: str = "group_schooling",
    outcomes: Outcomes | None = None,
    official: Mapping[str, float] | None = None,
) -> RotationCounty:
    """Trace rotation, groups and outcomes of the schools of a county.

    Parameters
    ----------
    county : County
        With `rotations` and, for achievement, `scores`.
    standard : Standard
        Whose scope says which schools count.
    programme : str
        Programme whose members are told apart (inside and outside the group).
    outcomes : Outcomes, optional
        The scores that count, where they have been settled already.
    official : mapping of str to float, optional
        Official level by school, for the direction of moves.
    """
    adoption = compute_adoption(county, standard, programme=programme)
    panel = compute_school_panel(county, standard, adoption, outcomes=outcomes)
    placed = place_spells(county, panel.units, trace_units(county))
    members = adoption.years[adoption.years["is_member"].astype(bool)]
    placed = placed.assign(
        is_inside=mark_inside(placed, members),
        direction=mark_directions(placed, panel.units, panel.years, panel.measures["achievement"], official),
    )
    doses = compute_rotation_doses(placed, panel.units, panel.years, panel.measures["enrolment"])
    return RotationCounty(adoption, panel, doses, placed)


def build_rotation_sample(
    counties: Sequence[RotationCounty],
    *,
    stage: str,
    outcome: str,
    weighting: Weighting = "enrolment",
    with_controls: bool = True,
) -> RotationSample:
    """Build the panel of one stage over one county or several.

    Parameters
    ----------
    counties : sequence of RotationCounty
        At least one.
    stage : {"primary", "junior"}
        Stage.
    outcome : str
        Name in `SchoolPanel.measures`.
    weighting : {"enrolment", "school"}
        Schools count by their mean enrolment, or alike.
    with_controls : bool
        Whether joining a group and other programmes are held fixed.

    Raises
    ------
    ValueError
        If a county does not know the outcome.
    """
    years = tuple(sorted({year for one in counties for year in one.panel.years}))
    parts = [_part(one, stage, outcome, weighting, years, block) for block, one in enumerate(counties)]
    sizes = np.cumsum([0, *(len(part.units) for part in parts)])
    names = parts[0].flows
    controls = np.concatenate([part.controls for part in parts])
    control_names = parts[0].control_names
    varies = (controls != controls[:1, :1]).any(axis=(0, 1)) & with_controls
    totals = sum(one.doses.use["n_spells"].sum() for one in counties)
    unmatched = sum(
        one.doses.unmatched_share * one.doses.use["n_spells"].sum() for one in counties if len(one.placed)
    )
    return RotationSample(
        stage=stage,
        outcome=outcome,
        units=pd.concat([part.units for part in parts], ignore_index=True),
        years=years,
        outcomes=np.concatenate([part.outcomes for part in parts]),
        enrolment=np.concatenate([part.enrolment for part in parts]),
        flows={name: np.concatenate([part.flows[name] for part in parts]) for name in names},
        controls=controls[:, :, varies],
        control_names=tuple(name for name, kept in zip(control_names, varies, strict=True) if kept),
        weights=np.concatenate([part.weights for part in parts]),
        blocks=np.concatenate([part.blocks for part in parts]),
        links=np.concatenate(
            [part.links + np.array([start, start, 0]) for part, start in zip(parts, sizes[:-1], strict=True)]
        ),
        left_out=pd.concat([part.left_out for part in parts], ignore_index=True),
        unmatched_share=float(unmatched / totals) if totals else np.nan,
    )


def _part(
    county: RotationCounty,
    stage: str,
    outcome: str,
    weighting: Weighting,
    years: tuple[int, ...],
    block: int,
) -> RotationSample:
    """Return the schools of one county on the years of all."""
    adoption, panel, doses = county.adoption, county.panel, county.doses
    if outcome not in panel.measures:
        raise ValueError(f"outcome must be one of {sorted(panel.measures)}, not {outcome!r}")
    own = (adoption.units["stage"] == stage).to_numpy()
    values = panel.measures[outcome]
    scarce = np.isfinite(values).sum(axis=1) < 2
    reason = np.select(
        [adoption.units["reason"].isin(OUT_OF_SCOPE).to_numpy(), scarce],
        [adoption.units["reason"].to_numpy(dtype=str), "sample_few_years"],
        default="",
    )
    kept = own & (reason == "")
    units = adoption.units[kept].reset_index(drop=True)
    place = np.searchsorted(years, panel.years)

    def spread(given: Floats) -> Floats:
        wide = np.full((int(kept.sum()), len(years)), np.nan)
        wide[:, place] = given[kept]
        return wide

    enrolment = spread(panel.measures["enrolment"])
    seen = np.isfinite(enrolment).sum(axis=1)
    mean = np.nansum(enrolment, axis=1) / np.maximum(seen, 1)
    mean = np.where(mean > 0, mean, 1.0)
    controls, names = _controls(units, years)
    return RotationSample(
        stage=stage,
        outcome=outcome,
        units=units[["county_id", "school", "school_id", "school_name", "town", "location"]],
        years=years,
        outcomes=spread(values),
        enrolment=enrolment,
        flows={name: spread(doses.per_100(name)) for name in doses.flows},
        controls=controls,
        control_names=names,
        weights=mean if weighting == "enrolment" else np.ones(len(mean)),
        blocks=np.full(len(units), block),
        links=_links(doses.links, units["school"], stage, years),
        left_out=adoption.units.assign(reason=reason)[own & ~kept][CHANGE_COLUMNS].reset_index(drop=True),
        unmatched_share=doses.unmatched_share,
    )


def _controls(units: pd.DataFrame, years: tuple[int, ...]) -> tuple[Floats, tuple[str, ...]]:
    """Return dummies of years since joining a group, for members and leads, and of other programmes."""
    all_years = np.array(years, dtype=float)
    since = all_years[None, :] - units["adoption_year"].to_numpy(dtype=float)[:, None]
    is_lead = units["role"].eq("lead").to_numpy()[:, None]
    dummies = {}
    for year in MEMBER_YEARS:
        there = since >= year if year == MEMBER_YEARS[-1] else since == year
        dummies[f"control_member_{year}" if year >= 0 else "control_member_before"] = there & ~is_lead
    dummies["control_lead"] = (since >= 0) & is_lead
    other = units["other_year"].to_numpy(dtype=float)[:, None]
    dummies["control_other_programme"] = all_years[None, :] >= other
    return np.stack(list(dummies.values()), axis=2).astype(float), tuple(dummies)


def _links(links: pd.DataFrame, schools: pd.Series, stage: str, years: tuple[int, ...]) -> NDArray[np.int64]:
    """Return pairs of rows and the year's position in which a teacher of one school was at the other."""
    place = {school: row for row, school in enumerate(schools)}
    own = links[links["stage"] == stage]
    pairs = {
        (*sorted((place[sent], place[taken])), years.index(int(year)))
        for sent, taken, year in zip(own["sending"], own["receiving"], own["year"], strict=True)
        if sent in place and taken in place and sent != taken
    }
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 3)


def sum_doses(counties: Sequence[RotationCounty]) -> pd.DataFrame:
    """Return full-time equivalents by `stage` and `year` over all schools, those out of scope as well.

    Years before the records begin are left out.
    """
    names = list(DOSE_FLOWS)
    table = pd.concat([one.doses.tidy() for one in counties], ignore_index=True)
    if not set(names) <= set(table.columns):
        return pd.DataFrame(columns=["stage", "year", *names])
    sums = table.dropna(subset=names).groupby(["stage", "year"], sort=False)[names].sum().reset_index()
    order = {stage: place for place, stage in enumerate(COMPULSORY_STAGES)}
    return sums.sort_values(["stage", "year"], key=lambda column: column.replace(order)).reset_index(
        drop=True
    )


def sum_use(counties: Sequence[RotationCounty]) -> pd.DataFrame:
    """Return `reason` and `n_spells` over all counties, fully used spells first; see `RotationDoses.use`."""
    use = pd.concat([one.doses.use for one in counties], ignore_index=True)
    sums = use.groupby("reason")[["n_spells"]].sum().reset_index()
    return sums.sort_values("reason", key=lambda code: code != USED, kind="stable", ignore_index=True)


@cache
def rotation_settings(section: str) -> dict[str, Any]:
    """Return one section of the settings of the study of rotation."""
    path = Path(__file__).with_name("rotation.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]
