"""What the quality of a county's data means for its verdicts, in sentences."""

from collections.abc import Iterable
from typing import get_args

from toolkit.data.checks import completeness
from toolkit.data.problems import Severity
from toolkit.reporting.findings import Finding, FindingNumber, build_finding
from toolkit.reporting.study import Study
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
        numbers=(
            FindingNumber("rows_read", float(read), "", "accounting"),
            FindingNumber("rows_used", float(used), "", "accounting"),
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
        numbers=tuple(
            FindingNumber(name, float(count), "", "problem_counts") for name, count in counts.items()
        ),
        errors=counts["errors"],
        warnings=counts["warnings"],
        notices=counts["notices"],
    )


def _missing(study: Study) -> Finding:
    table = completeness(study.reading, study.standard, study.year)
    deciding = table[table["decides"]]
    missing, cells = int(deciding["missing_in_year"].sum()), int(deciding["cells_in_year"].sum())
    all_missing, all_cells = int(deciding["missing"].sum()), int(deciding["cells"].sum())
    numbers = (
        FindingNumber("missing", float(missing), "", "completeness"),
        FindingNumber("all_missing", float(all_missing), "", "completeness"),
    )
    if not missing:
        return build_finding(
            "missing",
            "finding_missing_none",
            kind="finding",
            importance=2,
            numbers=numbers,
            year=study.year,
            all_missing=format_number(all_missing, 0),
            all_cells=format_number(all_cells, 0),
        )
    share = deciding["missing_in_year"] / deciding["cells_in_year"]
    return build_finding(
        "missing",
        "finding_missing",
        kind="limit",
        importance=2,
        numbers=numbers,
        year=study.year,
        missing=format_number(missing, 0),
        cells=format_number(cells, 0),
        columns=_named(deciding.loc[share == share.max(), "column"]),
        share=f"{100 * share.max():.1f}%",
        all_missing=format_number(all_missing, 0),
        all_cells=format_number(all_cells, 0),
    )


def _named(columns: Iterable[str]) -> Term:
    """Return the labels of columns as one enumeration."""
    names = [term(column) for column in columns]
    zh, en = (label("list_separator", language) for language in ("zh", "en"))
    return Term(zh.join(f"“{name.zh}”" for name in names), en.join(f"“{name.en}”" for name in names))


def _unmatched(study: Study) -> Finding:
    matches = study.reading.matches.drop_duplicates(["table", "name"])
    open_names = int((matches["school_id"].fillna("") == "").sum())
    if matches.empty:
        return build_finding("unmatched", "finding_no_names", kind="finding", importance=4)
    return build_finding(
        "unmatched",
        "finding_unmatched" if open_names else "finding_all_matched",
        kind="limit" if open_names else "finding",
        importance=4,
        numbers=(FindingNumber("unmatched", float(open_names), "", "matches"),),
        names=len(matches),
        unmatched=open_names,
    )
