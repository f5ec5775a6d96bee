"""What the annual report says about itself: scope, split of combined schools, rules in doubt."""

from collections.abc import Iterable

import pandas as pd

from toolkit.data.county import County
from toolkit.exhibits import exhibit_caption
from toolkit.indicators.resources import ResourceIndicators
from toolkit.standards import SpecialCase, Standard
from toolkit.tables.exhibit import CellMark, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, label, sentence

STAGES = ("primary", "junior")


def tabulate_scope(
    county: County, resources: ResourceIndicators, plan: Standard | None, *, year: int, language: Language
) -> TableExhibit:
    """Return county, school year, standard, plan and number of schools, one row each.

    Parameters
    ----------
    county : County
        The county.
    resources : ResourceIndicators
        Its resource indicators, which know the schools that count and those left out.
    plan : Standard or None
        The local plan that targets are compared with.
    year : int
        School year of the report.
    language : {"zh", "en"}
        Language.
    """
    standard = resources.standard
    rows = [
        ("report_county", county.name),
        ("report_school_year_label", school_year(year)),
        ("report_statistic_date_label", sentence("report_statistic_date", language, year=year)),
        ("report_standard", _title(standard, language)),
        ("standard_validity", _validity(standard, language)),
        ("local_plan", _title(plan, language) if plan else label("no_local_plan", language)),
        *((f"schools_{group}", str(len(ids))) for group, ids in _schools(resources, year).items()),
    ]
    for stage in STAGES:
        of_stage = resources.units[(resources.units["year"] == year) & (resources.units["stage"] == stage)]
        rows.append((f"units_counted_{stage}", str(len(of_stage))))
    data = pd.DataFrame(
        [(label(name, language), text) for name, text in rows], columns=["scope_entry", "scope_value"]
    )
    columns = tuple(vocabulary_column(str(name), language) for name in data.columns)
    return TableExhibit(exhibit_caption("scope", language), columns, data)


def tabulate_split(standard: Standard, language: Language) -> TableExhibit:
    """Return the weight of a student of each stage when a stock of a combined school is split."""
    split = standard.split
    weights = (
        []
        if split is None
        else [
            ("nine_year_school", split.primary, split.junior, None),
            ("complete_secondary_school", None, 1.0, split.senior_in_complete_secondary_school),
            ("twelve_year_school", split.primary, split.junior, split.senior_in_twelve_year_school),
        ]
    )
    names = ["primary_weight", "junior_weight", "senior_weight"]
    data = pd.DataFrame(weights, columns=["school_type", *names])
    columns = (
        vocabulary_column("school_type", language, kind="code"),
        *(vocabulary_column(name, language, kind="number") for name in names),
    )
    not_taught = tuple(
        CellMark(row, name, "not_applicable") for name in names for row in data.index[data[name].isna()]
    )
    return TableExhibit(exhibit_caption("split_weights", language), columns, data, marks=not_taught)


def tabulate_doubts(standard: Standard, language: Language) -> TableExhibit:
    """Return every rule of the standard that is in doubt, with the items it is about and what it rests on."""
    data = pd.DataFrame(
        [
            (
                label("list_separator", language).join(_marked(standard, code))
                or label("doubt_general", language),
                getattr(mark.doubt, language),
                label(f"mark_{mark.status}", language),
            )
            for code, mark in standard.marks.items()
        ],
        columns=["doubt_about", "doubt", "rests_on"],
    )
    columns = tuple(vocabulary_column(str(name), language) for name in data.columns)
    return TableExhibit(exhibit_caption("doubts", language), columns, data)


def tabulate_exceptions(standard: Standard, language: Language) -> TableExhibit:
    """Return the special cases of the standard with the indicators and items they concern."""
    data = pd.DataFrame(
        [
            (
                getattr(case.name, language),
                label("list_separator", language).join(_concerned(case)) or "–",
                label("list_separator", language).join(_marks_of(standard, case.marks, language)) or "–",
            )
            for case in standard.exceptions
        ],
        columns=["case", "doubt_about", "rests_on"],
    )
    columns = (
        TableColumn("case", label("case_of_standard", language)),
        *(vocabulary_column(name, language) for name in ("doubt_about", "rests_on")),
    )
    return TableExhibit(exhibit_caption("exceptions", language), columns, data)


def _marked(standard: Standard, code: str) -> list[str]:
    """Return the numbers of the indicators and items that carry a mark."""
    entries = [entry.id for entry in (*standard.indicators, *standard.items) if code in entry.marks]
    of_cases = [entry for case in standard.exceptions if code in case.marks for entry in _concerned(case)]
    return list(dict.fromkeys([*entries, *of_cases]))


def _concerned(case: SpecialCase) -> tuple[str, ...]:
    """Return the numbers of the indicators and items that a special case concerns."""
    return tuple(dict.fromkeys((*case.applies_to, *case.limits)))


def _marks_of(standard: Standard, codes: Iterable[str], language: Language) -> list[str]:
    return list(dict.fromkeys(label(f"mark_{standard.marks[code].status}", language) for code in codes))


def _schools(resources: ResourceIndicators, year: int) -> dict[str, set[str]]:
    """Return the schools that report, that count, and that are left out in a year."""
    units, left_out = resources.units, resources.left_out
    counted = set(units.loc[units["year"] == year, "school_id"])
    outside = set(left_out.loc[left_out["year"] == year, "school_id"])
    return {"reporting": counted | outside, "counted": counted, "left_out": outside}


def _title(standard: Standard, language: Language) -> str:
    title = getattr(standard.title, language)
    if not standard.document:
        return title
    return sentence("standard_with_number", language, title=title, document=standard.document)


def _validity(standard: Standard, language: Language) -> str:
    if standard.valid_from is None:
        return label("validity_unknown", language)
    if standard.valid_to is None:
        return sentence("validity_from", language, first=standard.valid_from)
    return sentence("validity_between", language, first=standard.valid_from, last=standard.valid_to)
