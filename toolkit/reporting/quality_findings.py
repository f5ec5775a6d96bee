"""What the quality of a county's data means for its verdicts, in sentences."""

from collections.abc import Iterable
from typing import get_args

from toolkit.data.checks import completeness
from toolkit.data.problems import Severity
from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    build_finding,
    number_in_cell,
    number_in_sum,
)
from toolkit.reporting.study import Study
from toolkit.tables.quality import TOTAL
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Term, format_number, label, term


def find_quality(study: Study) -> list[Finding]:
    """Return the findings on data quality."""
    return [_rows(study), _problems(study), _missing(study), _unmatched(study)]


def _rows(study: Study) -> Finding:
    accounting = study.reading.accounting
    read, used = int(accounting["rows_read"].sum()), int(accounting["rows_used"].sum())
    return build_finding(
        "rows",
        "finding_rows",
        kind="finding",
        importance=3,
        numbers=tuple(
            number_in_cell(name, count, "accounting", name, {"table_code": TOTAL})
            for name, count in (
                ("rows_read", read),
                ("rows_used", used),
                ("rows_left_out", read - used),
                ("n_tables", len(study.county.tables)),
            )
        ),
        read=format_number(read, 0),
        used=format_number(used, 0),
        left=format_number(read - used, 0),
        tables=len(study.county.tables),
    )


def _problems(study: Study) -> Finding:
    counts = {
        f"{severity}s": sum(problem.severity == severity for problem in study.problems)
        for severity in get_args(Severity)
    }
    clean = counts["errors"] == counts["warnings"] == 0
    return build_finding(
        "problems",
        "finding_problems_none" if clean else "finding_problems",
        kind="finding" if clean else "headline",
        importance=1,
        numbers=tuple(number_in_sum(name, count, "problem_counts", name) for name, count in counts.items()),
        errors=counts["errors"],
        warnings=counts["warnings"],
        notices=counts["notices"],
    )


def _missing(study: Study) -> Finding:
    table = completeness(study.reading, study.standard, study.year)
    deciding = table[table["decides"]]
    missing, cells = int(deciding["missing_in_year"].sum()), int(deciding["cells_in_year"].sum())
    all_missing, all_cells = int(deciding["missing"].sum()), int(deciding["cells"].sum())
    numbers = tuple(
        _of_completeness(name, count, name, TOTAL)
        for name, count in (
            ("missing_in_year", missing),
            ("cells_in_year", cells),
            ("missing", all_missing),
            ("cells_to_fill", all_cells),
        )
    )
    year = school_year(study.year)
    if not missing:
        return build_finding(
            "missing",
            "finding_missing_none",
            kind="finding",
            importance=2,
            numbers=numbers,
            year=year,
            all_missing=format_number(all_missing, 0),
            all_cells=format_number(all_cells, 0),
        )
    share = deciding["missing_in_year"] / deciding["cells_in_year"]
    worst = deciding.loc[share == share.max(), "column"]
    largest = _of_completeness("largest_share", share.max(), "missing_share_in_year", str(worst.iloc[0]))
    return build_finding(
        "missing",
        "finding_missing",
        kind="limit",
        importance=2,
        numbers=(*numbers, largest),
        year=year,
        missing=format_number(missing, 0),
        cells=format_number(cells, 0),
        columns=_named(worst),
        share=f"{100 * share.max():.1f}%",
        all_missing=format_number(all_missing, 0),
        all_cells=format_number(all_cells, 0),
    )


def _of_completeness(name: str, value: float, column: str, row: str) -> FindingNumber:
    return number_in_cell(name, value, "completeness", column, {"column_code": row})


def _named(columns: Iterable[str]) -> Term:
    """Return the labels of columns as one enumeration."""
    names = [term(column) for column in columns]
    zh, en = (label("list_separator", language) for language in ("zh", "en"))
    return Term(zh.join(f"“{name.zh}”" for name in names), en.join(f"“{name.en}”" for name in names))


def _unmatched(study: Study) -> Finding:
    matches = study.reading.matches.drop_duplicates(["table", "name"])
    open_names = int((matches["how"] == "unmatched").sum())
    if matches.empty:
        return build_finding("unmatched", "finding_no_names", kind="finding", importance=4)
    return build_finding(
        "unmatched",
        "finding_unmatched" if open_names else "finding_all_matched",
        kind="limit" if open_names else "finding",
        importance=4,
        numbers=(
            number_in_sum("names", len(matches), "matches", "names"),
            number_in_sum("unmatched", open_names, "matches", "names", {"how_code": "unmatched"}),
        ),
        names=len(matches),
        unmatched=open_names,
    )
