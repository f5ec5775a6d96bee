"""What the county's own tests say about differences between schools, in sentences from their numbers."""

import math
from typing import Any

import pandas as pd

from toolkit.indicators.tested import grade_subject
from toolkit.reporting.findings import Finding, FindingNumber, build_finding, number_in_cell, number_of_rows
from toolkit.tables.achievement import ROW_NAMES, column_of_chance
from toolkit.tables.variation import school_year
from toolkit.variation.achievement import READINGS, AchievementReadings
from toolkit.variation.achievement_trends import AchievementTrends
from toolkit.variation.class_shares import ClassShares
from toolkit.variation.icc_reliability import ICCReliability
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term, unit_label

ICC_DECIMALS = 3
TABLE = "achievement_readings"

Row = dict[str, Any]
"""One row of a table by column."""


def find_achievement(
    readings: AchievementReadings,
    trends: AchievementTrends,
    shares: ClassShares,
    reliability: ICCReliability,
    *,
    year: int,
) -> list[Finding]:
    """Return the findings on achievement: no verdict, each with what is estimated, n and interval."""
    tests = readings.of_year(year)
    shown = tests[tests["refusal"] == ""]
    if tests.empty:
        return [_none(year)]
    return [
        *_shares_of_schools(shown, readings, year),
        *_four_readings(shown),
        *_not_read(tests, year),
        *_unclassed(shown, year),
        *_trends(trends),
        *_classes(shares),
        *_precision(reliability),
    ]


def _none(year: int) -> Finding:
    return build_finding(
        "achievement_none",
        "finding_achievement_none",
        kind="not_judged",
        importance=6,
        year=school_year(year),
    )


def _shares_of_schools(tests: pd.DataFrame, readings: AchievementReadings, year: int) -> list[Finding]:
    """State the between-school share of each stage, full examinations and samples apart."""
    return [
        _share_of_schools(str(stage), str(estimand), own, readings.confidence_level, year)
        for (stage, estimand), own in tests.groupby(["stage", "estimand"], sort=False)
    ]


def _share_of_schools(
    stage: str, estimand: str, tests: pd.DataFrame, confidence_level: float, year: int
) -> Finding:
    highest = _rows(tests.loc[[tests["icc"].idxmax()]])[0]
    values: dict[str, object] = {
        "tested": _tested(highest),
        "year": school_year(year),
        "estimand": term(estimand),
        "percent": f"{100 * confidence_level:g}",
        "schools": int(highest["n_schools"]),
        "pupils": f"{int(highest['n_pupils']):,}",
        "coverage": _percentage(highest["coverage"]),
        **{name: format_number(highest[name], ICC_DECIMALS) for name in ("icc", "icc_low", "icc_high")},
    }
    if len(tests) > 1:
        values |= {
            "stage": term(stage),
            "tests": len(tests),
            "low": format_number(tests["icc"].min(), ICC_DECIMALS),
            "high": format_number(tests["icc"].max(), ICC_DECIMALS),
        }
    return build_finding(
        f"achievement_{stage}_{estimand}",
        f"finding_achievement_icc_{'several' if len(tests) > 1 else 'one'}",
        kind="finding",
        importance=4,
        numbers=(
            *(_number(name, highest) for name in ("icc", "icc_low", "icc_high", "n_schools", "n_pupils")),
            _number("coverage", highest, unit="percent"),
            *_range_of(tests, {"stage": stage, "estimand": estimand}),
        ),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _four_readings(tests: pd.DataFrame) -> list[Finding]:
    """Set the four readings of one test side by side: that with the largest share of which all can be had."""
    complete = tests.dropna(subset=list(READINGS))
    if complete.empty:
        return []
    row = _rows(complete.loc[[complete["icc"].idxmax()]])[0]
    points = format_number(row["mean_sd"], 2)
    return [
        build_finding(
            "achievement_readings",
            "finding_achievement_readings",
            kind="limit",
            importance=5,
            numbers=tuple(
                _number(name, row, unit="points" if name == "mean_sd" else "") for name in READINGS
            ),
            tested=_tested(row),
            mean_sd=Term(
                zh=f"{points} {unit_label('mean_sd', 'zh')}", en=f"{points} {unit_label('mean_sd', 'en')}"
            ),
            **{name: format_number(row[name], ICC_DECIMALS) for name in READINGS if name != "mean_sd"},  # pyright: ignore[reportArgumentType]
        )
    ]


def _not_read(tests: pd.DataFrame, year: int) -> list[Finding]:
    """Say how many tests could not be read, and why."""
    refused = tests[tests["refusal"] != ""]
    if refused.empty:
        return []
    counts = refused["refusal"].value_counts(sort=False)

    def told(language: Language) -> str:
        parts = [
            sentence(
                "finding_achievement_not_read_reason",
                language,
                count=int(count),
                reason=label(str(reason), language),
            )
            for reason, count in counts.items()
        ]
        return label("report_list_separator", language).join(parts)

    return [
        build_finding(
            "achievement_not_read",
            "finding_achievement_not_read",
            kind="not_judged",
            importance=5,
            numbers=(
                number_of_rows("n_refused", len(refused), TABLE, column="refusal_code"),
                *(
                    number_of_rows(f"n_{reason}", int(count), TABLE, {"refusal_code": str(reason)})
                    for reason, count in counts.items()
                ),
            ),
            year=school_year(year),
            count=len(refused),
            reasons=Term(zh=told("zh"), en=told("en")),
        )
    ]


def _unclassed(tests: pd.DataFrame, year: int) -> list[Finding]:
    count = int((tests["estimand"] == "unclassed_test").sum())
    if not count:
        return []
    return [
        build_finding(
            "achievement_unclassed",
            "finding_achievement_unclassed",
            kind="limit",
            importance=5,
            numbers=(
                number_of_rows(
                    "n_unclassed", count, TABLE, {"estimand": "unclassed_test", "refusal_code": ""}
                ),
            ),
            year=school_year(year),
            count=count,
        )
    ]


def _trends(trends: AchievementTrends) -> list[Finding]:
    """Say in how many series the lowest and the highest year can be told apart."""
    table = trends.trends[trends.trends["slope"].notna()]
    return [
        build_finding(
            f"achievement_trend_{stage}_{estimand}",
            "finding_achievement_trend",
            kind="finding",
            importance=6,
            numbers=tuple(
                number_of_rows(
                    name,
                    count,
                    "achievement_trends",
                    {"stage": str(stage), "estimand": str(estimand)} | only,
                    column="icc_slope",
                )
                for name, count, only in (
                    ("apart", int((~own["intervals_meet"]).sum()), {"intervals_meet": "False"}),
                    ("series", len(own), {}),
                )
            ),
            stage=term(str(stage)),
            estimand=term(str(estimand)),
            first=school_year(int(own["first_year"].min())),
            last=school_year(int(own["last_year"].max())),
            series=len(own),
            apart=int((~own["intervals_meet"]).sum()),
        )
        for (stage, estimand), own in table.groupby(["stage", "estimand"], sort=False)
    ]


def _classes(shares: ClassShares) -> list[Finding]:
    """Ask how classes are formed where much lies between the classes of a school."""
    table = shares.table
    if table.empty:
        return []
    large = table[table["is_large"]]
    chosen = large if len(large) else table
    row = _rows(chosen.loc[[chosen["class_share"].idxmax()]])[0]
    values: dict[str, object] = {
        "year": school_year(shares.year),
        "share": f"{shares.large_share:.2f}",
        "tested": _tested(row),
        "value": format_number(row["class_share"], ICC_DECIMALS),
        "classes": int(row["n_classes"]),
        "pupils": f"{int(row['n_pupils']):,}",
    }
    if len(large):
        values |= {"count": len(large), "p_value": _p_value(row["class_p_value"])}
    else:
        values |= {"tests": len(table)}
    return [
        build_finding(
            "achievement_classes",
            f"finding_class_share_{'large' if len(large) else 'small'}",
            kind="finding",
            importance=5,
            numbers=(
                *(
                    _number(name, row, table="class_shares")
                    for name in ("class_share", "n_classes", "n_pupils", "class_p_value")
                ),
                number_of_rows("n_tests", len(table), "class_shares"),
                number_of_rows("n_large", len(large), "class_shares", {"class_share_large": "True"}),
            ),
            **values,  # pyright: ignore[reportArgumentType]
        )
    ]


def _precision(reliability: ICCReliability) -> list[Finding]:
    """Say how often a county above the limit reads below it, for the smallest own test of each stage."""
    table = reliability.table.dropna(subset="chance")
    if table.empty:
        return []
    table = table[table["true_share"] == table["true_share"].max()]
    found = []
    for stage, own in table.groupby("stage", sort=False):
        national = _rows(own[own["design"] == "national_sample"])
        tests = _rows(own[own["design"] == "own_tests"].sort_values("group_size", kind="stable"))
        if national and tests:
            found.append(_precision_of(str(stage), national[0], tests[0], reliability.limit))
    return found


def _precision_of(stage: str, national: Row, own: Row, limit: float) -> Finding:
    return build_finding(
        f"achievement_precision_{stage}",
        "finding_achievement_precision",
        kind="limit",
        importance=6,
        numbers=tuple(
            number_in_cell(f"{test}_{name}", row[name], "icc_precision", column, rows, unit=unit)
            for test, row in (("national", national), ("own", own))
            for rows in (_design(row),)
            for name, column, unit in (
                ("chance", column_of_chance(row["true_share"]), "percent"),
                ("n_schools", "tested_schools", ""),
                ("group_size", "group_size", ""),
            )
        ),
        stage=term(stage),
        share=f"{own['true_share']:.2f}",
        limit=f"{limit:.2f}",
        national_schools=int(national["n_schools"]),
        national_pupils=f"{national['group_size']:g}",
        national_chance=_percentage(national["chance"], 0),
        tested=Term(zh=_grade(stage, own["grade"], "zh"), en=_grade(stage, own["grade"], "en")),
        schools=int(own["n_schools"]),
        pupils=format_number(own["group_size"], 0),
        chance=_percentage(own["chance"], 0),
    )


def _grade(stage: str, grade: float, language: Language) -> str:
    words = label(f"in_grade_{int(grade)}", language)
    return sentence("tested_grade", language, stage=label(stage, language), grade=words)


def _tested(row: Row) -> Term:
    test = (row["stage"], row["grade"], row["subject"])
    return Term(zh=grade_subject(test, "zh"), en=grade_subject(test, "en"))


def _number(name: str, row: Row, *, unit: str = "", table: str = TABLE) -> FindingNumber:
    """Return a number of one test."""
    return number_in_cell(name, row[name], table, ROW_NAMES.get(name, name), _place(row), unit=unit)


def _range_of(tests: pd.DataFrame, rows: dict[str, str]) -> tuple[FindingNumber, ...]:
    """Return how many tests there are, and the smallest share of schools among them."""
    lowest = _rows(tests.loc[[tests["icc"].idxmin()]])[0]
    return (
        number_of_rows("n_tests", len(tests), TABLE, rows, column="icc"),
        number_in_cell("icc_lowest", lowest["icc"], TABLE, "icc", _place(lowest)),
    )


def _place(row: Row) -> dict[str, str]:
    """Return what tells a test from the others."""
    names = {"stage": "stage", "grade": "grade", "subject": "tested_subject", "test": "test_name"}
    return {column: _text(row[name]) for name, column in names.items()}


def _design(row: Row) -> dict[str, str]:
    """Return what tells a size of test from the others."""
    names = {"design": "design_code", "stage": "stage", "grade": "grade"}
    return {column: _text(row[name]) for name, column in names.items()}


def _text(value: object) -> str:
    """Return a value as a file holds it."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:g}"
    return str(value)


def _percentage(share: float, decimals: int = 1) -> str:
    return "–" if math.isnan(share) else f"{format_number(100 * share, decimals)}%"


def _p_value(value: float) -> str:
    return "< 0.001" if value < 0.001 else format_number(value, 3)


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict(orient="records")]
