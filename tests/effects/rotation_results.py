"""Results of a study of rotation over small made samples, and a county written out by hand."""

from dataclasses import replace
from functools import cache

import numpy as np

from tests.effects.rotation_samples import make_rotation_sample
from tests.people import school, school_year, spell, with_tables
from toolkit.effects.flow_effects import FlowSettings, study_flow_kinds, study_flows
from toolkit.effects.flow_paths import follow_flow_paths
from toolkit.effects.flow_power import compute_flow_power
from toolkit.effects.flow_projection import project_flows
from toolkit.effects.path_bounds import bound_flow_paths
from toolkit.effects.rotation_data import trace_rotation
from toolkit.standards import load_standard

QUICK = FlowSettings(n_draws=99)
KINDS = ("backbone_inside", "backbone_outside")
YEARS = range(2018, 2026)
LOCATIONS = {"1": "urban", "2": "urban", "3": "town_area", "4": "rural", "5": "rural"}
PUPILS = {"1": 900, "2": 600, "3": 400, "4": 200, "5": 100}


def split_in_groups(rates):
    """Return flows with those received divided into inside and outside the group."""
    inside = np.random.default_rng(0).random(rates["backbone_inflow"].shape) < 0.5
    received = rates["backbone_inflow"]
    return rates | {"backbone_inside": received * inside, "backbone_outside": received * ~inside}


@cache
def samples():
    """Return a primary stage that can be studied, and a junior one with too few schools."""
    rng = np.random.default_rng(21)
    large = make_rotation_sample(rng, n_schools=60, noise=0.05, flows=split_in_groups)
    small = make_rotation_sample(rng, n_schools=6, flows=split_in_groups)
    return large, replace(small, stage="junior")


@cache
def studies():
    """Return the joint model of both stages: estimated and refused."""
    return tuple(study_flows(sample, QUICK) for sample in samples())


@cache
def kinds():
    """Return the flow in divided by group, of both stages."""
    return {"kinds_group": tuple(study_flow_kinds(sample, KINDS, QUICK) for sample in samples())}


@cache
def paths():
    """Return effects by year since the first change: estimated and refused."""
    return tuple(follow_flow_paths(sample, QUICK) for sample in samples())


@cache
def bounds():
    """Return bounds of the effects by year since the first change: estimated and refused."""
    return tuple(bound_flow_paths(one) for one in paths())


@cache
def power():
    """Return what smaller effects would take: estimated and refused."""
    return tuple(compute_flow_power(study, n_draws=20) for study in studies())


@cache
def projections():
    """Return effects by year since a clean change: estimated and refused."""
    return tuple(project_flows(sample, QUICK) for sample in samples())


def small_county(**tables):
    """Return five primary schools over eight years, with further tables."""
    schools = [school(code, location=place, town=f"{place}镇") for code, place in LOCATIONS.items()]
    years = [school_year(code, year, enrolment_primary=PUPILS[code]) for code in LOCATIONS for year in YEARS]
    return with_tables(schools, years, **tables)


def moves():
    """Return ten spells among five schools and one from outside."""
    pairs = [("1", "3"), ("1", "4"), ("1", "4"), ("2", "4"), ("2", "5"), ("3", "5"), ("4", "1"), ("5", "2")]
    found = [
        spell(f"t{at}", sent, taken, rotation_start="2023-09-01", backbone=at % 2 == 0)
        for at, (sent, taken) in enumerate(pairs)
    ]
    ended = {"rotation_start": "2021-09-01", "rotation_end": "2023-07-10"}
    found += [spell("u1", "2", "3", **ended), spell("u2", "1", "5", **ended)]
    return [*found, spell("u3", None, "4", sending_school_name="外县小学")]


@cache
def rotation():
    """Return rotation and outcomes of the small county."""
    return trace_rotation(small_county(rotations=moves()), load_standard("national_2017"))


@cache
def no_rotation():
    """Return the same of a county without records."""
    return trace_rotation(small_county(), load_standard("national_2017"))
