"""What a study of group schooling says: question, design, result, credibility and limits, in sentences."""

import math
from collections.abc import Sequence

import pandas as pd

from toolkit.effects.adoption_power import AdoptionPower
from toolkit.effects.adoption_sensitivity import LeaveOneGroupOut, PlaceboAdoption
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.dispersion import DispersionEffect
from toolkit.effects.group_schooling import main_study
from toolkit.effects.guard import guard_sentence
from toolkit.effects.outcome_family import OutcomeFamily
from toolkit.effects.specification_curve import SpecificationCurve
from toolkit.effects.study_words import in_words_of_unit
from toolkit.inference.honest_study import Breakdown
from toolkit.reporting.findings import Finding, build_finding, number_in_cell
from toolkit.reporting.group_check_findings import (
    EFFECTS_TABLE,
    SIGNIFICANT,
    find_curve,
    find_family,
    find_needs,
    find_one_left_out,
    find_placebo,
    find_spreads,
)
from toolkit.reporting.group_words import (
    key_of,
    p_value_words,
    row_of,
    scaled_text,
    value_in_unit,
    who_of,
)
from toolkit.standards import Standard
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term


@in_words_of_unit
def find_group_schooling(
    studies: Sequence[AdoptionStudy],
    standard: Standard,
    *,
    spreads: Sequence[DispersionEffect] = (),
    families: Sequence[OutcomeFamily] = (),
    curve: SpecificationCurve | None = None,
    left_out: LeaveOneGroupOut | None = None,
    placebo: PlaceboAdoption | None = None,
    powers: Sequence[AdoptionPower | None] = (),
) -> list[Finding]:
    """Return the findings of a study, those on the primary outcome first.

    Parameters
    ----------
    studies : sequence of AdoptionStudy
        Stage by role; the first that was not refused is the one whose credibility is looked into.
    standard : Standard
        Names of its indicators.
    spreads, families, curve, left_out, placebo, powers
        What stands beside it, where it was computed.
    """
    findings = find_unit_of_adoption(studies)
    findings += [finding for study in studies for finding in _study(study, standard)]
    findings += find_spreads(spreads, standard)
    key = key_of(main_study(studies))
    findings += find_curve(curve, key) if curve is not None else []
    findings += find_one_left_out(left_out, key) if left_out is not None else []
    findings += find_placebo(placebo, key) if placebo is not None else []
    findings += [finding for family in families for finding in find_family(family, standard)]
    return findings + find_needs(studies, powers, standard)


def find_unit_of_adoption(studies: Sequence[AdoptionStudy]) -> list[Finding]:
    """Say that counties joined, which ones and when, where it was not groups of schools."""
    if studies[0].sample.rules.assignment != "county":
        return []
    # Counties count also where none of their schools can be used.
    parts = [part for study in studies for part in (study.sample.units, study.sample.left_out)]
    units = pd.concat([part[["county_id", "adoption_year"]] for part in parts])
    years = units.dropna(subset=["adoption_year"]).groupby("county_id")["adoption_year"].min()
    counties = Term(zh=_years_of_counties(years, "zh"), en=_years_of_counties(years, "en"))
    return [build_finding("unit", "finding_group_counties", kind="limit", importance=3, counties=counties)]


def _years_of_counties(years: "pd.Series[float]", language: Language) -> str:
    return label("list_separator", language).join(
        sentence("county_year", language, county=county, year=int(year)) for county, year in years.items()
    )


def _study(study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """State what one study found, or why it found nothing, and what qualifies it."""
    key = key_of(study)
    if study.event_study is None:
        refusal = study.guard.findings[0]
        told = Term(zh=guard_sentence(refusal, "zh"), en=guard_sentence(refusal, "en"))
        return [
            build_finding(
                f"refused_{key}",
                "finding_group_refused",
                kind="not_judged",
                importance=3,
                reason=told,
                **who_of(study, standard),  # pyright: ignore[reportArgumentType]
            )
        ]
    return [_result(study, standard), *_credibility(study, standard), *_qualified(study, standard)]


def _result(study: AdoptionStudy, standard: Standard) -> Finding:
    """State design and result in one sentence; no interval, no conclusion."""
    event_study, interval = study.event_study, study.interval
    if event_study is None or interval is None:
        raise ValueError("a refused study has no result")
    average = event_study.average
    low, high = interval.conf_low, interval.conf_high
    if not average.std_error > 0:
        name = "finding_group_no_spread"
    elif interval.choice.interval == "none":
        name = "finding_group_no_interval"
    elif low > 0 or high < 0:
        name = "finding_group_detected_not_parallel" if _differed_before(study) else "finding_group_detected"
    else:
        name = "finding_group_not_detected"
    settings = study.settings.event_study
    values: dict[str, object] = {
        "adopters": int(study.tidy()["n_adopters"].item()),
        "groups": int(study.tidy()["n_groups"].item()),
        "schools": int(study.tidy()["n_comparison"].item()),
        "comparison": term(f"finding_group_{settings.comparison}"),
        "last": settings.last,
        "effect": value_in_unit(average.effect, study, standard),
        "direction": term("finding_group_rise" if average.effect >= 0 else "finding_group_fall"),
        "size": value_in_unit(abs(average.effect), study, standard),
        "low": scaled_text(low, study.sample.outcome, standard),
        "high": value_in_unit(high, study, standard),
        "percent": f"{100 * settings.confidence_level:g}",
        "method": term(f"finding_group_{interval.choice.interval}"),
        "detectable": value_in_unit(average.detectable, study, standard),
    }
    if study.robustness is not None:
        values["p"] = p_value_words(study.robustness.placebo.p_value)
    names = ("effect", "conf_low", "conf_high", "detectable", "n_adopters", "n_groups", "n_comparison")
    row = study.tidy().iloc[0]
    place = row_of(study)
    numbers = tuple(number_in_cell(one, float(row[one]), EFFECTS_TABLE, one, place) for one in names)
    is_main = study.sample.rules.role == "member"
    return build_finding(
        f"effect_{key_of(study)}",
        name,
        kind="headline",
        importance=1 if is_main else 2,
        numbers=numbers,
        **(who_of(study, standard) | values),  # pyright: ignore[reportArgumentType]
    )


def _differed_before(study: AdoptionStudy) -> bool:
    """Say whether the joint test rejects that trends were parallel before."""
    bounds = study.robustness
    return bounds is not None and bool(bounds.placebo.p_value < SIGNIFICANT)


def _credibility(study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """Say what the years before joining tell, and how far trends may differ before nothing is left."""
    bounds = study.robustness
    if bounds is None:
        return []
    placebo, breakdown = bounds.placebo, bounds.breakdown_ratio
    if placebo.refusal:
        name = "finding_group_no_placebo"
    else:
        name = "finding_group_placebo_seen" if _differed_before(study) else "finding_group_placebo_unseen"
    values = {
        "p": p_value_words(placebo.p_value),
        "slope": value_in_unit(bounds.detectable_trend.slope, study, standard),
        "bias": value_in_unit(bounds.detectable_trend.bias, study, standard),
        "bounds": _breakdown(breakdown),
    }
    told = {
        "placebo_p_value": placebo.p_value,
        "trend_slope": bounds.detectable_trend.slope,
        "trend_bias": bounds.detectable_trend.bias,
    }
    if not breakdown.refusal and breakdown.value > 0:
        told["breakdown_ratio"] = breakdown.value
    place = row_of(study)
    numbers = tuple(
        number_in_cell(one, value, EFFECTS_TABLE, one, place)
        for one, value in told.items()
        if math.isfinite(value)
    )
    return [
        build_finding(
            f"credibility_{key_of(study)}",
            name,
            kind="limit",
            importance=3,
            numbers=numbers,
            **(who_of(study, standard) | values),  # pyright: ignore[reportArgumentType]
        )
    ]


def _breakdown(breakdown: Breakdown) -> Term:
    """Say up to which difference in trends the interval excludes zero, or why that is not known."""
    if breakdown.refusal:
        return term(f"finding_group_bounds_{breakdown.refusal}")
    if breakdown.value == 0:
        return term("finding_group_bounds_none")
    ratio = format_number(breakdown.value, 2)
    made = term("finding_group_bounds_ratio")
    return Term(zh=made.zh.format(ratio=ratio), en=made.en.format(ratio=ratio))


def _qualified(study: AdoptionStudy, standard: Standard) -> list[Finding]:
    """Give the guard's own sentences, one finding for each study."""
    told = [finding for finding in study.guard.findings if finding.severity == "qualified"]
    if not told:
        return []

    def joined(language: Language) -> str:
        return ("" if language == "zh" else " ").join(guard_sentence(one, language) for one in told)

    return [
        build_finding(
            f"limits_{key_of(study)}",
            "finding_group_limits",
            kind="limit",
            importance=4,
            limits=Term(zh=joined("zh"), en=joined("en")),
            **who_of(study, standard),  # pyright: ignore[reportArgumentType]
        )
    ]
