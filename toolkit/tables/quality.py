"""What was read, converted, matched and questioned, as tables."""

import pandas as pd

from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.exhibits import exhibit_caption
from toolkit.tables.exhibit import TableExhibit, vocabulary_column
from toolkit.vocabulary import Language, has_term, label

SEVERITIES = ("error", "warning", "notice")
PROBLEMS_SHOWN = 60


def tabulate_accounting(reading: Reading, language: Language) -> TableExhibit:
    """Return rows read, used and left out by table, file and reason."""
    data = reading.accounting.copy()
    data["table"] = [_table_label(name, language) for name in data["table"]]
    data["reason"] = [label(f"row_{name}", language) if name else "" for name in data["reason"]]
    total = {"table": label("total", language), "file": "", "sheet": "", "reason": ""}
    counts = ["rows_read", "rows_used", "rows_left_out"]
    data.loc[len(data)] = total | {name: data[name].sum() for name in counts}
    columns = [vocabulary_column(name, language) for name in ("table", "file", "sheet", *counts, "reason")]
    return TableExhibit(
        exhibit_caption("accounting", language), tuple(columns), data.reset_index(drop=True), total_rows=1
    )


def tabulate_problem_counts(problems: tuple[Problem, ...], language: Language) -> TableExhibit:
    """Return how many problems of each severity each table has."""
    found = pd.DataFrame(
        [(problem.table, problem.severity) for problem in problems], columns=["table", "severity"]
    )
    counts = pd.crosstab(found["table"], found["severity"]).reindex(columns=SEVERITIES, fill_value=0)
    data = counts.rename(columns={name: f"{name}s" for name in SEVERITIES}).reset_index()
    data["table"] = [_table_label(name, language) for name in data["table"]]
    names = ("table", *(f"{name}s" for name in SEVERITIES))
    columns = tuple(vocabulary_column(name, language) for name in names)
    return TableExhibit(exhibit_caption("problem_counts", language), columns, data)


def tabulate_problems(problems: tuple[Problem, ...], language: Language) -> TableExhibit:
    """Return all problems, the severest first, with address and remedy."""
    ordered = sorted(problems, key=lambda problem: SEVERITIES.index(problem.severity))
    data = pd.DataFrame(
        [
            (
                label(f"severity_{problem.severity}", language),
                _table_label(problem.table, language),
                problem.sheet,
                problem.cell,
                problem.school,
                problem.message(language),
                problem.remedy(language),
            )
            for problem in ordered
        ],
        columns=["severity", "table", "sheet", "cell", "school_name", "message", "remedy"],
    )
    columns = tuple(vocabulary_column(str(name), language) for name in data.columns)
    caption = exhibit_caption("problems", language, count=len(data), shown=min(len(data), PROBLEMS_SHOWN))
    return TableExhibit(
        caption, columns, data, rows_shown=PROBLEMS_SHOWN if len(data) > PROBLEMS_SHOWN else 0
    )


def tabulate_conversions(reading: Reading, language: Language) -> TableExhibit:
    """Return what was converted on reading, by column."""
    data = reading.conversions.copy()
    data["table"] = [_table_label(name, language) for name in data["table"]]
    for name, prefix in (("column", ""), ("conversion", "conversion_")):
        data[name] = [
            label(prefix + value, language) if has_term(prefix + value) else value for value in data[name]
        ]
    columns = tuple(
        vocabulary_column(name, language)
        for name in ("table", "column", "file", "sheet", "conversion", "cells")
    )
    return TableExhibit(exhibit_caption("conversions", language), columns, data)


def tabulate_matches(reading: Reading, language: Language) -> TableExhibit:
    """Return how school names were matched to codes, by table and way of matching."""
    found = reading.matches.assign(table=[_table_label(name, language) for name in reading.matches["table"]])
    found["how"] = [label(f"match_{how}", language) for how in found["how"]]
    data = found.groupby(["table", "how"], sort=False).size().rename("names").reset_index()
    columns = tuple(vocabulary_column(name, language) for name in ("table", "how", "names"))
    return TableExhibit(exhibit_caption("matches", language), columns, data)


def tabulate_unmatched(reading: Reading, language: Language) -> TableExhibit:
    """Return the school names that stayed without a code."""
    found = reading.matches[reading.matches["school_id"].fillna("") == ""]
    data = found.assign(
        table=[_table_label(name, language) for name in found["table"]],
        column=[label(name, language) for name in found["column"]],
    )
    columns = tuple(vocabulary_column(name, language) for name in ("table", "column", "name"))
    return TableExhibit(exhibit_caption("unmatched", language), columns, data.reset_index(drop=True))


def tabulate_completeness(completeness: pd.DataFrame, language: Language) -> TableExhibit:
    """Return the columns with missing cells, those that decide a verdict first."""
    data = completeness[(completeness["missing"] > 0) & (completeness["missing"] < completeness["cells"])]
    data = data.sort_values(["decides", "missing_share"], ascending=False, kind="stable").reset_index(
        drop=True
    )
    data["table"] = [_table_label(name, language) for name in data["table"]]
    data["column"] = [label(name, language) for name in data["column"]]
    columns = (
        vocabulary_column("table", language),
        vocabulary_column("column", language),
        vocabulary_column("cells", language),
        vocabulary_column("missing", language),
        vocabulary_column("missing_share", language, kind="share"),
        vocabulary_column("decides", language, kind="flag"),
    )
    return TableExhibit(exhibit_caption("completeness", language), columns, data, rows_shown=40)


def _table_label(name: str, language: Language) -> str:
    return label(f"table_{name}", language) if name else label("no_table", language)
