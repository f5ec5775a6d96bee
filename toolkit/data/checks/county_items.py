"""Items entered for the whole county."""

from toolkit.data.checks.evidence import Evidence, rows
from toolkit.data.checks.settings import national_standard, settings
from toolkit.data.problems import Problem
from toolkit.data.schema.county import BREAK_PREFIX


def values_against_fractions(evidence: Evidence) -> list[Problem]:
    """Find entered values that are not numerator over denominator, as a share or in percent."""
    items = evidence.table("county_years")
    tolerance = settings("items")["tolerance"]
    quotient = items["item_numerator"] / items["item_denominator"].where(items["item_denominator"] > 0)
    as_share = (items["item_value"] - quotient).abs()
    as_percent = (items["item_value"] - 100 * quotient).abs() / 100
    scale = quotient.abs().clip(lower=1)
    wrong = (as_share > tolerance * scale) & (as_percent > tolerance * scale)
    return [
        evidence.problem(
            "item_value_differs",
            "warning",
            "county_years",
            index,
            "item_value",
            item=items.at[index, "item"],
            value=items.at[index, "item_value"],
            quotient=float(quotient[index]),
        )
        for index in rows(wrong)
    ]


def verdicts_without_judge(evidence: Evidence) -> list[Problem]:
    """Find entered verdicts without the person or the date that a reader can ask about."""
    items = evidence.table("county_years")
    bare = items["entered_verdict"].notna() & (items["judge"].isna() | items["judged_on"].isna())
    return [
        evidence.problem(
            "verdict_without_judge",
            "warning",
            "county_years",
            index,
            "entered_verdict",
            item=items.at[index, "item"],
        )
        for index in rows(bare)
    ]


def unknown_items(evidence: Evidence) -> list[Problem]:
    """Find item codes that the national standard does not have; local plans may have them.

    Declared breaks of a definition are no items.
    """
    items = evidence.table("county_years")
    standard = national_standard()
    known = {item.id for item in standard.items} | {indicator.id for indicator in standard.indicators}
    codes = items["item"].fillna("").str.replace("：", ":").str.replace(" ", "").str.casefold()
    unknown = items["item"].notna() & ~items["item"].isin(known) & ~codes.str.startswith(BREAK_PREFIX)
    return [
        evidence.problem(
            "item_unknown",
            "notice",
            "county_years",
            int(group.index[0]),
            "item",
            item=str(code),
            count=len(group),
        )
        for code, group in items[unknown].groupby("item", sort=False)
    ]
