"""What a study of teachers linked to pupils cannot identify, or only with care."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.guard import DesignGuard, GuardFinding, Severity
from toolkit.effects.teacher_residuals import TeacherResiduals
from toolkit.models.teacher_value_added import Persistence

MAIN_WINDOW = "neighbours_too"
SEVERITIES: Mapping[str, Severity] = {
    "teacher_links_none": "refused",
    "teacher_links_few": "refused",
    "teacher_priors_none": "refused",
    "switch_no_signal": "refused",
    "switch_few_changes": "refused",
    "switch_few_schools": "refused",
    "switch_without_spells": "qualified",
    "switch_unknown_teachers": "qualified",
    "switch_school_part": "qualified",
}
"""Codes in the order in which they are told; each is a sentence of the vocabulary."""


def check_switch_design(
    residuals: TeacherResiduals, changes: pd.DataFrame, used: pd.DataFrame, *, has_spells: bool
) -> dict[str, Mapping[str, float]]:
    """Return what the design cannot identify, or only with care: codes with the numbers behind them.

    Parameters
    ----------
    residuals : TeacherResiduals
        With the variances of what lasts.
    changes, used : pandas.DataFrame
        All changes, see `SwitchChanges`, and those with enough known teachers.
    has_spells : bool
        Whether spells of rotation are given.
    """
    found: dict[str, Mapping[str, float]] = {}
    limits, signal = switch_settings("cells"), switch_settings("signal")
    lasting = [one for one in residuals.persistence.values() if one.teacher_variance > 0]
    n_teachers = sum(one.n_teachers for one in lasting)
    if n_teachers < signal["least_teachers"]:
        return {"switch_no_signal": {"teachers": n_teachers, "least": signal["least_teachers"]}}
    own, total = (len(one[one["window"] == MAIN_WINDOW]) for one in (used, changes))
    schools = used["school"].nunique()
    if own < limits["least_changes"]:
        found["switch_few_changes"] = {"changes": own, "least": limits["least_changes"]}
    elif schools < limits["least_schools"]:
        found["switch_few_schools"] = {"schools": schools, "least": limits["least_schools"]}
    if not has_spells:
        found["switch_without_spells"] = {}
    if own < total:
        found["switch_unknown_teachers"] = {
            "left_share": 1 - own / total,
            "least_share": limits["least_known"],
        }
    return found | _school_part(lasting, signal)


def _school_part(lasting: list[Persistence], signal: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Say whether what lasts at one school does not last over two: then part of it is the school's."""
    judged = [one for one in lasting if one.n_other_pairs > 0 and one.n_pairs > one.n_other_pairs]
    other = sum(one.n_other_pairs for one in judged)
    if other < signal["least_other_pairs"]:
        return {}
    at_two = sum(one.other_school * one.n_other_pairs for one in judged) / other
    stayed = [one.n_pairs - one.n_other_pairs for one in judged]
    at_one = float(np.average([one.same_school for one in judged], weights=stayed))
    if at_two >= signal["least_other_share"] * at_one:
        return {}
    return {"switch_school_part": {"lasting_share": max(at_two, 0.0) / at_one, "pairs": other}}


def build_switch_guard(found: Mapping[str, Mapping[str, float]]) -> DesignGuard:
    """Return findings in the order of their codes."""
    findings = [GuardFinding(code, kind, found[code]) for code, kind in SEVERITIES.items() if code in found]
    return DesignGuard(tuple(findings), switch_settings("cells"))


@cache
def switch_settings(section: str) -> dict[str, Any]:
    """Return one section of the settings of the study of teachers linked to pupils."""
    path = Path(__file__).with_name("teacher_switch.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]
