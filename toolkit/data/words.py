"""Words met in workbooks that are neither headers nor values: units, totals, notes, placeholders."""

import tomllib
from pathlib import Path

_WORDS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

AREA_UNITS: dict[str, float] = _WORDS["area_units"]
MONEY_UNITS: dict[str, float] = _WORDS["money_units"]
SHARE_UNITS: dict[str, float] = _WORDS["share_units"]
MULTIPLIERS: dict[str, float] = _WORDS["multipliers"]
COUNTING_UNITS: frozenset[str] = frozenset(_WORDS["counting_units"])
UNIT_CONVERSIONS = {
    AREA_UNITS["亩"]: "mu",
    10_000.0: "ten_thousand",
    1000.0: "thousand",
    1e8: "hundred_million",
}

NOTED_UNITS: tuple[str, ...] = tuple(_WORDS["noted_units"])
HEADER_REMARKS: frozenset[str] = frozenset(_WORDS["header_remarks"])
ORDER_HEADERS: frozenset[str] = frozenset(_WORDS["order_headers"])
COLUMN_LETTERS: frozenset[str] = frozenset(_WORDS["column_letters"])
TOTALS: tuple[str, ...] = tuple(_WORDS["totals"])
TOTAL_EDGES: tuple[str, ...] = tuple(_WORDS["total_edges"])
NOTES: tuple[str, ...] = tuple(_WORDS["notes"])
INSTRUCTION_SHEETS: tuple[str, ...] = tuple(_WORDS["instruction_sheets"])

MISSING: frozenset[str] = frozenset(_WORDS["missing"])
ERROR_VALUES: frozenset[str] = frozenset(_WORDS["error_values"])
RUNNING: frozenset[str] = frozenset(_WORDS["running"])
ABSENT: frozenset[str] = frozenset(_WORDS["absent"])

STAGE_WORDS: dict[str, str] = _WORDS["stage_words"]
STAGE_OF_TYPE = {
    "primary_school": "primary",
    "teaching_point": "primary",
    "junior_secondary_school": "junior",
}
STAGE_HEADERS: tuple[str, ...] = tuple(_WORDS["stage_headers"])
SCORE_SUMS: frozenset[str] = frozenset(_WORDS["score_sums"])
SUBJECT_SUFFIXES: tuple[str, ...] = tuple(_WORDS["subject_suffixes"])
BAND_SUFFIXES: tuple[str, ...] = tuple(_WORDS["band_suffixes"])

GRADE_WORDS: dict[str, int] = _WORDS["grade_words"]

PLAIN_SCHOOL_NAMES: frozenset[str] = frozenset(_WORDS["plain_school_names"])

LOOKALIKES = str.maketrans(
    "АВЕЅІЈКМНОРСТУХаеорсухіјѕΑΒΕΖΗΙΚΜΝΟΡΤΥΧοΟ‐‑‒–—―−﹣",
    "ABESIJKMHOPCTYXaeopcyxijsABEZHIKMNOPTYXoO--------",
)
"""Cyrillic and Greek letters that look like Latin ones, and the many dashes."""
