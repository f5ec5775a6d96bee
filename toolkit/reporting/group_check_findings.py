"""What stands beside the effects of group schooling: inequality, checks, other outcomes, power."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_sensitivity import LeaveOneGroupOut, PlaceboAdoption
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.dispersion import DispersionEffect
from toolkit.effects.outcome_family import OutcomeFamily
from toolkit.effects.specification_curve import SpecificationCurve
from toolkit.effects.study_words import outcome_scale
from toolkit.reporting.findings import Finding, FindingNumber, build_finding, number_in_cell, number_of_rows
from toolkit.reporting.group_words import outcome_term, plain_text, row_of, scaled_text, who_of
from toolkit.standards import Standard
from toolkit.vocabulary import Language, Term, label, sentence, term

SIGNIFICANT = 0.05
EFFECTS_TABLE = "adoption_effects"
PLANNED = 0.10


def find_spreads(spreads: Sequence[DispersionEffect], standard: Standard) -> list[Finding]:
    """State the effect on inequality by both versions, since neither assumption can be shown."""
    findings = []
    for spread in spreads:
        table = spread.effects.set_index("version")
        answers = {row["version"]: _answer(row) for row in spread.effects.to_dict("records")}
        known = bool(table[["conf_low", "conf_high"]].notna().all(axis=None))
        seen = (table["conf_low"] > 0) | (table["conf_high"] < 0)
        moved = known and bool((table["conf_low"] > 0).all() or (table["conf_high"] < 0).all())
        verdict = "moved" if moved else "one" if known and seen["squares"] else "unmoved"
        findings.append(
            build_finding(
                f"spread_{spread.sample.outcome}_{spread.sample.stage}",
                "finding_group_spread",
                kind="headline" if moved else "finding",
                importance=4,
                numbers=_numbers_of_spread(spread),
                stage=term(spread.sample.stage),
                outcome=outcome_term(spread.sample.outcome, standard),
                measure=term(f"finding_group_measure_{spread.measure}"),
                shifted=answers["shifted"],
                squares=answers["squares"],
                verdict=term(f"finding_group_spread_{verdict}"),
            )
        )
    return findings


def _answer(row: Mapping[Hashable, Any]) -> Term:
    """Return what one version of the effect on inequality says."""
    if not math.isfinite(row["effect"]):
        name = "finding_group_spread_below_zero"
    elif math.isfinite(row["conf_low"]):
        name = "finding_group_spread_answer"
    else:
        name = "finding_group_spread_without_interval"
    texts = {"effect": row["effect"], "low": row["conf_low"], "high": row["conf_high"]}
    values = {key: plain_text(value) for key, value in texts.items()}
    return Term(zh=sentence(name, "zh", **values), en=sentence(name, "en", **values))


def _numbers_of_spread(spread: DispersionEffect) -> tuple[FindingNumber, ...]:
    """Return effect and limits of both versions, where they stand."""
    sample = spread.sample
    return tuple(
        number_in_cell(
            f"{name}_{row['version']}",
            float(row[name]),
            "adoption_dispersion",
            name,
            {
                "stage": sample.stage,
                "outcome_code": sample.outcome,
                "version": f"adoption_version_{row['version']}",
            },
        )
        for row in spread.effects.to_dict("records")
        for name in ("effect", "conf_low", "conf_high")
        if math.isfinite(row[name])
    )


def find_curve(curve: SpecificationCurve, key: str) -> list[Finding]:
    """Say how far the effect hangs on choices of the design."""
    shown = curve.estimated
    own = shown[shown["is_study"]]
    if own.empty:
        return []
    effect = float(own["effect"].iloc[0])
    same = int((shown["effect"] * effect > 0).sum())
    return [
        build_finding(
            "specifications",
            "finding_group_specifications",
            kind="limit",
            importance=5,
            numbers=(
                number_of_rows(
                    "n_specifications", len(shown), f"adoption_specifications_{key}", column="effect"
                ),
                FindingNumber("n_same_sign", float(same), "", f"adoption_specifications_{key}"),
            ),
            count=len(shown),
            same=same,
            median=plain_text(shown["effect"].median()),
            low=plain_text(shown["effect"].min()),
            high=plain_text(shown["effect"].max()),
        )
    ]


def find_one_left_out(result: LeaveOneGroupOut, key: str) -> list[Finding]:
    """Say whether the sign of the effect hangs on single groups."""
    low, high = result.range
    if not math.isfinite(low):
        return []
    turned = low * high <= 0
    return [
        build_finding(
            "leave_one_group_out",
            "finding_group_one_group_turns" if turned else "finding_group_one_group",
            kind="limit",
            importance=5,
            numbers=(
                FindingNumber("lowest", low, "", f"adoption_leave_one_out_{key}"),
                FindingNumber("highest", high, "", f"adoption_leave_one_out_{key}"),
            ),
            low=plain_text(low),
            high=plain_text(high),
        )
    ]


def find_placebo(placebo: PlaceboAdoption, key: str) -> list[Finding]:
    """Say what schools that were as weak and joined nothing show under the design."""
    if placebo.reason:
        return [
            build_finding("placebo_adoption", f"finding_group_{placebo.reason}", kind="limit", importance=6)
        ]
    own = placebo.table[placebo.table["is_study_base"]].iloc[0]
    seen = bool(own["conf_low"] > 0 or own["conf_high"] < 0)
    told = "move" if seen else "stay" if math.isfinite(own["conf_low"]) else "no_interval"
    shown = (
        ("n_schools", "effect") if told == "no_interval" else ("n_schools", "effect", "conf_low", "conf_high")
    )
    return [
        build_finding(
            "placebo_adoption",
            f"finding_group_weak_schools_{told}",
            kind="limit",
            importance=5,
            numbers=tuple(
                number_in_cell(
                    name,
                    float(own[name]),
                    f"adoption_placebo_{key}",
                    name,
                    {"anticipation": str(int(own["anticipation"]))},
                )
                for name in shown
            ),
            schools=int(own["n_schools"]),
            effect=plain_text(own["effect"]),
            low=plain_text(own["conf_low"]),
            high=plain_text(own["conf_high"]),
        )
    ]


def find_family(family: OutcomeFamily, standard: Standard) -> list[Finding]:
    """Name the exploratory outcomes that stand out after adjustment, or say that none does."""
    table = family.table[~family.table["is_primary"] & (family.table["refusal"] == "")]
    if table.empty:
        return []
    found = table[table["adjusted_p_value"] < SIGNIFICANT]
    names = [outcome_term(str(name), standard) for name in found["outcome"]]
    effects = [
        scaled_text(effect, str(name), standard)
        for name, effect in zip(found["outcome"], found["effect"], strict=True)
    ]

    def listed(language: Language) -> str:
        parts = [
            f"{getattr(name, language)}（{effect}）"
            if language == "zh"
            else f"{getattr(name, language)} ({effect})"
            for name, effect in zip(names, effects, strict=True)
        ]
        return label("list_separator", language).join(parts)

    return [
        build_finding(
            f"family_{family.stage}",
            "finding_group_family" if names else "finding_group_family_none",
            kind="finding",
            importance=6,
            numbers=(
                number_of_rows(
                    "n_exploratory",
                    len(table),
                    "adoption_families",
                    {"stage": family.stage},
                    column="adjusted_p_value",
                ),
                *(
                    number_in_cell(
                        f"effect_{name}",
                        outcome_scale(str(name), standard)[0] * float(effect),
                        "adoption_families",
                        "effect_value",
                        {"stage": family.stage, "outcome_code": str(name)},
                    )
                    for name, effect in zip(found["outcome"], found["effect"], strict=True)
                ),
            ),
            stage=term(family.stage),
            count=len(table),
            outcomes=Term(zh=listed("zh"), en=listed("en")),
        )
    ]


def find_needs(
    studies: Sequence[AdoptionStudy], powers: Sequence[AdoptionPower | None], standard: Standard
) -> list[Finding]:
    """Say what it would take to detect the effect that is planned for, by the first study that can say."""
    for study, power in zip(studies, powers, strict=False):
        planned = [one for one in power.needs if one.effect == PLANNED] if power is not None else []
        if power is None or not planned or planned[0].counties is None:
            continue
        place = row_of(study) | {"effect": f"{PLANNED:g}"}
        return [
            build_finding(
                "needs",
                "finding_group_needs",
                kind="finding",
                importance=6,
                numbers=(
                    number_in_cell(
                        "counties", planned[0].counties, "adoption_needs", "needs_counties_value", place
                    ),
                    number_in_cell("detectable", power.by_error, EFFECTS_TABLE, "detectable", row_of(study)),
                ),
                effect=f"{PLANNED:.2f}",
                counties=planned[0].counties,
                detectable=plain_text(power.by_error),
                **who_of(study, standard),  # pyright: ignore[reportArgumentType]
            )
        ]
    return []
