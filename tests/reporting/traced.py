"""Numbers of findings looked up in the files of the tables that they name, and in their own sentences."""

import csv
import math
import re
from dataclasses import asdict, is_dataclass

from toolkit.data.schema import TABLES
from toolkit.variation.achievement import achievement_settings
from toolkit.vocabulary import term

# A Chinese sign may stand beside it, a letter of a code such as R1 not.
NUMBER = re.compile(r"(?<![A-Za-z\d.–-])[-−]?\d[\d,]*(?:\.\d+)?%?(?![A-Za-z])")
# What a sentence quotes, and dates and school years, are no quantities.
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
DATED = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}/\d{4}|(?<!\d)20\d{2}(?!\d)")
# Names that hold a number: of a grade, and of what stands for all smaller P values.
NAMED = re.compile(r"Grade \d+|< 0\.001")
NO_WORDS = ("", "–")
MONITORED = "Q9b"
CONFIDENCE_LEVEL = 0.95


def entries_of(findings):
    """Return findings as they stand in a file."""
    return [asdict(finding) if is_dataclass(finding) else finding for finding in findings]


def rows_of(path):
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def rows_meant(number, path):
    """Return the rows of the table that the place of a number names."""
    wanted = number["place"]["rows"].items()
    return [row for row in rows_of(path) if all(row[name] == value for name, value in wanted)]


def found_at(number, path):
    """Return what stands at the place of a number."""
    measure, column = number["place"]["measure"], number["place"]["column"]
    rows = rows_meant(number, path)
    if measure == "count":
        return float(len([row for row in rows if not column or row[column] not in NO_WORDS]))
    if measure == "sum":
        return math.fsum(float(row[column]) for row in rows if row[column])
    (row,) = rows
    return float(row[column]) if row[column] else None


def astray(findings, table_path):
    """Return the numbers that do not stand, to the last digit, where they say."""
    return [
        (finding["id"], number["name"], number["value"], number["table"])
        for finding in entries_of(findings)
        for number in finding["numbers"]
        if not number["place"] or not same(number["value"], found_at(number, table_path(number["table"])))
    ]


def same(value, other):
    if value is None or other is None:
        return value is other
    # A sum may be added in another order.
    return math.isclose(value, other, rel_tol=1e-12, abs_tol=0)


def untold(findings, table_path, *, rules=(), names=(), years=()):
    """Return the numbers printed in either sentence that are none of those of the finding.

    Nor a constant of a rule, nor part of the name of an item or indicator, nor a date that stands in a row
    meant or belongs to the years of the report.
    """
    return [
        (finding["id"], language, printed)
        for finding in entries_of(findings)
        for language in ("zh", "en")
        for printed in [
            *_numbers(finding, language, rules, names),
            *_dates(
                finding, language, table_path, {spelling for year in years for spelling in _spelled(year)}
            ),
        ]
    ]


def _numbers(finding, language, rules, names):
    """Give the numbers of a sentence that are neither those of the finding nor constants of rules."""
    known = [number["value"] for number in finding["numbers"] if number["value"] is not None]
    told = finding[language]
    for name in sorted(names, key=len, reverse=True):
        told = told.replace(name, " ")
    printed = [found.group() for found in quantities(told)]
    return [text for text in printed if not any(is_printed(value, text) for value in (*known, *rules))]


def is_printed(value, text):
    """Say whether a number is printed as a text: rounded to its decimals, a share in percent."""
    digits = text.rstrip("%").replace(",", "").replace("−", "-")
    half = 0.5 * 10 ** -len(digits.partition(".")[2])
    # Binary dust where the number lies in the middle.
    return abs((100 * value if text.endswith("%") else value) - float(digits)) <= half * (1 + 1e-9)


def quantities(sentence):
    """Return the numbers of a sentence, as matches: neither dates nor what stands in a quoted title."""
    blank = sentence
    for words in (QUOTED, DATED, NAMED):
        blank = words.sub(lambda found: " " * len(found.group()), blank)
    return list(NUMBER.finditer(blank))


def _spelled(year):
    return str(year), f"{year}/{year + 1}"


def _dates(finding, language, table_path, known):
    """Give the dates of a sentence that are not known and stand in no row that its numbers name."""
    rows = [
        " ".join(row.values())
        for number in finding["numbers"]
        for row in rows_meant(number, table_path(number["table"]))
    ]
    dates = DATED.findall(QUOTED.sub("", finding[language]))
    # Some tables write a school year by its first year only.
    return [
        date for date in dates if date not in known and not any(date.split("/")[0] in row for row in rows)
    ]


def rule_constants(standard):
    """Return the constants of rules that sentences print beside numbers of tables.

    The margin around a limit, as it stands and in percentage points, the limit of the national monitoring,
    true shares and class share that the settings name, and the level of the intervals.
    """
    settings = achievement_settings()
    monitored = {limit for item in standard.items if item.id == MONITORED for limit in item.limits}
    return {
        standard.near_limit,
        100 * standard.near_limit,
        *monitored,
        *settings["precision"]["true_shares"],
        settings["classes"]["large_share"],
        CONFIDENCE_LEVEL,
    }


def names_with_numbers(standard):
    """Return the names of items, indicators and columns that hold a number, in both languages."""
    codes = {column for table in TABLES.values() for column in table.column_names}
    codes |= {named.name for named in (*standard.items, *standard.indicators)}
    codes |= {formula.name for item in standard.items for formula in item.formulas}
    told = [text for code in codes for text in (term(code).zh, term(code).en)]
    return {text for text in told if re.search(r"\d", text)}
