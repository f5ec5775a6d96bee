"""What was read, converted, matched and questioned, as tables."""

from dataclasses import replace
from typing import get_args

import pandas as pd

from toolkit.data.checks import registered_names
from toolkit.data.county import Reading
from toolkit.data.names import How
from toolkit.data.problems import Problem
from toolkit.data.schema import TABLES
from toolkit.exhibits import exhibit_caption
from toolkit.tables.exhibit import CellMark, ColumnKind, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, has_term, label, sentence

SEVERITIES = ("error", "warning", "notice")
COUNTS = ["rows_read", "rows_used", "rows_left_out"]
# A table in several files or sheets counts in its first row.
ACCOUNTING_CODES = ["table_code", "n_tables"]
TOTAL = "total"
CELLS = ["cells", "missing", "cells_in_year", "missing_in_year"]
PROBLEMS_SHOWN = 60
PERSON_CODES = ("teacher_id", "student_id")
HIDDEN_CODE = "＊＊＊"
MATCHES_SHOWN = 60
FILES_OF_A_SIMULATION = ("truth.json",)
"""Files that a simulated county has beside its tables; no county of its own has them."""


def tabulate_accounting(reading: Reading, language: Language) -> TableExhibit:
    """Return rows read, used and left out, one line per sheet or file, with the reasons."""
    accounting = reading.accounting
    accounting = accounting[~accounting["file"].isin(FILES_OF_A_SIMULATION)]
    counted = set(reading.county.tables)
    rows = []
    for (table, file, sheet), part in accounting.groupby(["table", "file", "sheet"], sort=False):
        name = str(table)
        texts = (_table_label(name, language), file, sheet)
        rows.append((*texts, *part[COUNTS].sum(), _reasons(part, language), name, float(name in counted)))
        counted.discard(name)
    total = (label("total", language), "", "", *accounting[COUNTS].sum(), "", TOTAL)
    rows.append((*total, float(len(reading.county.tables))))
    names = ["table", "file", "sheet", *COUNTS, "reason"]
    columns = tuple(vocabulary_column(name, language) for name in names)
    columns += tuple(vocabulary_column(name, language, in_files_only=True) for name in ACCOUNTING_CODES)
    names += ACCOUNTING_CODES
    data = pd.DataFrame(rows, columns=names)
    return TableExhibit(exhibit_caption("accounting", language), columns, data, total_rows=1)


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
    ordered = sorted(map(_without_persons, problems), key=lambda problem: SEVERITIES.index(problem.severity))
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


def _without_persons(problem: Problem) -> Problem:
    """Return a problem without the codes of teachers and students; its cell address finds the row."""
    hidden = {"teacher", "student"} | ({"value"} if problem.column in PERSON_CODES else set())
    values = tuple((name, HIDDEN_CODE if name in hidden else text) for name, text in problem.values)  # noqa: PD011 - not a frame
    return replace(problem, values=values)


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
    """Return how school names were matched to codes, by table and way of matching, the surest first."""
    found = _different_names(reading)
    data = found.groupby(["table", "how"], observed=True).size().rename("names").reset_index()
    data["table"] = [_table_label(name, language) for name in data["table"]]
    data["how_code"] = data["how"].astype(str)
    data["how"] = [label(f"match_{how}", language) for how in data["how"]]
    columns = tuple(vocabulary_column(name, language) for name in ("table", "how", "names"))
    columns += (vocabulary_column("how_code", language, in_files_only=True),)
    return TableExhibit(exhibit_caption("matches", language), columns, data)


def tabulate_match_list(reading: Reading, language: Language) -> TableExhibit:
    """Return all names that were matched other than exactly, the least certain way first."""
    found = _different_names(reading)
    found = found[~found["how"].isin(["exact", "unmatched"])]
    found = found.sort_values(["how", "table", "name"], ascending=[False, True, True], kind="stable")
    registered = registered_names(reading)
    data = pd.DataFrame(
        {
            "how": [label(f"match_{how}", language) for how in found["how"]],
            "table": [_table_label(name, language) for name in found["table"]],
            "name": found["name"].to_numpy(),
            "school_id": found["school_id"].to_numpy(),
            "school_name": [registered.get(code, code) for code in found["school_id"]],
        }
    )
    names = ("name", "school_name", "school_id", "how", "table")
    columns = tuple(vocabulary_column(name, language) for name in names)
    shown = min(len(data), MATCHES_SHOWN)
    caption = exhibit_caption("match_list", language, count=len(data), shown=shown)
    return TableExhibit(caption, columns, data, rows_shown=shown if len(data) > shown else 0)


def tabulate_unmatched(reading: Reading, language: Language) -> TableExhibit:
    """Return the school names that stayed without a code, with the columns in which they stand."""
    # A name put right to a school outside the county has no code either, and needs no look.
    found = reading.matches[reading.matches["how"] == "unmatched"]
    separator = label("list_separator", language)
    rows = [
        (
            _table_label(str(table), language),
            separator.join(label(column, language) for column in dict.fromkeys(part["column"])),
            name,
        )
        for (table, name), part in found.groupby(["table", "name"], sort=False)
    ]
    names = ["table", "column", "name"]
    columns = tuple(vocabulary_column(name, language) for name in names)
    return TableExhibit(exhibit_caption("unmatched", language), columns, pd.DataFrame(rows, columns=names))


def tabulate_completeness(completeness: pd.DataFrame, language: Language) -> TableExhibit:
    """Return the columns with missing cells, those that the indicators need first, and the total of these.

    A column that is empty throughout is listed only when the indicators need it.
    """
    partly = completeness["missing"] < completeness["cells"]
    listed = completeness[(completeness["missing"] > 0) & (partly | completeness["decides"])]
    listed = listed.sort_values(["decides", "missing_share"], ascending=False, kind="stable")
    texts = [
        (_table_label(str(table), language), label(str(column), language))
        for table, column in zip(listed["table"], listed["column"], strict=True)
    ]
    texts.append((label("deciding_cells_total", language), ""))
    total = completeness.loc[completeness["decides"], CELLS].sum()
    data = pd.concat([listed, pd.DataFrame([{**total, "column": TOTAL, "decides": True}])], ignore_index=True)
    data = data.assign(
        column_code=data["column"],
        table=[table for table, _ in texts],
        column=[column for _, column in texts],
        missing_share=data["missing"].astype(float) / data["cells"].astype(float),
        missing_share_in_year=data["missing_in_year"].astype(float) / data["cells_in_year"].astype(float),
    ).rename(columns={"cells": "cells_to_fill"})
    names = (
        "table",
        "column",
        "cells_in_year",
        "missing_in_year",
        "cells_to_fill",
        "missing",
        "missing_share",
        "decides",
    )
    kinds: dict[str, ColumnKind] = {"missing_share": "share", "decides": "flag"}
    columns = tuple(vocabulary_column(name, language, kind=kinds.get(name)) for name in names)
    columns += (
        vocabulary_column("missing_share_in_year", language, kind="share", in_files_only=True),
        vocabulary_column("column_code", language, in_files_only=True),
    )
    marks = tuple(
        CellMark(row, name, "not_applicable")
        for row in data.index[data["cells_in_year"].isna()]
        for name in ("cells_in_year", "missing_in_year", "missing_share_in_year")
    )
    year = school_year(int(completeness["year"].iloc[0]))
    caption = exhibit_caption("completeness", language, year=year)
    return TableExhibit(caption, columns, data, marks, total_rows=1, rows_shown=40)


def _reasons(accounting: pd.DataFrame, language: Language) -> str:
    """Return why rows of a sheet were left out, with their number where there are any."""
    left_out = accounting[accounting["reason"] != ""]
    texts = [
        sentence("rows_left_out_for", language, reason=label(f"row_{reason}", language), count=count)
        if count
        else label(f"row_{reason}", language)
        for reason, count in zip(left_out["reason"], left_out["rows_left_out"], strict=True)
    ]
    return label("report_list_separator", language).join(texts)


def _different_names(reading: Reading) -> pd.DataFrame:
    """Return each name once per table; tables in the order of the contract, ways the surest first."""
    found = reading.matches.drop_duplicates(["table", "name"])
    return found.assign(
        table=pd.Categorical(found["table"], categories=list(TABLES), ordered=True),
        how=pd.Categorical(found["how"], categories=list(get_args(How)), ordered=True),
    )


def _table_label(name: str, language: Language) -> str:
    return label(f"table_{name}", language) if name else label("no_table", language)
