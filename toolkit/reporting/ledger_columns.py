"""The columns of a ledger as a workbook shows them: order, headers, words of closed lists."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal, get_args

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.planning.ledger import Proposal, SchoolChange, State
from toolkit.results import Verdict
from toolkit.vocabulary import Language, label

LANGUAGES: tuple[Language, ...] = get_args(Language)
ColumnKind = Literal["text", "number", "date", "year", "flag", "choice", "unit"]


@dataclass(frozen=True, slots=True)
class LedgerColumn:
    """One column of the ledger.

    Attributes
    ----------
    field : str
        Field of `LedgerRow`; its header is the term ``ledger_<field>``.
    kind : {"text", "number", "date", "year", "flag", "choice", "unit"}
        What its cells hold.
    width : float
        Width in characters.
    by_people : bool
        Whether people fill it; the others are computed anew each time.
    words : mapping of str to str
        Closed list: value to term.
    """

    field: str
    kind: ColumnKind
    width: float
    by_people: bool = False
    words: Mapping[str, str] | None = None

    def header(self, language: Language) -> str:
        """Return the header in one language."""
        return label(f"ledger_{self.field}", language)

    def word(self, value: str, language: Language) -> str:
        """Return a value of the closed list as people read it."""
        return label(self.words[value], language) if self.words and value in self.words else value

    def value(self, word: str) -> str | None:
        """Return the value that a word of the closed list means in any language; None for another word."""
        for value, name in (self.words or {}).items():
            if plain(word) in {plain(label(name, language)) for language in LANGUAGES}:
                return value
        return None


def plain(text: str) -> str:
    """Return a text in half width without spaces at its ends."""
    return unicodedata.normalize("NFKC", text).strip()


def _words(prefix: str, values: tuple[str, ...]) -> dict[str, str]:
    """Return the terms of a closed list; the empty value has no word."""
    return {value: f"{prefix}{value}" for value in values if value}


COLUMNS = (
    LedgerColumn("id", "text", 22),
    LedgerColumn("school_name", "text", 20),
    LedgerColumn("stage", "choice", 8, words=_words("", COMPULSORY_STAGES)),
    LedgerColumn("item", "text", 8),
    LedgerColumn("title", "text", 26),
    LedgerColumn("value", "number", 10),
    LedgerColumn("limit", "number", 10),
    LedgerColumn("gap", "number", 11),
    LedgerColumn("unit", "unit", 8),
    LedgerColumn("measure", "text", 32, by_people=True),
    LedgerColumn("person", "text", 12, by_people=True),
    LedgerColumn("deadline", "date", 12, by_people=True),
    LedgerColumn("state", "choice", 10, by_people=True, words=_words("ledger_state_", get_args(State))),
    LedgerColumn("evidence", "text", 22, by_people=True),
    LedgerColumn("recheck_date", "date", 12, by_people=True),
    LedgerColumn("data_check", "choice", 11, words=_words("ledger_check_", get_args(Verdict))),
    LedgerColumn("proposal", "choice", 22, words=_words("ledger_proposal_", get_args(Proposal))),
    LedgerColumn("repeated", "flag", 10),
    LedgerColumn("relapsed", "flag", 8),
    LedgerColumn("first_year", "year", 10),
    LedgerColumn("year", "year", 10),
    LedgerColumn("school_change", "choice", 12, words=_words("ledger_change_", get_args(SchoolChange))),
    LedgerColumn("history", "text", 40),
    LedgerColumn("school_id", "text", 14),
)
FIELDS = {column.field: column for column in COLUMNS}


@cache
def fields_by_header() -> dict[str, str]:
    """Return the field of each header, in both languages and half width."""
    return {plain(column.header(language)): column.field for column in COLUMNS for language in LANGUAGES}
