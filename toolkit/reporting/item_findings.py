"""What the items of the standard say, in sentences built from their numbers."""

import math
from collections.abc import Callable, Iterable

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
from toolkit.standards import Item, Standard
from toolkit.tables.exhibit import PERCENT
from toolkit.tables.item_evidence import (
    is_row_of_school,
    row_text,
    schools_by_code,
    tabulate_item_differences,
)
from toolkit.tables.item_texts import requirement_text, result_text, value_text
from toolkit.tables.items import UNITS_TESTED
from toolkit.variation.county_verdict import NUMBERED_PARTS, CountyVerdict
from toolkit.variation.item_readings import ItemReadings
from toolkit.variation.items import ItemCompliance, Row, records
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term

NAMED_SCHOOLS = 5
NAMED_COEFFICIENTS = 3
COEFFICIENT_DECIMALS = 3
LIMIT_DECIMALS = 2
TABLES = {"government": "government_items", "quality": "quality_items", "social": "social_items"}
OVERVIEW = "item_overview"
PART_COUNTS = {
    "n_items": "n_items",
    "n_pass": "n_items_pass",
    "n_fail": "n_items_fail",
    "n_undecided": "n_items_undecided",
}
ALL_ASKED = {"respondents": "all_respondents"}


def find_items(
    verdict: CountyVerdict, readings: ItemReadings, *, edition: Edition = "internal"
) -> list[Finding]:
    """Return the findings on the items: parts first, then each item failed, not judged or near its limit.

    The county, its parts, the coefficients nearest to their limits and what is not judged are headlines; an
    item by itself is said in its part. Those of the public edition name no school.
    """
    items = verdict.items
    if items.items.empty:
        return [_resources_only(verdict)]
    return [
        _county(verdict),
        *_parts(verdict),
        *_binding(verdict),
        *_not_judged(verdict),
        *_failed(items, edition),
        *_open(items, edition),
        *_near(items),
        *_other_formulas(items),
        *_differences(items),
        *_readings(readings, items.standard),
    ]


def findings_of_part(findings: Iterable[Finding], standard: Standard, part: str) -> list[Finding]:
    """Return the findings on single items of one part; those on all items go with government."""
    others = {item.id for item in standard.items if item.part != part}
    ids = {item.id for item in standard.items if item.part == part}
    general = {"item_differences", "item_readings"} if part == "government" else set()
    return [
        finding
        for finding in findings
        if finding.id in general
        or (ids.intersection(finding.id.split("_")) and not others.intersection(finding.id.split("_")))
    ]


def _county(verdict: CountyVerdict) -> Finding:
    counted = verdict.numbers[verdict.numbers["part"].isin(NUMBERED_PARTS)]["verdict"]
    counts = {
        "count": len(counted),
        "passed": int((counted == "pass").sum()),
        "failed": int((counted == "fail").sum()),
        "open": int((counted == "undecided").sum()),
    }
    names = {"count": "n_items", "passed": "n_pass", "failed": "n_fail", "open": "n_undecided"}
    decided = verdict.verdict == "pass"
    return build_finding(
        "items_county",
        f"finding_items_county_{verdict.verdict}",
        kind="headline",
        importance=0,
        status=verdict.verdict,
        numbers=_part_numbers({names[key]: count for key, count in counts.items()}, "county_overall"),
        **({} if decided else counts),  # pyright: ignore[reportArgumentType]
    )


def _resources_only(verdict: CountyVerdict) -> Finding:
    """Return the verdict by a standard that asks for resources and nothing else."""
    return build_finding(
        "items_county",
        "finding_resources_only",
        kind="headline",
        importance=0,
        status=verdict.verdict,
        verdict=term(f"verdict_{verdict.verdict}_short"),
    )


def _parts(verdict: CountyVerdict) -> list[Finding]:
    return [_part(row, verdict) for row in records(verdict.parts)]


def _part(row: Row, verdict: CountyVerdict) -> Finding:
    """Say how many items of a part are met, and name those that are not."""
    status: FindingStatus = row["verdict"]
    values: dict[str, object] = {"count": int(row["n_items"])}
    told = f"finding_part_{status}"
    if status != "pass":
        values |= {
            "passed": int(row["n_pass"]),
            "failed": int(row["n_fail"]),
            "open": int(row["n_undecided"]),
        }
        failed = _numbers_with(verdict, row["part"], "fail")
        if failed:
            told, values = f"finding_part_{status}_named", values | {"names": _listed(failed)}
    by_the_way = row["part"] not in NUMBERED_PARTS and status == "pass"
    return build_finding(
        f"items_part_{row['part']}",
        told,
        kind="finding" if by_the_way else "headline",
        importance=5 if by_the_way else 1,
        status=status,
        numbers=_part_numbers({name: row[name] for name in PART_COUNTS}, row["part"]),
        part=term(f"part_{row['part']}"),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _part_numbers(counts: dict[str, int], part: str) -> tuple[FindingNumber, ...]:
    """Return the counts of the items of a part, or of all, with their places in the table of the parts."""
    return tuple(
        number_in_cell(name, count, "item_parts", PART_COUNTS[name], {"part_code": part})
        for name, count in counts.items()
    )


def _numbers_with(verdict: CountyVerdict, part: str, status: str) -> list[str]:
    """Return the numbers of the items of a part that have one verdict, in the order of the standard."""
    own = verdict.numbers[(verdict.numbers["part"] == part) & (verdict.numbers["verdict"] == status)]
    return [str(number) for number in own["number"]]


def _binding(verdict: CountyVerdict) -> list[Finding]:
    """Name the coefficients farthest above, or least below, their limits."""
    table = verdict.resources.coefficients.dropna(subset=["coefficient", "limit"])
    table = table[table["verdict"].isin(["pass", "fail"])]
    nearest = (table["limit"] - table["coefficient"]).sort_values(kind="stable").index[:NAMED_COEFFICIENTS]
    rows = records(table.loc[nearest])
    if not rows:
        return []
    return [
        build_finding(
            "binding_coefficients",
            "finding_binding_coefficients",
            kind="headline",
            importance=2,
            numbers=tuple(
                number_in_cell(
                    f"{row['stage']}_{row['indicator']}_{name}",
                    row[name],
                    OVERVIEW,
                    f"{column}_{row['stage']}",
                    {"item_number": row["indicator"]},
                )
                for row in rows
                for name, column in (("coefficient", "coefficient"), ("limit", "coefficient_limit"))
            ),
            coefficients=_both(lambda language: _told_coefficients(rows, language)),
        )
    ]


def _told_coefficients(rows: list[Row], language: Language) -> str:
    return label("report_list_separator", language).join(
        sentence(
            "finding_binding_one_above"
            if row["coefficient"] > row["limit"]
            else "finding_binding_one_within",
            language,
            stage=label(row["stage"], language),
            indicator=row["indicator"],
            coefficient=format_number(row["coefficient"], COEFFICIENT_DECIMALS),
            limit=format_number(row["limit"], LIMIT_DECIMALS),
        )
        for row in rows
    )


def _not_judged(verdict: CountyVerdict) -> list[Finding]:
    """Count what missing data leave open: items, schools by stage, coefficients."""
    numbers = verdict.numbers[verdict.numbers["verdict"] == "undecided"]
    counts = {
        "items": len(numbers),
        "schools": int((verdict.resources.schools["verdict"] == "undecided").sum()),
        "coefficients": int((verdict.resources.coefficients["verdict"] == "undecided").sum()),
    }
    if not any(counts.values()):
        return []

    undecided = {"verdict": "undecided"}
    places = {
        "items": number_of_rows("n_items_undecided", counts["items"], OVERVIEW, undecided),
        "schools": number_of_rows("n_schools_undecided", counts["schools"], "school_needs", undecided),
        "coefficients": number_in_sum(
            "n_coefficients_undecided", counts["coefficients"], OVERVIEW, "n_coefficients_undecided"
        ),
    }

    def told(language: Language) -> str:
        words = [
            sentence(f"finding_not_judged_{name}", language, count=count)
            for name, count in counts.items()
            if count
        ]
        return label("list_separator", language).join(words)

    return [
        build_finding(
            "items_not_judged",
            "finding_not_judged",
            kind="not_judged",
            importance=2,
            status="undecided",
            numbers=tuple(places[name] for name, count in counts.items() if count),
            counts=_both(told),
        )
    ]


def _failed(items: ItemCompliance, edition: Edition) -> list[Finding]:
    """Name every item that is not met, internally with the first schools that miss it."""
    failed = records(items.items[items.items["verdict"] == "fail"])
    return [_failed_item(items, row, edition) for row in failed]


def _failed_item(items: ItemCompliance, row: Row, edition: Edition) -> Finding:
    item = items.standard.item(row["item"])
    told, values, numbers = "finding_item_fail", _told(item, row), _numbers(item, row)
    if (items.special_cases["item"] == item.id).any():
        values["requirement"] = _both(
            lambda language: sentence(
                "finding_requirement_with_cases", language, requirement=requirement_text(item, language)
            )
        )
    if item.from_evidence:
        told, values = "finding_item_fail_evidence", _title(item)
    elif item.tested_on in UNITS_TESTED and edition == "internal":
        units = items.units[(items.units["item"] == item.id) & (items.units["verdict"] == "fail")]
        schools = list(dict.fromkeys(units["unit_name"]))
        values |= {"schools": _listed(schools[:NAMED_SCHOOLS])}
        told = "finding_item_fail_schools"
        if len(schools) > NAMED_SCHOOLS:
            told, values = "finding_item_fail_schools_more", values | {"count": len(schools)}
            failing = {"item_id": item.id, "verdict": "fail"}
            numbers += (number_of_rows("n_schools", len(schools), "missed_units", failing),)
    return build_finding(
        f"item_{item.id}",
        told,
        kind="finding",
        importance=3,
        status="fail",
        numbers=numbers,
        **values,  # pyright: ignore[reportArgumentType]
    )


def _open(items: ItemCompliance, edition: Edition) -> list[Finding]:
    """Name every item that is not judged, internally with the row of the first cell that decides."""
    undecided = records(items.items[items.items["verdict"] == "undecided"])
    return [_open_item(items, row, edition) for row in undecided]


def _open_item(items: ItemCompliance, row: Row, edition: Edition) -> Finding:
    item = items.standard.item(row["item"])
    cells = items.open[items.open["item"] == item.id]
    first = cells.iloc[0]
    values: dict[str, object] = {}
    code = str(first["row"])
    named = str(first["unit_name"])
    if is_row_of_school(str(first["table"])):
        named = named or schools_by_code(items).get(code, code)
    if edition == "internal" or not named:
        values["row"] = named or _row_term(code)
    return build_finding(
        f"open_{item.id}",
        "finding_item_open" if values else "finding_item_open_in_table",
        kind="not_judged",
        importance=3,
        status="undecided",
        numbers=(number_of_rows("cells_to_fill", len(cells), "item_open", {"item_id": item.id}),),
        count=len(cells),
        table=term(f"table_{first['table']}"),
        column=term(str(first["column"])),
        **(values | _title(item)),  # pyright: ignore[reportArgumentType]
    )


def _near(items: ItemCompliance) -> list[Finding]:
    near = records(items.items[items.items["near_limit"].astype(bool)])
    return [_near_item(items.standard, row) for row in near]


def _near_item(standard: Standard, row: Row) -> Finding:
    item = standard.item(row["item"])
    values: dict[str, object] = {"near": _both(lambda language: _margin(item, standard.near_limit, language))}
    if item.tested_on in UNITS_TESTED:
        told = "finding_item_near_schools"
        values |= _title(item) | {"count": int(row["n_near"]), "requirement": _requirement(item)}
    else:
        told, values = "finding_item_near", values | _told(item, row)
    return build_finding(
        f"near_{item.id}",
        told,
        kind="limit",
        importance=4,
        numbers=_numbers(item, row),
        **values,  # pyright: ignore[reportArgumentType]
    )


def _other_formulas(items: ItemCompliance) -> list[Finding]:
    """Set the value by the formula that is judged beside those by others."""
    beside = items.formulas[~items.formulas["in_use"].astype(bool) & (items.formulas["entry"] == "")]
    found = []
    for other in records(beside):
        item = items.standard.item(other["item"])
        own = records(items.items[items.items["item"] == item.id])[0]
        if math.isnan(own["value"]) or math.isnan(other["value"]):
            continue
        found.append(
            build_finding(
                f"formula_{item.id}_{other['formula']}",
                "finding_other_formula",
                kind="finding",
                importance=4,
                numbers=(
                    _value(item, item.name, own["value"], item.formula),
                    _value(item, other["formula"], other["value"], other["formula"]),
                ),
                name=term(item.name),
                formula=term(item.formula),
                other_formula=term(other["formula"]),
                value=_both(lambda language, item=item, own=own: value_text(item, own, language)),
                other_value=_both(lambda language, item=item, row=other: value_text(item, row, language)),
            )
        )
    return found


def _differences(items: ItemCompliance) -> list[Finding]:
    count = len(tabulate_item_differences(items, "zh").data)
    if not count:
        return []
    return [
        build_finding(
            "item_differences",
            "finding_item_differences",
            kind="limit",
            importance=4,
            numbers=(number_of_rows("n_items", count, "item_differences"),),
            count=count,
        )
    ]


def _readings(readings: ItemReadings, standard: Standard) -> list[Finding]:
    """Say which items hang on a doubtful rule."""
    turned = records(readings.flips[readings.flips["subject"] == "item"])
    units = readings.flips[readings.flips["subject"] == "unit"]
    if not turned:
        return [_readings_summary(units)] if readings.marks else []
    return [
        build_finding(
            f"item_reading_{row['mark']}_{row['item']}",
            "finding_item_readings_item",
            kind="limit",
            importance=4,
            numbers=(
                number_in_cell(
                    "verdicts_turned",
                    1,
                    "item_readings",
                    "n_verdicts",
                    {"mark_code": row["mark"], "item_id": row["item"], "subject_judged": "item_itself"},
                ),
            ),
            name=_name(standard.item(row["item"])),
            verdict=term(f"verdict_{row['verdict']}_short"),
            other=term(f"verdict_{row['other_verdict']}_short"),
        )
        for row in turned
    ]


def _readings_summary(units: pd.DataFrame) -> Finding:
    counts: dict[str, object] = {"units": len(units)} if len(units) else {}
    return build_finding(
        "item_readings",
        f"finding_item_readings_{'some' if len(units) else 'none'}",
        kind="limit" if len(units) else "finding",
        importance=6,
        numbers=(
            number_in_sum(
                "verdicts_turned",
                len(units),
                "item_readings",
                "n_verdicts",
                {"subject_judged": "item_units"},
            ),
        ),
        **counts,  # pyright: ignore[reportArgumentType]
    )


def _told(item: Item, row: Row) -> dict[str, object]:
    return _title(item) | {
        "result": _both(lambda language: result_text(item, row, language)),
        "requirement": _requirement(item),
    }


def _margin(item: Item, near: float, language: Language) -> str:
    """Return the margin around a limit: percentage points for shares."""
    if item.unit != "percent":
        return f"{near:g}"
    return sentence("item_near_share", language, points=f"{PERCENT * near:g}")


def _title(item: Item) -> dict[str, object]:
    return {"number": item.id, "name": term(item.name)}


def _name(item: Item) -> Term:
    return _both(lambda language: f"{item.id} {label(item.name, language)}")


def _requirement(item: Item) -> Term:
    return _both(lambda language: requirement_text(item, language))


def _both(told: Callable[[Language], str]) -> Term:
    """Return a text in both languages."""
    return Term(zh=told("zh"), en=told("en"))


def _row_term(row: str) -> Term:
    return _both(lambda language: row_text(row, language))


def _listed(names: list[str]) -> Term:
    return _both(lambda language: label("list_separator", language).join(names))


def _numbers(item: Item, row: Row) -> tuple[FindingNumber, ...]:
    """Return the numbers that a sentence about an item states."""
    if item.from_evidence or item.part not in TABLES:
        return ()
    rows = {"item_id": item.id, "formula_code": item.formula}
    if item.part == "social":
        return (_value(item, item.name, row["value"], item.formula),)
    limit = number_in_cell(
        "limit", item.limits[0], TABLES[item.part], "item_limit_value", rows, unit=item.unit
    )
    if item.tested_on not in UNITS_TESTED:
        return (_value(item, item.name, row["value"], item.formula), limit)
    return (
        number_in_cell("n_units", row["n_units"], TABLES[item.part], "item_denominator", rows),
        number_in_cell("n_pass", row["n_pass"], TABLES[item.part], "item_numerator", rows),
        number_in_cell("n_near", row["n_near"], TABLES[item.part], "item_n_near", rows),
        limit,
    )


def _value(item: Item, name: str, value: float, formula: str) -> FindingNumber:
    """Return the result of an item by one of its formulas; that of the questionnaires is of all asked."""
    if item.part == "social":
        return number_in_cell(name, value, TABLES["social"], "satisfied_share", ALL_ASKED, unit=item.unit)
    rows = {"item_id": item.id, "formula_code": formula}
    return number_in_cell(name, value, TABLES[item.part], "item_result_value", rows, unit=item.unit)
