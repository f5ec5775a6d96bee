"""The matcher against 2,000 written variants of school names, made apart from it."""

from pathlib import Path
from time import perf_counter

import pandas as pd
import pytest

from toolkit.data.names import SchoolNames, match_schools

FOLDER = Path(__file__).parents[1] / "oracles" / "school_names"
KEPT_APART = "229906"
"""The county whose variants were not looked at while the rules were written."""

FLOORS = {
    "campus": 0.95,
    "exact_with_noise": 0.97,
    "former_name": 0.95,
    "group_prefix": 0.95,
    "prefix": 0.97,
    "same_name_two_towns": 0.95,
    "short_name": 0.85,
    "typed_extra": 0.95,
    "typo_resolvable": 0.90,
    "typo_to_another_school": 0.95,
    "width_digits_brackets": 0.97,
}


def _table(name):
    return pd.read_csv(FOLDER / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def variants():
    """Return the variants with the school that each was matched to, empty for none."""
    registers, links, variants = map(_table, ("registers", "school_links", "variants"))
    parts = []
    for county, part in variants.groupby("county"):
        register = registers[registers["county"] == county].replace("", None)
        found = match_schools(part["written"], register, links[links["county"] == county])
        codes = found.set_index("name")["school_id"].fillna("")
        parts.append(part.assign(found=codes.loc[part["written"]].to_numpy()))
    return pd.concat(parts, ignore_index=True)


def test_the_set_is_whole(variants):
    assert len(variants) == 2000
    assert (variants["answer"] != "").sum() == 1419
    assert set(FLOORS) == set(variants.loc[variants["answer"] != "", "kind"])


def test_no_variant_is_matched_to_a_wrong_school(variants):
    wrong = variants[(variants["found"] != "") & (variants["found"] != variants["answer"])]
    assert wrong[["county", "written", "answer", "found"]].values.tolist() == []


def test_nineteen_of_twenty_variants_that_have_a_school_are_matched(variants):
    resolvable = variants[variants["answer"] != ""]
    assert (resolvable["found"] == resolvable["answer"]).mean() >= 0.95


@pytest.mark.parametrize("kind", FLOORS)
def test_each_kind_of_variant_is_matched_to_its_floor(variants, kind):
    own = variants[(variants["answer"] != "") & (variants["kind"] == kind)]
    assert (own["found"] == own["answer"]).mean() >= FLOORS[kind]


def test_the_county_kept_apart_is_matched_as_well(variants):
    own = variants[(variants["answer"] != "") & (variants["county"] == KEPT_APART)]
    assert (own["found"] == own["answer"]).mean() >= 0.90


def test_a_thousand_names_of_a_county_take_less_than_a_second():
    registers, variants = _table("registers"), _table("variants")
    register = registers[registers["county"] == "419901"].replace("", None)
    names = variants["written"].head(1000)
    SchoolNames(register).find("持殊教育学校")  # what is loaded once is no matter of names
    began = perf_counter()
    match_schools(names, register)
    assert perf_counter() - began < 1.0
