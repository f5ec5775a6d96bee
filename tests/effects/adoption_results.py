"""Small results of group schooling, estimated on samples by hand, for the tests of tables and figures."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from tests.effects.samples import YEARS, make_sample, make_study, make_units, never
from toolkit.effects.adoption_panel import LEFT_OUT_COLUMNS
from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_study import StudySettings, estimate_adoption_study
from toolkit.effects.event_study import EventStudySettings
from toolkit.effects.sample_rules import SampleRules
from toolkit.inference.power import AssignmentDesign
from toolkit.inference.power_curve import PowerCurve
from toolkit.inference.power_needs import Needs

SETTINGS = StudySettings(EventStudySettings(anticipation=1, first=-3, last=1, n_draws=99))
GROUPS = [f"集团{letter}" for letter in "甲乙丙丁戊己庚辛壬癸子丑寅卯"]
SCHOOLS = "第{}小学"


def sample_of(n_groups, n_comparison, *, per_group=2, role="member", effect=0.3, seed=1):
    """Return groups that joined in 2019 to 2021 and schools that never did."""
    cohorts = [2019 + group % 3 for group in range(n_groups) for _ in range(per_group)]
    years = [*cohorts, *never(n_comparison)]
    groups = [GROUPS[group] for group in range(n_groups) for _ in range(per_group)] + [""] * n_comparison
    rng = np.random.default_rng(seed)
    outcomes = rng.normal(0, 0.1, (len(years), len(YEARS))) + rng.normal(0, 0.3, (len(years), 1))
    joined = np.array([np.inf if year is None else year for year in years])
    outcomes += effect * (np.array(YEARS) >= joined[:, None])
    blank = pd.DataFrame(columns=LEFT_OUT_COLUMNS)
    return make_sample(years, groups=groups, outcomes=outcomes, rules=SampleRules(role=role), left_out=blank)


@cache
def studies():
    """Return a study with bounds, one without an interval, and one that is refused."""
    strong = estimate_adoption_study(sample_of(14, 16), SETTINGS)
    few = estimate_adoption_study(replace(sample_of(4, 4), stage="junior"), SETTINGS)
    refused = estimate_adoption_study(sample_of(3, 8, per_group=1, role="lead"), SETTINGS)
    return strong, few, refused


def power(study):
    """Return what a study detects, written by hand."""
    n_schools = float(len(study.sample.units))
    design = AssignmentDesign(n_schools, 0.5, 0.1, 0.0, 0.0, 60.0, 2.0, 0.25)
    curve = PowerCurve(np.array([0.0, 0.1, 0.2]), np.array([0.06, 0.5, 0.7]), 100, 0.05)
    needs = (Needs(0.05, 1234, None, 40), Needs(0.1, 300, 12, None))
    return AdoptionPower(design, 0.6, 2, 0.25, 0.15, needs, curve)


@cache
def exposure():
    """Return five schools of two groups, one of which left, three others, and two that cannot be used."""
    cohorts = [2018, 2018, 2018, 2020, 2020, *never(5)]
    groups = ["集团甲"] * 3 + ["集团乙"] * 2 + [""] * 5
    names = [SCHOOLS.format(name) for name in "一二三四五六七八九十"]
    units = make_units(cohorts, groups=groups, school_name=names, first_year=2016, last_year=2025)
    units.loc[[0, 3], "role"] = "lead"
    units.loc[[8, 9], "status"] = "unusable"
    units.loc[[8, 9], "reason"] = "unit_other_programme"
    rows = []
    for _, unit in units.iterrows():
        if np.isnan(unit["adoption_year"]):
            continue
        for year in YEARS:
            has_left = unit["school"] == "2" and year >= 2022
            at = year - unit["adoption_year"]
            rows.append((unit["school"], "primary", year, at, at >= 0 and not has_left, unit["role"]))
    years = pd.DataFrame(rows, columns=["school", "stage", "year", "event_time", "is_member", "role"])
    adoption, _ = make_study(units)
    return replace(adoption, years=years)
