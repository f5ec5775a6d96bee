"""What the inter-school variation of a county says, in sentences built from its numbers."""

import math
from typing import Any

import pandas as pd

from toolkit.reporting.edition import Edition
from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    FindingStatus,
    build_finding,
    number_in_cell,
    number_in_sum,
    number_of_rows,
)
from toolkit.standards import Standard
from toolkit.tables.variation import school_year
from toolkit.variation.compliance import Compliance
from toolkit.variation.locations import LocationComparison
from toolkit.variation.readings import OtherReadings
from toolkit.variation.school_drivers import SchoolDrivers
from toolkit.variation.sensitivities import Sensitivities
from toolkit.variation.series import CoefficientTrends
from toolkit.variation.yearly_change import YearlyChange
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term

NAMED_SCHOOLS = 5
COEFFICIENT_DECIMALS = 3
LIMIT_DECIMALS = 2
STAGE_COUNTS = (
    "n_schools",
    "n_pass",
    "n_fail",
    "n_undecided",
    "n_coefficients",
    "n_coefficients_pass",
    "n_coefficients_fail",
    "n_coefficients_undecided",
)

Row = dict[str, Any]
"""One row of a table by column."""


def find_variation(
    compliance: Compliance,
    drivers: SchoolDrivers,
    sensitivities: Sensitivities,
    locations: LocationComparison,
    trends: CoefficientTrends,
    readings: OtherReadings,
    change: YearlyChange,
    *,
    edition: Edition = "internal",
) -> list[Finding]:
    """Return the findings on resources and inter-school variation, the verdicts first.

    Those of the public edition name no school; they count schools and name the table.
    """
    return [
        _county_verdict(compliance),
        *_stage_verdicts(compliance),
        *_changes(change),
        *_failing_coefficients(compliance, drivers, edition),
        *_near_limits(compliance),
        *_unstable(compliance, sensitivities),
        *_failing_schools(compliance, edition),
        *_open_schools(compliance),
        *_open_coefficients(compliance),
        *_locations(locations, compliance.standard),
        *_trends(trends, compliance.standard),
        *_readings(readings),
    ]


def _county_verdict(compliance: Compliance) -> Finding:
    """State the verdict on the county, with that on each stage."""
    stages = _rows(compliance.stages)

    def told(language: Language) -> str:
        verdicts = [(row["stage"], sentence(f"stage_{row['overall']}", language)) for row in stages]
        words = [f"{label(stage, language)}{verdict}" for stage, verdict in verdicts]
        return label("list_separator", language).join(words)

    return build_finding(
        "verdict_county",
        f"finding_county_{compliance.verdict}",
        kind="headline",
        importance=0,
        status=compliance.verdict,
        numbers=(),
        stages=Term(zh=told("zh"), en=told("en")),
    )


def _stage_verdicts(compliance: Compliance) -> list[Finding]:
    return [_stage_verdict(row) for row in _rows(compliance.stages)]


def _stage_verdict(row: Row) -> Finding:
    counts = {name: int(row[name]) for name in STAGE_COUNTS}
    status: FindingStatus = row["overall"]
    return build_finding(
        f"verdict_{row['stage']}",
        f"finding_stage_{status}" if row["schools"] else f"finding_stage_coefficients_{status}",
        kind="headline",
        importance=1,
        status=status,
        numbers=tuple(
            number_in_cell(name, count, "stage_verdicts", name, {"stage": row["stage"]})
            for name, count in counts.items()
        ),
        **{"stage": term(row["stage"]), **counts},  # pyright: ignore[reportArgumentType]
    )


def _changes(change: YearlyChange) -> list[Finding]:
    """Set what fails in each stage beside the year before; nothing where the data lack that year."""
    return [_change(row, change.year) for row in _rows(change.stages)]


def _change(row: Row, year: int) -> Finding:
    judged = {"coefficients": "n_coefficients_fail", "schools": "n_fail"}
    told = [name for name in judged if row[name]]
    counts = {f"{name}{when}": int(row[f"{judged[name]}{when}"]) for name in told for when in ("_before", "")}
    numbers = {f"{judged[name]}{when}": counts[f"{name}{when}"] for name in told for when in ("_before", "")}
    return build_finding(
        f"change_{row['stage']}",
        "finding_change" if len(told) == len(judged) else f"finding_change_{told[0]}",
        kind="finding",
        importance=2,
        numbers=tuple(
            number_in_cell(name, count, "yearly_change", name, {"stage": row["stage"]})
            for name, count in numbers.items()
        ),
        stage=term(row["stage"]),
        before=school_year(year - 1),
        **counts,  # pyright: ignore[reportArgumentType]
    )


def _failing_coefficients(compliance: Compliance, drivers: SchoolDrivers, edition: Edition) -> list[Finding]:
    """Name every coefficient above its limit, internally with the school that contributes most."""
    table = compliance.coefficients
    failing = _rows(table[table["verdict"] == "fail"].sort_values("margin"))
    return [
        _failing_coefficient(row, compliance.standard, _main_driver(drivers, row), edition) for row in failing
    ]


def _main_driver(drivers: SchoolDrivers, coefficient: Row) -> Row | None:
    """Return the school with the largest part in a coefficient; none for a composite."""
    schools = drivers.schools
    of_coefficient = (schools["stage"] == coefficient["stage"]) & (
        schools["indicator"] == coefficient["indicator"]
    )
    first = _rows(_largest(schools[of_coefficient], "variance_share"))
    return first[0] if first else None


def _failing_coefficient(row: Row, standard: Standard, driver: Row | None, edition: Edition) -> Finding:
    values: dict[str, object] = {}
    numbers = _limited(row, "coefficients")
    told = "finding_coefficient_above"
    if driver is not None and edition == "public":
        told = "finding_coefficient_above_drivers_in_table"
    elif driver is not None:
        told = "finding_coefficient_above_driver"
        side = "side_above" if driver["value"] > row["mean"] else "side_below"
        values = {
            "school": driver["school_name"],
            "share": _percentage(driver["variance_share"]),
            "side": term(side),
        }
        of_school = _place(row) | {"school_id": str(driver["school_id"])}
        share = driver["variance_share"]
        numbers += (number_in_cell("variance_share", share, "drivers", "variance_share", of_school),)
    return build_finding(
        f"coefficient_{row['stage']}_{row['indicator']}",
        told,
        kind="headline",
        importance=2,
        status="fail",
        numbers=numbers,
        **(_against_limit(row, standard) | values),  # pyright: ignore[reportArgumentType]
    )


def _near_limits(compliance: Compliance) -> list[Finding]:
    near, standard = compliance.coefficients["near_limit"].astype(bool), compliance.standard
    return [
        build_finding(
            f"near_{row['stage']}_{row['indicator']}",
            "finding_near_limit",
            kind="limit",
            importance=3,
            numbers=_limited(row, "coefficients"),
            near=f"{standard.near_limit:g}",
            **_against_limit(row, standard),  # pyright: ignore[reportArgumentType]
        )
        for row in _rows(compliance.coefficients[near])
    ]


def _unstable(compliance: Compliance, sensitivities: Sensitivities) -> list[Finding]:
    """Name the verdicts on coefficients that small errors, or the absence of one school, would turn."""
    decided = compliance.coefficients[compliance.coefficients["verdict"].isin(["pass", "fail"])]
    complete = decided.loc[decided["n_missing"] == 0, ["stage", "indicator"]]
    table = sensitivities.table.merge(complete, on=["stage", "indicator"])
    crosses = (table["error_low"] <= table["limit"]) & (table["error_high"] > table["limit"])
    alone = table["deciding_schools"].map(len)
    return [
        build_finding(
            f"unstable_{row['stage']}_{row['indicator']}",
            f"finding_unstable_{_reason(row)}",
            kind="limit",
            importance=3,
            numbers=(
                *_limited(row, "sensitivities"),
                *(
                    number_in_cell(name, value, "sensitivities", name, _place(row))
                    for name, value in (
                        ("n_deciding_schools", row["alone"]),
                        ("reporting_error", sensitivities.reporting_error),
                    )
                ),
            ),
            percent=f"{100 * sensitivities.reporting_error:g}",
            count=int(row["alone"]),
            **_against_limit(row, compliance.standard),  # pyright: ignore[reportArgumentType]
        )
        for row in _rows(table.assign(crosses=crosses, alone=alone)[crosses | (alone > 0)])
    ]


def _reason(row: Row) -> str:
    """Return what could turn a verdict: errors of reporting, the absence of a school or of any of several."""
    alone = "" if not row["alone"] else "school" if row["alone"] == 1 else "schools"
    return "_or_".join(word for word in ("error" if row["crosses"] else "", alone) if word)


def _failing_schools(compliance: Compliance, edition: Edition) -> list[Finding]:
    """Count the schools that fail, by stage; the internal edition names the first of them."""
    failing = compliance.schools[compliance.schools["verdict"] == "fail"]
    return [
        _schools_failing(str(stage), own, compliance.standard, edition)
        for stage, own in failing.groupby("stage", sort=False)
    ]


def _schools_failing(stage: str, schools: pd.DataFrame, standard: Standard, edition: Edition) -> Finding:
    names = list(schools["school_name"])
    missed = schools["missed"].explode().value_counts()
    values: dict[str, object] = {"stage": term(stage), "count": len(names)}
    failing = {"stage": stage, "verdict": "fail"}
    numbers = [number_of_rows("n_fail", len(names), "school_verdicts", failing)]
    # A cell that enters two indicators can fail a school although neither is known to be missed.
    if len(missed):
        most = [str(name) for name in missed.index[missed == missed.iloc[0]]]
        values["indicator"] = _joined([_name(standard, name) for name in sorted(most)])
        values["times"] = int(missed.iloc[0])
        rows = {"stage": stage, "school_verdict": "fail", "indicator_id": most[0]}
        numbers.append(number_of_rows("n_missed", int(missed.iloc[0]), "unmet", rows))
    by_range = "" if len(missed) else "_by_range"
    told = f"finding_schools_fail{by_range}_in_table"
    if edition == "internal":
        many = "many_" if len(names) > NAMED_SCHOOLS else ""
        told = f"finding_{many}schools_fail{by_range}"
        values["schools"] = _listed(names[:NAMED_SCHOOLS])
    return build_finding(
        f"schools_{stage}",
        told,
        kind="headline",
        importance=3,
        status="fail",
        numbers=tuple(numbers),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _open_schools(compliance: Compliance) -> list[Finding]:
    schools = compliance.schools[compliance.schools["verdict"] == "undecided"]
    return [
        build_finding(
            f"open_{stage}",
            "finding_schools_open",
            kind="not_judged",
            importance=2,
            status="undecided",
            numbers=(
                number_of_rows(
                    "n_undecided",
                    len(own),
                    "school_verdicts",
                    {"stage": str(stage), "verdict": "undecided"},
                ),
                number_of_rows("n_cells", _cells(own), "open_schools", {"stage": str(stage)}),
            ),
            stage=term(str(stage)),
            count=len(own),
            cells=_cells(own),
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
            numbers=(
                *_limited(row, "coefficients"),
                *(
                    number_in_cell(column, row[name], "coefficients", column, _place(row))
                    for name, column in (("n_missing", "n_missing"), ("low", "coefficient_low"))
                ),
            ),
            count=int(row["n_missing"]),
            low=format_number(row["low"], COEFFICIENT_DECIMALS),
            **_against_limit(row, compliance.standard),  # pyright: ignore[reportArgumentType]
        )
        for row in _rows(table)
    ]


def _locations(locations: LocationComparison, standard: Standard) -> list[Finding]:
    """Say where the share between town and country is largest."""
    table = locations.table.dropna(subset=["variance_between_share"])
    least = _rows(table.sort_values("variance_between_share", kind="stable").head(1))[0] if len(table) else {}
    return [
        build_finding(
            "locations",
            "finding_locations",
            kind="finding",
            importance=5,
            numbers=tuple(
                number_in_cell(
                    name, of["variance_between_share"], "inequality", "variance_between_share", _place(of)
                )
                for name, of in (("largest_share", row), ("smallest_share", least))
            ),
            stage=term(row["stage"]),
            indicator=_name(standard, row["indicator"]),
            share=_percentage(row["variance_between_share"]),
            least_stage=term(least["stage"]),
            least_indicator=_name(standard, least["indicator"]),
            smallest=_percentage(least["variance_between_share"]),
        )
        for row in _rows(_largest(table, "variance_between_share"))
    ]


def _trends(trends: CoefficientTrends, standard: Standard) -> list[Finding]:
    """Say of every coefficient above its limit what its past allows to say."""
    above = trends.trends[~trends.trends["is_met"].astype(bool)]
    return [_trend(row, standard) for row in _rows(above)]


def _trend(row: Row, standard: Standard) -> Finding:
    reaching = row["reaching_year"]
    return build_finding(
        f"trend_{row['stage']}_{row['indicator']}",
        f"finding_trend_{row['outlook']}",
        kind="finding",
        importance=4,
        numbers=tuple(
            number_in_cell(name, row[name], "trends", name, _place(row))
            for name in ("slope", "n_points", "last_value")
        ),
        stage=term(row["stage"]),
        indicator=_name(standard, row["indicator"]),
        slope=format_number(row["slope"], COEFFICIENT_DECIMALS),
        points=int(row["n_points"]),
        first=school_year(int(row["first_year"])),
        last=school_year(int(row["last_year"])),
        value=format_number(row["last_value"], COEFFICIENT_DECIMALS),
        year=school_year(math.ceil(reaching)) if math.isfinite(reaching) else "",
    )


def _readings(readings: OtherReadings) -> list[Finding]:
    """Say whether rules in doubt would turn a verdict on a stage, or on schools and coefficients only."""
    flips = readings.flips
    dropped = (flips["verdict"] == "") | (flips["other_verdict"] == "")
    turned = bool(((flips["subject"] == "stage") & ~dropped).any())
    names = {(False, False): "none", (True, False): "some", (True, True): "stage"}
    return [
        build_finding(
            "readings",
            f"finding_readings_{names[len(flips) > 0, turned]}",
            kind="limit" if len(flips) else "finding",
            importance=4 if turned else 6,
            numbers=(
                number_in_sum("verdicts_turned", int((~dropped).sum()), "rules_tried", "n_turned"),
                number_in_sum("schools_dropped", int(dropped.sum()), "rules_tried", "n_dropped"),
                number_of_rows("rules_tried", len(readings.marks), "rules_tried"),
            ),
            count=int((~dropped).sum()),
            dropped=int(dropped.sum()),
            tried=len(readings.marks),
        )
    ]


def _against_limit(row: Row, standard: Standard) -> dict[str, object]:
    """Return stage, indicator, coefficient and limit as a sentence states them."""
    return {
        "stage": term(row["stage"]),
        "indicator": _name(standard, row["indicator"]),
        "coefficient": format_number(row["coefficient"], COEFFICIENT_DECIMALS),
        "limit": format_number(row["limit"], LIMIT_DECIMALS),
    }


def _limited(row: Row, table: str) -> tuple[FindingNumber, ...]:
    """Return a coefficient and its limit as they stand in a table."""
    return tuple(
        number_in_cell(name, row[name], table, name, _place(row)) for name in ("coefficient", "limit")
    )


def _place(row: Row) -> dict[str, str]:
    """Return what tells a coefficient from the others."""
    return {"stage": str(row["stage"]), "indicator_id": str(row["indicator"])}


def _cells(schools: pd.DataFrame) -> int:
    """Return how many cells decide the verdicts on schools."""
    return sum(len(cells) for cells in schools["deciding"])


def _percentage(share: float) -> str:
    return f"{format_number(100 * share, 1)}%"


def _name(standard: Standard, indicator_id: str) -> Term:
    if indicator_id == "composite":
        return term("composite_coefficient")
    found = term(standard.indicator(indicator_id).name)
    return Term(zh=f"{indicator_id}（{found.zh}）", en=f"{indicator_id} ({found.en})")


def _joined(terms: list[Term]) -> Term:
    return Term(zh="、".join(term.zh for term in terms), en=", ".join(term.en for term in terms))


def _listed(names: list[str]) -> Term:
    return Term(zh="、".join(names), en=", ".join(names))


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict(orient="records")]


def _largest(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the row with the largest value, the first of equal ones; none of an empty table."""
    return table.sort_values(column, ascending=False, kind="stable").head(1)
