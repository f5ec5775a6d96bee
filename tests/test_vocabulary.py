"""The vocabulary: complete in both languages, with the same placeholders, and nothing twice."""

import string
import tomllib

import pytest

from toolkit.vocabulary import (
    has_sentence,
    has_term,
    label,
    loading,
    sentence,
    sentence_names,
    term,
    term_names,
    wording,
)

SHARDS = sorted(loading.FOLDER.glob("*/*.toml"))
# The English points back at what the sentence before it has named.
TOLD_IN_ONE_LANGUAGE = {
    "remedy_column_of_other_table",
    "remedy_year_column_missing",
    "remedy_school_unmatched_near",
    "report_font_missing",
}


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def entries(shard):
    return tomllib.loads(shard.read_text(encoding="utf-8"))


@pytest.mark.parametrize("shard", SHARDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_an_entry_has_a_text_in_both_languages_and_nothing_else(shard):
    allowed = {"zh", "en"} | ({"unit", "decimals"} if shard.parent.name == "terms" else set())
    wrong = [name for name, entry in entries(shard).items() if not {"zh", "en"} <= entry.keys() <= allowed]
    empty = [
        name for name, entry in entries(shard).items() if not entry["zh"].strip() or not entry["en"].strip()
    ]
    assert wrong == []
    assert empty == []


@pytest.mark.parametrize("shard", SHARDS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_chinese_holds_chinese_and_english_ends_without_chinese_punctuation(shard):
    wrong = [name for name, entry in entries(shard).items() if entry["en"].rstrip()[-1] in "。，；：！？"]
    assert wrong == []


@pytest.mark.parametrize(
    "shard", [path for path in SHARDS if path.parent.name == "sentences"], ids=lambda path: path.stem
)
def test_both_languages_have_the_same_placeholders(shard):
    differs = {
        name: (placeholders(entry["zh"]), placeholders(entry["en"]))
        for name, entry in entries(shard).items()
        if placeholders(entry["zh"]) != placeholders(entry["en"])
    }
    assert {name: sides for name, sides in differs.items() if name not in TOLD_IN_ONE_LANGUAGE} == {}


@pytest.mark.parametrize("kind", ["terms", "sentences"])
def test_no_name_stands_in_two_shards(kind):
    names = [name for shard in SHARDS if shard.parent.name == kind for name in entries(shard)]
    assert sorted({name for name in names if names.count(name) > 1}) == []
    assert len(names) > 100


def test_a_name_in_two_shards_is_refused(tmp_path):
    for shard in ("one", "two"):
        (tmp_path / f"{shard}.toml").write_text('[word]\nzh = "词"\nen = "word"\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"two\.toml defines again: word"):
        loading._merged(tmp_path)


def test_every_problem_has_its_remedy():
    problems = {name.removeprefix("problem_") for name in sentence_names() if name.startswith("problem_")}
    remedies = {name.removeprefix("remedy_") for name in sentence_names() if name.startswith("remedy_")}
    assert len(problems) > 50
    assert problems == remedies


def test_every_unit_is_a_term():
    units = {term(name).unit for name in term_names()} - {""}
    assert sorted(unit for unit in units if not has_term(unit)) == []
    assert len(units) > 5


def test_decimals_are_small_whole_numbers():
    assert {term(name).decimals for name in term_names()} <= {None, *range(7)}


def test_lookups_know_what_there_is():
    assert has_term("primary")
    assert not has_term("no_such_term")
    assert has_sentence("cli_report")
    assert not has_sentence("no_such_sentence")


def test_a_variant_belongs_to_an_entry_and_fills_no_other_placeholders():
    texts = {}
    for shard in SHARDS:
        texts |= {(shard.parent.name, name): entry["zh"] for name, entry in entries(shard).items()}
    variants = [key for key in texts if loading.VARIANT_MARK in key[1]]
    assert len(variants) > 50
    for kind, name in variants:
        own = texts[(kind, name.split(loading.VARIANT_MARK)[0])]
        assert placeholders(texts[(kind, name)]) <= placeholders(own), name


def test_a_variant_holds_as_long_as_its_context_and_keeps_unit_and_decimals():
    with wording("county"):
        assert label("adoption_n_groups", "zh") == "实施县区"
        assert term("adoption_n_groups").decimals == 0
        assert "县区" in sentence("adoption_interval_t", "zh", percent=95)
        assert label("primary", "en") == "Primary"
    assert label("adoption_n_groups", "zh") == "集团"
    with wording(""):
        assert label("adoption_n_groups", "zh") == "集团"
