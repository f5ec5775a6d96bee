"""Which schools may claim a written name: by the name in force or a former one, in full or shortened."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from toolkit.data.name_forms import (
    WORDS,
    county_names,
    endings,
    is_alone,
    is_ordinal,
    place_forms,
    squeezed,
    tidy_text,
    town_forms,
)

Source = Literal["current", "former", "linked"]

_SEVERAL = re.compile(r"[;；,，、/|\n]")
_CAMPUS = re.compile(r"^(.*?)(?:\(([^()]+校区)\)|(?<=[学校])([^()]{1,6}校区))$")
_SUPERIOR = re.compile(r"^(?:.{2,8}?(?:省|自治区|特别行政区))?(?:.{2,8}?(?:市|自治州|州|盟|地区))?$")
_BARE_COUNTY = re.compile(r"^(?:[本我全]?[县市区旗])(?=.*\d|.{3})")
_NEVER_SPLIT = frozenset(WORDS["never_split"])


@dataclass(frozen=True, slots=True)
class Claim:
    """A school's claim to a written base name.

    Attributes
    ----------
    code : str
        School.
    source : {"current", "former", "linked"}
        Name in force, former name, or old name in the links.
    town : str
        Town that the name says before the base, as squeezed; empty where the base is the whole name.
    own_town : str
        Town of the school in the register, squeezed.
    campus : str
        Campus that the name says, squeezed.
    rule : {"", "nearly", "short_name"}
        Empty for the base itself, else how its form was shortened.
    is_alone : bool
        The base tells the school without the town.
    is_county_level : bool
        The name says the county and no town.
    """

    code: str
    source: Source
    town: str
    own_town: str
    campus: str
    rule: Literal["", "nearly", "short_name"] = ""
    is_alone: bool = True
    is_county_level: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to take a written name apart: its county, town and base.

    Attributes
    ----------
    base : str
        What remains of the name.
    town : str
        Town, as squeezed in the register; empty where none is written.
    county : {"", "named", "bare"}
        Whether the county is written: by its name, or as 县, 市, 区 only.
    is_town_short : bool
        The town is written without its word for town.
    """

    base: str
    town: str = ""
    county: Literal["", "named", "bare"] = ""
    is_town_short: bool = False


class ClaimIndex:
    """The claims of a register's schools, by base name.

    Parameters
    ----------
    register : pandas.DataFrame
        Table `schools`.
    links : pandas.DataFrame or None
        Table `school_links`.
    """

    def __init__(self, register: pd.DataFrame, links: pd.DataFrame | None = None) -> None:
        known = register.dropna(subset=["school_id", "school_name"])
        self.counties = county_names(known["county_name"].dropna().unique(), known["school_name"])
        self.towns = town_forms(known["town"].dropna().unique())
        self._by_base: dict[str, list[Claim]] = {}
        self.labels: dict[str, str] = {}
        self._town_of: dict[str, str] = {}
        self._listed = set(known["school_name"].astype(str).str.strip())
        columns = (known[name] for name in ("school_id", "school_name", "former_names", "town"))
        for code, name, former, town in zip(*columns, strict=True):
            self._town_of[str(code)] = "" if pd.isna(town) else squeezed(str(town))
            self._add(str(code), str(name), "current")
            self.labels.setdefault(self.without_county(squeezed(str(name))), str(name).strip())
            for old in _SEVERAL.split("" if pd.isna(former) else str(former)):
                self._add(str(code), old, "former")
        if links is not None:
            self._add_links(links)
        in_force = [
            (base, one)
            for base, claims in self._by_base.items()
            for one in claims
            if one.source == "current" and not one.rule
        ]
        self.campuses = frozenset(one.campus for _, one in in_force) - {""}
        heads = {(base, one.town) for base, one in in_force if one.campus}
        self.with_campuses = frozenset(
            one.code for base, one in in_force if not one.campus and (base, one.town) in heads
        )

    def claims(self, base: str) -> list[Claim]:
        """Return all claims to a base name."""
        return self._by_base.get(base, [])

    def without_county(self, name: str) -> str:
        """Return a squeezed name without the county, unless too little would remain."""
        if any(name.startswith(town) for town in self.towns if town in self.towns.values()):
            return name
        for county in self.counties:
            rest = name.removeprefix(county)
            if rest != name and len(rest) >= 3:
                return rest
        return name

    def readings(self, name: str, town: str = "") -> list[Reading]:
        """Return the ways to take a squeezed name apart.

        Parameters
        ----------
        name : str
            Squeezed name.
        town : str
            Town told beside the name; readings with another one are left out.
        """
        whole = [Reading(name)]
        for county in self.counties:
            before, found, rest = name.partition(county)
            if found and len(rest) >= 2 and (not before or (len(county) > 2 and _SUPERIOR.match(before))):
                whole.append(Reading(rest, county="named"))
        bare = _BARE_COUNTY.sub("", name)
        if bare != name:
            whole.append(Reading(bare, county="bare"))
        split = [
            replace(one, base=one.base.removeprefix(form), town=full, is_town_short=form != full)
            for one in whole
            if one.county != "bare"
            for form, full in self.towns.items()
            if one.base.startswith(form) and one.base != form
        ]
        if not town:
            return whole + split
        return [replace(one, town=town) for one in whole] + [one for one in split if one.town == town]

    def written_forms(self) -> Iterable[tuple[str, str]]:
        """Give each full way to write a name, with county and town or without, and its school."""
        before = ["", *self.counties]
        for base, claims in self._by_base.items():
            for claim in claims:
                if claim.rule:
                    continue
                places = place_forms(claim.town or claim.own_town) - {""}
                if not claim.town or claim.is_alone:
                    places |= {""}
                for place in places:
                    for county in before:
                        yield f"{county}{place}{base}{claim.campus}", claim.code

    def names_by_code(self) -> Mapping[str, frozenset[str]]:
        """Return, for each school, the forms that stand for it alone, without the county."""
        names: dict[str, set[str]] = {code: set() for code in self._town_of}
        for base, claims in self._by_base.items():
            for claim in claims:
                own = names.setdefault(claim.code, set())
                own |= {f"{form}{base}{claim.campus}" for form in place_forms(claim.town) if claim.town}
                if claim.is_alone or not claim.town:
                    own.add(f"{base}{claim.campus}")
        return {code: frozenset(forms) for code, forms in names.items()}

    def _add_links(self, links: pd.DataFrame) -> None:
        """Let the old name of a renamed or merged school mean the school it became.

        A name that the register still lists is that of its own row, before the change and after.
        """
        names = ("from_school_name", "to_school_id", "link_kind")
        for old, code, kind in zip(*(links[name] for name in names), strict=True):
            if pd.isna(old) or pd.isna(code) or kind not in ("rename", "merge"):
                continue
            if str(old).strip() not in self._listed:
                self._add(str(code), str(old), "linked")

    def _add(self, code: str, name: str, source: Source) -> None:
        tidy = tidy_text(name)
        found = _CAMPUS.match(tidy)
        plain, campus = (found[1], squeezed(found[2] or found[3])) if found else (tidy, "")
        written = squeezed(plain)
        if not written:
            return
        own_town = self._town_of.get(code, "")
        whole = self.without_county(written)
        claim = Claim(code, source, "", own_town, campus, is_county_level=whole != written)
        town, base, is_full = self._split(whole, own_town)
        is_general = town != "" and base in _NEVER_SPLIT
        if town and not is_general:
            alone = is_full and is_alone(base) and not is_ordinal(base)
            claim = replace(claim, is_county_level=False)
            self._claim(base, replace(claim, town=town, is_alone=alone))
        self._claim(whole, claim, with_short=not is_general)

    def _claim(self, base: str, claim: Claim, *, with_short: bool = True) -> None:
        self._by_base.setdefault(base, []).append(claim)
        if not with_short and not claim.campus:
            return
        for form, rule in endings(base).items():
            alone = claim.is_alone and form not in _NEVER_SPLIT and (not claim.town or len(form) > 2)
            self._by_base.setdefault(form, []).append(replace(claim, rule=rule, is_alone=alone))

    def _split(self, whole: str, own_town: str) -> tuple[str, str, bool]:
        """Return town and base of a registered name that says its own town, and whether in full."""
        forms = place_forms(own_town) if len(own_town) > 1 else set()
        for form in sorted(forms, key=len, reverse=True):
            if len(form) > 1 and whole.startswith(form) and whole != form:
                return own_town, whole.removeprefix(form), form == own_town
        return "", whole, False
