"""Names of schools matched to codes of the register: rather unmatched than matched wrongly."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd
from rapidfuzz import fuzz, process
from rapidfuzz.distance import Levenshtein

from toolkit.data.text import arabic_numerals, visible
from toolkit.data.words import NAME_FILLERS, PLAIN_SCHOOL_NAMES

How = Literal[
    "exact", "normalised", "former_name", "linked_name", "short_name", "campus", "nearly", "unmatched"
]

NEAR_SCORE = 75.0
"""Similarity, out of 100, from which two names may be the same."""

NEAR_MARGIN = 4.0
"""Lead over the second-best school below which a near match is ambiguous."""

COMMON_PREFIX_SHARE = 0.3
"""Share of the register's names that begin with a county's name, when the register does not say it."""

_CAMPUS = re.compile(r"[(（【\[]?[东西南北中老新主本总]?(?:校区|校本部|本部)[)）】\]]?$")
_BRACKETED_CAMPUS = re.compile(r"[(（【\[][^()（）【】\[\]]*(?:校区|本部)[)）】\]]$")
_COUNTY_PREFIX = re.compile(r"^(.{1,8}?(?:自治县|县|区|市|旗))(?=.{2})")
_REGION = re.compile(r"(省|市|县|区|旗|自治县|镇|乡|街道|街道办事处)$")


@dataclass(frozen=True, slots=True)
class Found:
    """The school that a name stands for.

    Attributes
    ----------
    school_id : str
        Code; empty when unmatched.
    how : How
        The rule that matched.
    nearest : str
        Name in the register that is most like an unmatched one.
    """

    school_id: str
    how: How
    nearest: str = ""


def match_schools(
    names: Iterable[str], register: pd.DataFrame, links: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Match names to the codes of a register, by rules from the strictest to the loosest.

    A name that two schools could bear stays unmatched. Similar names match only when they differ by
    one word without meaning, such as 镇 or 完全; numerals, directions and the kind of school must agree.

    Parameters
    ----------
    names : iterable of str
        Names as written.
    register : pandas.DataFrame
        Table `schools`.
    links : pandas.DataFrame or None
        Table `school_links`, whose old names also count.

    Returns
    -------
    pandas.DataFrame
        `name`, `school_id` (missing when unmatched), `how` and `nearest`, one row per different name.
    """
    matcher = SchoolNames(register, links)
    found = {name: matcher.find(name) for name in dict.fromkeys(names)}
    return pd.DataFrame(
        {
            "name": pd.Series(list(found), dtype="str"),
            "school_id": pd.Series([match.school_id or None for match in found.values()], dtype="str"),
            "how": pd.Series([match.how for match in found.values()], dtype="str"),
            "nearest": pd.Series([match.nearest for match in found.values()], dtype="str"),
        }
    )


class SchoolNames:
    """The names of a register, prepared for matching.

    Parameters
    ----------
    register : pandas.DataFrame
        Table `schools`.
    links : pandas.DataFrame or None
        Table `school_links`.
    """

    def __init__(self, register: pd.DataFrame, links: pd.DataFrame | None = None) -> None:
        self._regions = _regions(register)
        self._exact: dict[str, set[str]] = {}
        self._normal: dict[str, set[str]] = {}
        self._former: dict[str, set[str]] = {}
        self._linked: dict[str, set[str]] = {}
        self._short: dict[str, set[str]] = {}
        self._labels: dict[str, str] = {}
        for code, name, former, town in zip(
            register["school_id"],
            register["school_name"],
            register["former_names"],
            register["town"],
            strict=True,
        ):
            if pd.isna(code) or pd.isna(name):
                continue
            self._add(str(code), str(name), "" if pd.isna(town) else str(town))
            for old in re.split(r"[;；,，、/|\n]", "" if pd.isna(former) else str(former)):
                if old.strip():
                    self._former.setdefault(self._normalise(old), set()).add(str(code))
        if links is not None:
            self._add_links(links)

    def find(self, name: str) -> Found:
        """Return the school of one name."""
        plain = visible(name)
        normal = self._normalise(plain)
        steps: tuple[tuple[How, Mapping[str, set[str]], str], ...] = (
            ("exact", self._exact, plain),
            ("normalised", self._normal, normal),
            ("former_name", self._former, normal),
            ("linked_name", self._linked, normal),
            ("short_name", self._short, normal),
        )
        for how, known, key in steps:
            codes = known.get(key, set())
            if len(codes) == 1:
                return Found(next(iter(codes)), how)
            if codes:
                return Found("", "unmatched", self._labels.get(normal, ""))
        return self._campus(plain) or self._nearly(normal)

    def names_of(self, code: str) -> frozenset[str]:
        """Return the normal forms of all names of a school."""
        tables = (self._normal, self._former, self._linked, self._short)
        return frozenset(name for table in tables for name, codes in table.items() if code in codes)

    def normal_form(self, name: str) -> str:
        """Return the form in which names are compared."""
        return self._normalise(name)

    def _add(self, code: str, name: str, town: str) -> None:
        plain = visible(name)
        self._exact.setdefault(plain, set()).add(code)
        normal = self._normalise(plain)
        self._labels.setdefault(normal, plain)
        forms = {normal}
        own_town = _normal_text(town)
        for prefix in {own_town, _REGION.sub("", own_town)} - {""}:
            base = normal.removeprefix(prefix)
            base = re.sub(r"^(镇|乡|街道)(?!小学$|中学$)", "", base) if base != normal else base
            if base != normal and base not in PLAIN_SCHOOL_NAMES and len(base) >= 4:
                forms.add(base)
            elif base == normal and len(own_town) > 1:
                forms.add(f"{own_town}{normal}")
        for form in forms:
            self._normal.setdefault(form, set()).add(code)
        for short in {short for form in forms for short in _short_names(form)}:
            self._short.setdefault(short, set()).add(code)

    def _add_links(self, links: pd.DataFrame) -> None:
        """Let the old name of a renamed or merged school mean the school it became."""
        for old, code, kind in zip(
            links["from_school_name"], links["to_school_id"], links["link_kind"], strict=True
        ):
            if not pd.isna(old) and not pd.isna(code) and kind in ("rename", "merge"):
                self._linked.setdefault(self._normalise(str(old)), set()).add(str(code))

    def _normalise(self, name: str) -> str:
        normal = _normal_text(name)
        for region in self._regions:
            rest = normal.removeprefix(region)
            if rest != normal and len(rest) >= 3:
                normal = rest
        return normal

    def _campus(self, plain: str) -> Found | None:
        """Match a campus to its school when the register knows no campus of that school."""
        written = _CAMPUS.sub("", _BRACKETED_CAMPUS.sub("", plain))
        base = self._normalise(written)
        if written == plain or not base:
            return None
        campuses = {code for name, codes in self._exact.items() if name.startswith(written) for code in codes}
        campuses = campuses or {
            code for name, codes in self._normal.items() if name.startswith(base) for code in codes
        }
        codes = self._exact.get(written) or self._normal.get(base, set())
        return Found(next(iter(codes)), "campus") if len(codes) == 1 and codes == campuses else None

    def _nearly(self, normal: str) -> Found:
        ranked = process.extract(normal, self._labels.keys(), scorer=fuzz.ratio, limit=4, score_cutoff=50)
        if not ranked:
            return Found("", "unmatched")
        best, score, _ = ranked[0]
        nearest = self._labels[best]
        codes = self._normal[best]
        rivals = [
            other
            for other, other_score, _ in ranked[1:]
            if self._normal[other] != codes and other_score > score - NEAR_MARGIN
        ]
        if score < NEAR_SCORE or len(codes) > 1 or rivals or not _differ_by_fillers(normal, best):
            return Found("", "unmatched", nearest)
        return Found(next(iter(codes)), "nearly", nearest)


def _normal_text(name: str) -> str:
    """Return a name half-width, in digits, without brackets, blanks and marks."""
    plain = unicodedata.normalize("NFKC", visible(name)).lower()
    plain = re.sub(r"[\s()\[\]【】「」“”\"'·.,，、-]+", "", plain)
    return arabic_numerals(plain)


def _regions(register: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the county, with and without the word for county, the longest first.

    A county that the register does not name is the region with which many of its names begin.
    """
    names = {_normal_text(str(name)) for name in register["county_name"].dropna().unique()}
    begins = register["school_name"].dropna().map(_normal_text).str.extract(_COUNTY_PREFIX)[0].value_counts()
    needed = max(2.0, COMMON_PREFIX_SHARE * register["school_name"].notna().sum())
    names |= set(begins.index[begins >= needed])
    names |= {_REGION.sub("", name) for name in names if len(name) > 2}
    return tuple(sorted(names - {""}, key=len, reverse=True))


def _short_names(name: str) -> set[str]:
    """Return the short forms of a name: 第二小学 is 二小, 实验中学 is 实验中 or 实中."""
    shorts = set()
    number = re.fullmatch(r"(.*?)第(\d+)(?:初级)?(小|中)学", name)
    if number:
        place, digits, kind = number.groups()
        shorts |= {
            f"{place}{digits}{kind}",
            f"{digits}{kind}",
            f"{place}{digits}{kind}学",
            f"第{digits}{kind}学",
        }
    if name.endswith("初级中学"):
        shorts.add(f"{name.removesuffix('初级中学')}初中")
    experimental = re.fullmatch(r"(.*?)实验(小|中)学", name)
    if experimental:
        shorts |= {
            f"{experimental.group(1)}实{experimental.group(2)}",
            f"{experimental.group(1)}实验{experimental.group(2)}",
        }
    if re.fullmatch(r".{2,}(小|中)学", name) and name not in PLAIN_SCHOOL_NAMES:
        shorts.add(name.removesuffix("学"))
    return {short for short in shorts if len(short) >= 2 and short not in PLAIN_SCHOOL_NAMES}


def _differ_by_fillers(one: str, other: str) -> bool:
    """Say whether one name is the other with one word more that means no other school."""
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    if re.findall(r"\d+", one) != re.findall(r"\d+", other):
        return False
    edits = Levenshtein.editops(shorter, longer).as_list()
    if not edits or any(edit[0] != "insert" for edit in edits):
        return False
    first, last = int(edits[0][2]), int(edits[-1][2])
    return last - first + 1 == len(edits) and longer[first : last + 1] in NAME_FILLERS
