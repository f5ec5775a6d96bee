"""Which parts of the page on group schooling have no results in a study."""

from collections.abc import Sequence

from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.balance import Balance
from toolkit.effects.dispersion import DispersionEffect
from toolkit.effects.group_extensions import StageIntake
from toolkit.effects.legacy import LegacyEffect
from toolkit.effects.outcome_family import OutcomeFamily
from toolkit.effects.spillover import Spillover
from toolkit.reporting.parts import OmittedParts
from toolkit.vocabulary import Language


def omit_empty_parts(
    data: AdoptionData,
    studies: Sequence[AdoptionStudy],
    language: Language,
    *,
    balances: Sequence[Balance],
    spreads: Sequence[DispersionEffect],
    spillovers: Sequence[Spillover],
    legacies: Sequence[LegacyEffect | None],
    intakes: Sequence[StageIntake],
    families: Sequence[OutcomeFamily],
    powers: Sequence[AdoptionPower | None],
) -> OmittedParts:
    """Return the parts that have nothing to report.

    Where an effect on the primary outcome is estimated, its part and those that look into it stay whole, the
    reasons for what they cannot tell among them.

    Parameters
    ----------
    data : AdoptionData
        Who joined when.
    studies : sequence of AdoptionStudy
        All studies of the primary outcome, refused ones too.
    language : {"zh", "en"}
        Language of the page.
    balances, spreads, spillovers, legacies, intakes, families, powers
        What else was computed.
    """
    estimated = any(not study.is_refused for study in studies)
    has_results = {
        "adoption_timing": bool(data.exposure.units["adoption_year"].notna().any()),
        "adoption_balance": any(_has_both_sides(one) for one in balances),
        "adoption_effects": estimated,
        "adoption_dispersion": any(bool(one.effects["effect"].notna().any()) for one in spreads),
        "adoption_spillover": estimated or any(not one.refusals for one in spillovers),
        "adoption_legacy": any(one is not None for one in legacies),
        "adoption_intake": any(bool(one.effects.studies) for one in intakes),
        "adoption_families": any(_explores(one) for one in families),
        "adoption_power": any(power is not None for power in powers),
    }
    return OmittedParts(tuple(name for name, has in has_results.items() if not has), language)


def _has_both_sides(balance: Balance) -> bool:
    """Say whether there are schools that joined, and schools to compare them with."""
    sides = balance.covariates[["mean_adopters", "mean_comparison"]]
    return bool(sides.notna().all(axis=1).any())


def _explores(family: OutcomeFamily) -> bool:
    """Say whether an outcome beside the primary one was estimated."""
    table = family.table
    return bool((~table["is_primary"] & (table["refusal"] == "")).any())
