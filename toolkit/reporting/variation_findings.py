"""What the inter-school variation of a county says, in sentences built from its numbers."""

import numpy as np
import pandas as pd

from toolkit.reporting.findings import Finding, FindingNumber, build_finding
from toolkit.standards import Standard
from toolkit.variation.compliance import Compliance
from toolkit.variation.locations import LocationComparison
from toolkit.variation.readings import OtherReadings
from toolkit.variation.school_drivers import SchoolDrivers
from toolkit.variation.series import CoefficientTrends
from toolkit.vocabulary import Term, format_number, term

NAMED_SCHOOLS = 5


def find_variation(
    compliance: Compliance,
    drivers: SchoolDrivers,
    locations: LocationComparison,
    trends: CoefficientTrends,
    readings: OtherReadings,
) -> list[Finding]:
    """Return the findings on resources and inter-school variation, the verdicts first."""
    return [
        *_stage_verdicts(compliance),
        *_failing_coefficients(compliance, drivers),
        *_near_limits(compliance),
        *_failing_schools(compliance),
        *_open_schools(compliance),
        *_open_coefficients(compliance),
        *_locations(locations, compliance.standard),
        *_trends(trends, compliance.standard),
        *_readings(readings),
    ]


def _stage_verdicts(compliance: Compliance) -> list[Finding]:
    return [
        build_finding(
            f"verdict_{row['stage']}",
            f"finding_stage_{row['overall']}",
            kind="headline",
            importance=1,
            status=row["overall"],
            numbers=tuple(
                FindingNumber(name, float(row[name]), "", "stage_verdicts")
                for name in ("n_schools", "n_pass", "n_fail", "n_undecided", "n_coefficients_pass", "n_coefficients")
            ),
            stage=term(row["stage"]),
            **{name: int(row[name]) for name in row if str(name).startswith("n_")},
        )
        for row in compliance.stages.to_dict("records")
    ]


def _failing_coefficients(compliance: Compliance, drivers: SchoolDrivers) -> list[Finding]:
    """Name every coefficient above its limit with the school that contributes most."""
    failing = compliance.coefficients[compliance.coefficients["verdict"] == "fail"]
    findings = []
    for row in failing.sort_values("margin").to_dict("records"):
        own = drivers.schools[
            (drivers.schools["stage"] == row["stage"]) & (drivers.schools["indicator"] == row["indicator"])
        ]
        first = own.loc[own["variance_share"].idxmax()] if len(own) else None
        findings.append(
            build_finding(
                f"coefficient_{row['stage']}_{row['indicator']}",
                "finding_coefficient_above" if first is None else "finding_coefficient_above_driver",
                kind="headline",
                importance=2,
                status="fail",
                numbers=(_coefficient(row),),
                stage=term(row["stage"]),
                indicator=_name(compliance.standard, row["indicator"]),
                coefficient=format_number(row["coefficient"], 3),
                limit=format_number(row["limit"], 2),
                school="" if first is None else first["school_name"],
                share="" if first is None else f"{100 * first['variance_share']:.1f}%",
                side=term("side_above" if first is not None and first["value"] > row["mean"] else "side_below"),
            )
        )
    return findings


def _near_limits(compliance: Compliance) -> list[Finding]:
    near = compliance.coefficients[compliance.coefficients["near_limit"]]
    return [
        build_finding(
            f"near_{row['stage']}_{row['indicator']}",
            "finding_near_limit",
            kind="limit",
            importance=3,
            numbers=(_coefficient(row),),
            stage=term(row["stage"]),
            indicator=_name(compliance.standard, row["indicator"]),
            coefficient=format_number(row["coefficient"], 3),
            limit=format_number(row["limit"], 2),
        )
        for row in near.to_dict("records")
    ]


def _failing_schools(compliance: Compliance) -> list[Finding]:
    """Name the schools that fail, by stage; the table has those beyond the first."""
    findings = []
    failing = compliance.schools[compliance.schools["verdict"] == "fail"]
    for stage, own in failing.groupby("stage", sort=False):
        names = list(own["school_name"])
        findings.append(
            build_finding(
                f"schools_{stage}",
                "finding_schools_fail" if len(names) <= NAMED_SCHOOLS else "finding_many_schools_fail",
                kind="headline",
                importance=3,
                status="fail",
                numbers=(FindingNumber("n_fail", float(len(names)), "", "school_verdicts"),),
                stage=term(str(stage)),
                count=len(names),
                schools=_listed(names[:NAMED_SCHOOLS]),
                shown=NAMED_SCHOOLS,
                indicator=_most_missed(own, compliance.standard),
            )
        )
    return findings


def _most_missed(schools: pd.DataFrame, standard: Standard) -> Term:
    missed = schools["missed"].explode().value_counts()
    return _name(standard, str(missed.index[0]))


def _open_schools(compliance: Compliance) -> list[Finding]:
    schools = compliance.schools[compliance.schools["verdict"] == "undecided"]
    return [
        build_finding(
            f"open_{stage}",
            "finding_schools_open",
            kind="not_judged",
            importance=2,
            status="undecided",
            numbers=(FindingNumber("n_undecided", float(len(own)), "", "open_schools"),),
            stage=term(str(stage)),
            count=len(own),
            cells=int(own["deciding"].map(len).sum()),
        )
        for stage, own in schools.groupby("stage", sort=False)
    ]


def _open_coefficients(compliance: Compliance) -> list[Finding]:
    table = compliance.coefficients[compliance.coefficients["verdict"] == "undecided"]
    return [
        build_finding(
            f"open_coefficient_{row['stage']}_{row['indicator']}",
            "finding_coefficient_open",
            kind="not_judged",
            importance=3,
            status="undecided",
            numbers=(_coefficient(row),),
            stage=term(row["stage"]),
            indicator=_name(compliance.standard, row["indicator"]),
            count=int(row["n_missing"]),
            limit=format_number(row["limit"], 2),
            low=format_number(row["low"], 3),
        )
        for row in table.to_dict("records")
    ]


def _locations(locations: LocationComparison, standard: Standard) -> list[Finding]:
    """Say where the share between town and country is largest."""
    table = locations.table.dropna(subset="variance_between_share")
    if table.empty:
        return []
    row = table.loc[table["variance_between_share"].idxmax()]
    return [
        build_finding(
            "locations",
            "finding_locations",
            kind="finding",
            importance=5,
            numbers=(
                FindingNumber("variance_between_share", float(row["variance_between_share"]), "percent", "inequality"),
            ),
            stage=term(row["stage"]),
            indicator=_name(standard, row["indicator"]),
            share=f"{100 * row['variance_between_share']:.1f}%",
            smallest=f"{100 * table['variance_between_share'].min():.1f}%",
        )
    ]


def _trends(trends: CoefficientTrends, standard: Standard) -> list[Finding]:
    """Name the coefficients above the limit whose slope leads there, and those it does not."""
    findings = []
    for row in trends.trends[~trends.trends["is_met"].astype(bool)].to_dict("records"):
        if row["outlook"] == "insufficient":
            name = "finding_trend_insufficient"
        else:
            name = "finding_trend_never" if np.isinf(row["reaching_year"]) else "finding_trend_reaching"
        findings.append(
            build_finding(
                f"trend_{row['stage']}_{row['indicator']}",
                name,
                kind="finding",
                importance=4,
                numbers=(FindingNumber("slope", _number(row["slope"]), "", "trends"),),
                stage=term(row["stage"]),
                indicator=_name(standard, row["indicator"]),
                slope=format_number(row["slope"], 3),
                points=row["n_points"],
                year=int(row["reaching_year"]) if np.isfinite(row["reaching_year"]) else "",
            )
        )
    return findings


def _readings(readings: OtherReadings) -> list[Finding]:
    """Say whether rules in doubt would turn a verdict on a stage, or on schools and coefficients only."""
    flips = readings.flips
    count = len(flips)
    turned = sorted(set(flips.loc[flips["subject"] == "stage", "stage"]))
    name = "finding_readings_none" if not count else "finding_readings_stage" if turned else "finding_readings_some"
    return [
        build_finding(
            "readings",
            name,
            kind="limit" if count else "finding",
            importance=4 if turned else 6,
            numbers=(FindingNumber("verdicts_turned", float(count), "", "readings"),),
            count=count,
            tried=len(readings.marks),
        )
    ]


def _coefficient(row: dict) -> FindingNumber:
    return FindingNumber("coefficient", _number(row["coefficient"]), "", "coefficients")


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _name(standard: Standard, indicator_id: str) -> Term:
    if indicator_id == "composite":
        return term("composite_coefficient")
    found = term(standard.indicator(indicator_id).name)
    return Term(zh=f"{indicator_id}（{found.zh}）", en=f"{indicator_id} ({found.en})")


def _listed(names: list[str]) -> Term:
    return Term(zh="、".join(names), en=", ".join(names))
