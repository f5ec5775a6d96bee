"""Numbers of findings looked up in the files of the tables that they name, and in their own sentences."""

import csv
import math
import re
from dataclasses import asdict, is_dataclass

NUMBER = re.compile(r"(?<![\w.–-])-?\d[\d,]*(?:\.\d+)?%?(?![A-Za-z])")
# What a sentence quotes, and dates and school years, are no quantities.
QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"")
DATED = re.compile(r"\d{4}-\d{2}-\d{2}|\d{4}/\d{4}|(?<!\d)20\d{2}(?!\d)")
NO_WORDS = ("", "–")


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


def untold(findings, table_path):
    """Return the numbers printed in either sentence that are none of those of the finding."""
    return [
        (finding["id"], language, printed)
        for finding in entries_of(findings)
        for language in ("zh", "en")
        for printed in [
            *(found.group() for found in quantities(finding[language])),
            *_dates(finding, language, table_path),
        ]
        if not any(
            is_printed(number["value"], printed)
            for number in finding["numbers"]
            if number["value"] is not None
        )
    ]


def is_printed(value, text):
    """Say whether a number is printed as a text: rounded to its decimals, a share in percent."""
    digits = text.rstrip("%").replace(",", "")
    half = 0.5 * 10 ** -len(digits.partition(".")[2])
    # Binary dust where the number lies in the middle.
    return abs((100 * value if text.endswith("%") else value) - float(digits)) <= half * (1 + 1e-9)


def quantities(sentence):
    """Return the numbers of a sentence, as matches: neither dates nor what stands in a quoted title."""
    blank = sentence
    for words in (QUOTED, DATED):
        blank = words.sub(lambda found: " " * len(found.group()), blank)
    return list(NUMBER.finditer(blank))


def _dates(finding, language, table_path):
    """Give the dates of a sentence that stand in no row that its numbers name."""
    rows = [
        " ".join(row.values())
        for number in finding["numbers"]
        for row in rows_meant(number, table_path(number["table"]))
    ]
    dates = DATED.findall(QUOTED.sub("", finding[language]))
    return [date for date in dates if not any(date in row for row in rows)]
