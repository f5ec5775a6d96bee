"""Subgroups and outcomes of intake in words and in the units they are printed in."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.group_extensions import Divisions
from toolkit.effects.heterogeneity import Heterogeneity
from toolkit.effects.study_words import adopts_by_county, role_name
from toolkit.vocabulary import Language, format_number, label, sentence, term

Floats = NDArray[np.float64]

PERCENT = 100
LOG_PREFIX = "log_"
# What only groups of schools have: a county that adopts as a whole has no lead and no form.
OF_GROUPS = ("role", "form", "lead_distance_km", "members_per_lead")


def shown_divisions(found: Divisions, study: AdoptionStudy) -> Divisions:
    """Return the divisions that mean something for the units that adopted in a study."""
    if not adopts_by_county(study):
        return found
    return Divisions(
        tuple(one for one in found.divisions if one.by not in OF_GROUPS),
        found.differences[~found.differences["by"].isin(OF_GROUPS)],
    )


def division_name(found: Heterogeneity, language: Language) -> str:
    """Return what divides the adopters, with the median at which values were cut."""
    entry = f"adoption_by_{found.by}"
    words = label(entry, language)
    if np.isnan(found.cut):
        return words
    named = term(entry)
    factor = PERCENT if named.unit == "percent" else 1
    cut = format_number(factor * found.cut, 1 if named.decimals is None else named.decimals)
    return sentence("adoption_division_cut", language, division=words, cut=cut)


def subgroup_name(by: str, name: str, language: Language) -> str:
    """Return a subgroup in words."""
    if by == "role":
        return role_name(name, language)
    # Halves are named shortly: the name of the division gives the median.
    return label(f"adoption_{name}" if name.startswith("subgroup_") else name, language)


def intake_name(outcome: str, language: Language) -> str:
    """Return an outcome of intake in words, with the unit it is printed in."""
    return label(f"adoption_intake_{outcome}", language)


def intake_values(outcome: str, values: ArrayLike) -> Floats:
    """Return effects in the unit they are printed in: percent, percentage points, standard deviations.

    Differences in logarithms become changes in percent.
    """
    own = np.asarray(values, dtype=float)
    if outcome.startswith(LOG_PREFIX):
        return PERCENT * np.expm1(own)
    return own * (PERCENT if outcome.endswith("share") else 1)


def intake_text(outcome: str, value: float) -> str:
    """Return an effect as it is printed; empty when it is missing."""
    if np.isnan(value):
        return ""
    return format_number(float(intake_values(outcome, value)), intake_decimals(outcome))


def intake_decimals(outcome: str) -> int:
    """Return the decimals of effects on an outcome."""
    decimals = term(f"adoption_intake_{outcome}").decimals
    return 2 if decimals is None else decimals
