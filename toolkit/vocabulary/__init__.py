"""The one place for labels, units, decimals and sentences, in Chinese and in English."""

from toolkit.vocabulary.loading import (
    VARIANT_MARK,
    Language,
    Term,
    has_sentence,
    has_term,
    label,
    sentence,
    sentence_names,
    sentence_template,
    term,
    term_names,
    unit_label,
    wording,
)
from toolkit.vocabulary.numbers import format_number

__all__ = [
    "VARIANT_MARK",
    "Language",
    "Term",
    "format_number",
    "has_sentence",
    "has_term",
    "label",
    "sentence",
    "sentence_names",
    "sentence_template",
    "term",
    "term_names",
    "unit_label",
    "wording",
]
