"""Forms in which the name of a school is written: half-width, without its county or town, abbreviated."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from toolkit.data.text import arabic_numerals, visible
from toolkit.data.words import PLAIN_SCHOOL_NAMES

Shortened = Literal["nearly", "short_name"]

WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("name_words.toml").read_text(encoding="utf-8"))

COMMON_PREFIX_SHARE = 0.3
"""Share of the register's names that begin with a county's name, when the register does not say it."""

SHORTEST_ALONE = 4
"""Characters that a name has at least when it is told without its town."""

_SIMPLE = str.maketrans({pair[0]: pair[1] for pair in WORDS["traditional"].split()})
_OPENING = str.maketrans("[【〔{〖［「『", "((((((((")
_CLOSING = str.maketrans("]】〕}〗］」』", "))))))))")
_DASH_FOR_ONE = re.compile(r"(?<=[第年])[—–―ー-](?=[\u4e00-\u9fff])")
_SQUEEZED = re.compile(r"[\s()“”\"‘’'`《》〈〉<>·•・.。,，、;:!|/\\*#_~→—–-]+")
_COUNTY_PREFIX = re.compile(r"^(.{1,8}?(?:自治县|县|区|市|旗))(?=.{2})")
_REGION = re.compile(r"(省|市|县|区|旗|自治县|镇|乡|街道|街道办事处)$")
_PEOPLES = re.compile(r"^(.{2,3}?)(?:各族|[\u4e00-\u9fff]{1,4}?族)+(?:自治)?(县|旗|州|乡|镇)$")
_VILLAGE = re.compile(r"[^村完心]小学$")
_ORDINAL = re.compile(r"^(.*?)第(\d+)(初级|完全)?(小学|中学|初中|完小)$")
_OTHER_REGION = re.compile(r".{2,6}[市县区旗]")
_NOT_ALONE = frozenset(PLAIN_SCHOOL_NAMES) | frozenset(WORDS["never_split"])


def tidy_text(text: str) -> str:
    """Return a name half-width, in simplified characters and digits, with plain brackets and no blanks."""
    plain = unicodedata.normalize("NFKC", visible(text).translate(_SIMPLE)).lower().translate(_SIMPLE)
    plain = plain.translate(_OPENING).translate(_CLOSING)
    return arabic_numerals(_DASH_FOR_ONE.sub("一", re.sub(r"\s+", "", plain)))


def squeezed(text: str) -> str:
    """Return a name in its tidy form without brackets, marks and blanks."""
    return _SQUEEZED.sub("", tidy_text(text))


def is_alone(base: str) -> bool:
    """Say whether a name tells its school without the town, so far as its words go."""
    return len(base) >= SHORTEST_ALONE and base not in _NOT_ALONE


def is_ordinal(base: str) -> bool:
    """Say whether a name is a number and a kind, such as 第2小学."""
    found = _ORDINAL.match(base)
    return found is not None and not found[1]


def county_names(county: Iterable[str], names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of the county, with and without the word for county, the longest first.

    A county that the register does not name is the region with which many of its names begin.

    Parameters
    ----------
    county, names : iterable of str
        Names of the county and of the schools in the register.
    """
    written = {squeezed(name) for name in county}
    schools = [squeezed(name) for name in names]
    begins: dict[str, int] = {}
    for name in schools:
        found = _COUNTY_PREFIX.match(name)
        if found:
            begins[found[1]] = begins.get(found[1], 0) + 1
    needed = max(2.0, COMMON_PREFIX_SHARE * len(schools))
    written |= {name for name, count in begins.items() if count >= needed}
    forms = {form for name in written for form in place_forms(name)} - {""}
    return tuple(sorted(forms, key=lambda form: (-len(form), form)))


def place_forms(name: str) -> set[str]:
    """Return a region as written, and without its last word: 石桥镇 is 石桥, 龙岭瑶族自治县 also 龙岭县."""
    forms = {name}
    peoples = _PEOPLES.match(name)
    if peoples:
        forms |= {peoples[1], f"{peoples[1]}{peoples[2]}"}
    elif len(name) > 2:
        forms.add(_REGION.sub("", name))
    return forms


def town_forms(towns: Iterable[str]) -> dict[str, str]:
    """Return the ways to write each town, to its squeezed name, the longest first."""
    forms = {form: town for town in map(squeezed, towns) for form in place_forms(town) if len(form) > 1}
    return dict(sorted(forms.items(), key=lambda pair: (-len(pair[0]), pair[0])))


def endings(base: str) -> dict[str, Shortened]:
    """Return other ways to write a name, with the rule: "nearly" (one word more or less) or "short_name".

    Parameters
    ----------
    base : str
        Squeezed name without county, town and campus.
    """
    made: dict[str, Shortened] = {}
    rules: tuple[tuple[Shortened, str], ...] = (("nearly", "nearly"), ("short_name", "short"))
    for how, rule in rules:
        for written, *others in WORDS["endings"][rule]:
            if base.endswith(written):
                stem = base.removesuffix(written)
                if rule == "short" and not stem and len(written) < SHORTEST_ALONE:
                    continue
                for other in others:
                    made.setdefault(f"{stem}{other}", how)
    for short in _ordinals(base):
        made.setdefault(short, "short_name")
    if _VILLAGE.search(base) and is_alone(base) and not _ORDINAL.match(base):
        made.setdefault(f"{base.removesuffix('小学')}村小学", "nearly")
    made.pop(base, None)
    return {form: how for form, how in made.items() if len(form) >= 2}


def _ordinals(base: str) -> set[str]:
    """Return the short forms of a numbered school: 第2小学 is 2小, 第1初级中学 is 1中 or 1初中."""
    found = _ORDINAL.match(base)
    if not found:
        return set()
    place, digits, junior, kind = found.groups()
    letter = "小" if kind in ("小学", "完小") else "中"
    whole = "小学" if letter == "小" else "中学"
    tails = {f"{digits}{letter}", f"{digits}{whole}", f"第{digits}{letter}", f"第{digits}{whole}"}
    if letter == "小":
        tails |= {f"第{digits}完全小学", f"第{digits}完小", f"{digits}完小"}
    elif junior or kind == "初中":
        tails |= {f"第{digits}初中", f"{digits}初中", f"第{digits}初级中学"}
    places = {place, ""} if _OTHER_REGION.fullmatch(place) else {place}
    return {f"{before}{tail}" for before in places for tail in tails}
