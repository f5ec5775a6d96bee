"""The one place for labels, units, decimals and sentences, in Chinese and in English."""

from toolkit.vocabulary.loading import (
    Language,
    Term,
    has_sentence,
    has_term,
    label,
    sentence,
    sentence_names,
    term,
    term_names,
    unit_label,
)
from toolkit.vocabulary.numbers import format_number

__all__ = [
    "Language",
    "Term",
    "format_number",
    "has_sentence",
    "has_term",
    "label",
    "sentence",
    "sentence_names",
    "term",
    "term_names",
    "unit_label",
]
