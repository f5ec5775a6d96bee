"""Invented names of counties, towns and schools."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np


@cache
def names() -> dict[str, Any]:
    """Return the lists and patterns of names."""
    return tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))


def county_name(number: int) -> str:
    """Return the name of the county with this number, from 1."""
    listed = names()["counties"]
    name = listed[(number - 1) % len(listed)]
    rounds = (number - 1) // len(listed)
    return names()["further_county"].format(name=name, number=ordinal(rounds + 1)) if rounds else name


def ordinal(number: int) -> str:
    """Write a number from 1 to 99 in Chinese."""
    digits, ten = names()["digits"], names()["ten"]
    tens, ones = divmod(number, 10)
    leading = (digits[tens] if tens > 1 else "") + ten if tens else ""
    return leading + (digits[ones] if ones or not tens else "")


def town_names(n_towns: int, county: str, rng: np.random.Generator) -> tuple[str, ...]:
    """Return the county seat and then towns, all different."""
    parts = names()["towns"]
    combined = [
        parts["pattern"].format(first=first, second=second)
        for first in parts["first"]
        for second in parts["second"]
    ]
    chosen = rng.permutation(len(combined))[: n_towns - 1]
    stem = county.split("（")[0].removesuffix("县")
    return (parts["seat"].format(stem=stem), *(combined[index] for index in chosen))


def village_names(n_villages: int, rng: np.random.Generator) -> tuple[str, ...]:
    """Return villages, all different."""
    parts = names()["villages"]
    combined = [
        first + second + third
        for first in parts["first"]
        for second in parts["second"]
        for third in parts["third"]
    ]
    return tuple(combined[index] for index in rng.permutation(len(combined))[:n_villages])


def school_name(pattern: str, number: int, *, county: str, town: str, village: str) -> str:
    """Return the name of the school with this number among those of its pattern and place."""
    patterns = names()["schools"]
    rounds, position = divmod(number - 1, len(patterns["words"]))
    word = patterns["words"][position] + (ordinal(rounds + 1) if rounds else "")
    text = patterns.get(f"{pattern}_first", patterns[pattern]) if number == 1 else patterns[pattern]
    return text.format(county=county, town=town, village=village, word=word, ordinal=ordinal(number))
