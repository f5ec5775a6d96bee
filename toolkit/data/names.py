"""Names of schools matched to codes of the register: rather unmatched than matched wrongly."""

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
from rapidfuzz import fuzz, process

from toolkit.data.name_claims import Claim, ClaimIndex, Reading
from toolkit.data.name_forms import is_ordinal, squeezed
from toolkit.data.name_parts import MAIN, CellReader, Written
from toolkit.data.name_ranks import Candidate, How, contests, looser, ranked
from toolkit.data.name_typos import NearNames
from toolkit.data.text import visible

NEAREST_SCORE = 50.0
"""Similarity, out of 100, from which an unmatched name tells the registered one most like it."""


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

    A name that two schools could bear stays unmatched. What stands beside a name (purpose, time, post,
    class, school group) is left out; a slip of one character is overlooked where no other school is
    as near. Numerals, directions and the kind of school must agree.

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
        self._index = ClaimIndex(register, links)
        self._exact: dict[str, set[str]] = {}
        for code, name in register[["school_id", "school_name"]].dropna().itertuples(index=False):
            self._exact.setdefault(visible(str(name)), set()).add(str(code))
        towns = register["town"].dropna().astype(str).unique()
        self._reader = CellReader(self._index.counties, towns, self._index.campuses)
        self._near: NearNames | None = None
        self._names_by_code = None

    def find(self, name: str) -> Found:
        """Return the school of one name."""
        plain = visible(name)
        if not plain:
            return Found("", "unmatched")
        found = self._in_force(plain) or self._resolve(Written(squeezed(plain)))
        if found is None:
            written = self._reader.read(plain)
            found = written and (self._told(written) or self._behind_purpose(written) or self._slip(written))
        if found is None or not found.school_id:
            return Found("", "unmatched", self._nearest(plain))
        return found

    def names_of(self, code: str) -> frozenset[str]:
        """Return the normal forms of all names of a school."""
        if self._names_by_code is None:
            self._names_by_code = self._index.names_by_code()
        return self._names_by_code.get(code, frozenset())

    def normal_form(self, name: str) -> str:
        """Return the form in which names are compared."""
        return self._index.without_county(squeezed(name))

    def _in_force(self, plain: str) -> Found | None:
        """Return the school that bears exactly this name, unless another one bore it."""
        codes = self._exact.get(plain, set())
        if len(codes) != 1:
            return Found("", "unmatched") if codes else None
        claims = self._index.claims(self.normal_form(plain))
        rivals = {one.code for one in claims if one.source != "current" and not one.rule and not one.town}
        return Found(next(iter(codes)), "exact") if rivals <= codes else Found("", "unmatched")

    def _told(self, written: Written) -> Found | None:
        """Resolve a name read out of its cell, with the other name that brackets tell."""
        found = self._resolve(written)
        for other in (written.now, written.was):
            told = self._resolve(Written(other, is_former=other == written.was)) if other else None
            if told is None or not told.school_id:
                continue
            if found is None:
                found = told
            elif found.school_id != told.school_id:
                return Found("", "unmatched")
        return found

    def _behind_purpose(self, written: Written) -> Found | None:
        rest = self._reader.without_purpose(written)
        return self._told(rest) if rest else None

    def _slip(self, written: Written) -> Found | None:
        """Find a name with one slip, if no other school is as near."""
        if written.campus == MAIN or written.now or written.was:
            return None
        if self._near is None:
            self._near = NearNames(self._index.written_forms())
        for name in (written, self._reader.without_purpose(written)):
            code = self._near.find(f"{name.town}{name.name}{name.campus}") if name else ""
            if code:
                return Found(code, "slip")
        return None

    def _resolve(self, written: Written) -> Found | None:
        """Return the school of a name taken apart: no code where several claim it, None where none does."""
        candidates = [
            candidate
            for reading in self._index.readings(written.name, written.town)
            for candidate in self._candidates(reading, written)
        ]
        if not any(candidate.may_win for candidate in candidates):
            return self._campus_of_one(written)
        able = [one for one in candidates if one.may_win]
        best = min(able, key=lambda one: one.order)
        rivals = {one.claim.code for one in candidates if contests(one, best)}
        if rivals - {best.claim.code}:
            return Found("", "unmatched")
        how: How = best.how
        if written.campus == MAIN and best.claim.code not in self._index.with_campuses:
            how = "campus"
        beside: tuple[tuple[How, bool], ...] = (
            ("cleaned", written.is_cleaned),
            ("group_name", written.is_grouped),
        )
        for rule, holds in beside:
            how = looser(how, rule) if holds else how
        return Found(best.claim.code, how)

    def _candidates(self, reading: Reading, written: Written) -> list[Candidate]:
        """Return the claims that a reading allows."""
        claims = [one for one in self._index.claims(reading.base) if self._fits(one, reading, written.campus)]
        if written.campus == MAIN:
            claims = [one for one in claims if one.code in self._index.with_campuses] or claims
        if reading.county and not reading.town:
            level = [one for one in claims if one.is_county_level]
            level = level or [one for one in claims if not one.town]
            claims = level if level or reading.county == "bare" else claims
        if written.is_former:
            claims = [one for one in claims if one.source != "current"] or claims
        has_campus = written.campus not in ("", MAIN)
        return [ranked(one, reading, has_campus=has_campus) for one in claims]

    def _fits(self, claim: Claim, reading: Reading, campus: str) -> bool:
        """Say whether campus and town of a claim agree with what is written."""
        if claim.campus != ("" if campus == MAIN else campus):
            return False
        if not reading.town or claim.town == reading.town:
            return True
        is_own = not claim.town and claim.own_town == reading.town
        return is_own and not (claim.is_county_level and (claim.rule or is_ordinal(reading.base)))

    def _campus_of_one(self, written: Written) -> Found | None:
        """Match a campus to its school when the register knows no campus of that school."""
        if not written.campus or written.campus == MAIN:
            return None
        main = self._resolve(Written(written.name, town=written.town))
        if main is None or not main.school_id:
            return None
        return None if main.school_id in self._index.with_campuses else Found(main.school_id, "campus")

    def _nearest(self, plain: str) -> str:
        ranked = process.extractOne(
            self.normal_form(plain), self._index.labels.keys(), scorer=fuzz.ratio, score_cutoff=NEAREST_SCORE
        )
        return self._index.labels[ranked[0]] if ranked else ""
