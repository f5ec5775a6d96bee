"""Every code that reading uses has its sentences and terms."""

import re
from pathlib import Path

import pytest

import toolkit.data.names
import toolkit.data.reading
from toolkit.vocabulary import has_sentence, has_term, sentence_names

SOURCES = sorted(Path(toolkit.data.reading.__file__).parent.glob("*.py"))
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
PROBLEM = re.compile(
    r"""(?:\.add|\.tell|_add|UnreadableFileError|Issue)\(\s*(?:index,\s*|position,\s*|int\(position\),\s*)?f?"([a-z_]+)\""""
)
CODES = set(PROBLEM.findall(TEXT)) | set(re.findall(r'issue="([a-z_]+)"', TEXT))
WHOLE_INPUT = {"file_missing", "folder_empty"}


def test_the_search_for_codes_finds_them():
    assert {"value_missing", "key_twice", "file_damaged", "number_unreadable", "school_unknown"} <= CODES
    assert len(CODES) > 35


@pytest.mark.parametrize("code", sorted(CODES - WHOLE_INPUT))
def test_a_problem_has_a_message_and_a_remedy(code):
    assert has_sentence(f"problem_{code}")
    assert has_sentence(f"remedy_{code}")


@pytest.mark.parametrize("code", sorted(code for code in CODES if code.startswith(("file_", "folder_"))))
def test_an_unreadable_file_has_its_sentence(code):
    assert has_sentence(f"unreadable_{code}")


def test_a_raised_sentence_exists():
    for name in re.findall(r'InputError\(\s*f?"([a-z_]+)"', TEXT):
        assert has_sentence(name)


def test_every_remedy_has_its_problem():
    for name in sentence_names():
        if name.startswith("remedy_"):
            assert has_sentence(name.replace("remedy_", "problem_", 1))


def test_conversions_and_matches_have_labels():
    for name in (
        "mu",
        "ten_thousand",
        "percent",
        "filled_down",
        "wide_to_long",
        "school_year_pair",
        "leading_zeros",
    ):
        assert has_term(f"conversion_{name}")
    for name in re.findall(r'"(\w+)"', str(toolkit.data.names.How)):
        assert has_term(f"match_{name}")
