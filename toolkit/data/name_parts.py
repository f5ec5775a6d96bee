"""What one cell with a school's name says: the name, its campus and town, and what is beside the name."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from toolkit.data.name_forms import WORDS, squeezed, tidy_text, town_forms

MAIN = "main"
"""Stands for the campus where the main school is."""


LONGEST_CAMPUS = 4
"""Characters before 校区 up to which a part beside a name is a campus and no school."""


def _any(words: Iterable[str]) -> str:
    return "|".join(re.escape(word) for word in sorted(set(words), key=len, reverse=True))


_DAY = r"(?:19|20)\d{2}(?:(?:[./-]|年)\d{1,2}(?!\d)(?:(?:[./-]|月)\d{1,2}(?!\d)日?|月)?|年)?"
_TIME = re.compile(
    rf"(?:自|从|于)?{_DAY}(?:(?:至|到|-|~|—|–|--)(?:{_DAY}|今))?(?:学年(?:度)?|[春秋]季?(?:学期)?|[上下]半年|[上下]学期)?"
    r"(?:第[12]学期)?(?:起始|起|始|以来|至今|开始)?"
)
_LABEL = re.compile(rf"^(?:{_any(WORDS['labels'])})[:：]")
_CLASS = (
    rf"(?:\d{{1,2}}年级(?:\(?\d+\)?班)?(?:{_any(WORDS['subjects'])})?|[1-9初高小]\d?\(\d+\)班?|\d{{1,4}}班)"
)
_SUBJECT_WORK = rf"(?:{_any(WORDS['subjects'])})(?:教研组|备课组|组|教师|老师|学科)?"
_SPAN = r"(?:满|共)?(?:半|两|\d+(?:\.5)?)(?:个)?(?:学年|学期|年|月)"
_PURPOSE = rf"(?:{_any(WORDS['purposes'])})(?:教师|老师|人员|期间|岗位|{_SPAN})?"
_BESIDE = (
    rf"(?:{_PURPOSE}|{_SPAN}|{_any(WORDS['states'])}|{_any(WORDS['posts'])}|{_any(WORDS['units'])}"
    rf"|{_CLASS}|{_SUBJECT_WORK})"
)
_ONLY_BESIDE = re.compile(rf"(?:{_BESIDE})+")
_AFTER = re.compile(rf"^(.*?(?:小学|中学|学校|教学点|校区|初中|中心校|[小中]|校|本部))(?:{_BESIDE})+$")
_BEFORE = re.compile(rf"^(?:{_any(WORDS['purposes_before'])})(?=.{{4}})")
_BRACKET = re.compile(r"\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_SEPARATOR = re.compile(r"[,;、。|/\\*#_~→—–·•:.-]+")
_WRAPPER = re.compile(r"[“”\"'‘’`《》<>〈〉]+")
_MARKS = ",;、。|/\\*#_~→—–·•:.-"
_YEAR = re.compile(r"(?:19|20)\d{2}")
_CLASS_IN_BRACKETS = re.compile(r"[1-9初高]\d?\(\d+\)班")
_ROLE = rf"(?:{_any(WORDS['group_roles'])})?"
_GROUP = re.compile(rf"^(?P<head>.*?)(?:{_any(WORDS['groups'])}){_ROLE}(?P<rest>.*)$")
_CAMPUS_END = re.compile(rf"(?:{_any(WORDS['campus_ends'])})$")
_MAIN_CAMPUS = rf"(?<!学)校本部|{_any(set(WORDS['main_campus']) - {'校本部'})}"
_WRITTEN_CAMPUS = re.compile(rf"^(.+?)({_MAIN_CAMPUS}|[东西南北中新]?校区)$")
_FORMERLY = re.compile(r"原|旧|旧称|曾用名|旧名|原名|原校名")


@dataclass(frozen=True, slots=True)
class Written:
    """A name as a clerk would read it out of its cell.

    Attributes
    ----------
    name : str
        Squeezed name, with its county and town if they stand in it, without campus.
    campus : str
        Squeezed campus as written; `MAIN` for the main school; empty where none is written.
    town : str
        Town that stands beside the name, squeezed.
    now, was : str
        Name in force and former name, where brackets tell them.
    is_former : bool
        Marked as a former name.
    is_cleaned, is_grouped : bool
        Something beside the name was left out; a school group or zone was.
    """

    name: str
    campus: str = ""
    town: str = ""
    now: str = ""
    was: str = ""
    is_former: bool = False
    is_cleaned: bool = False
    is_grouped: bool = False


@dataclass(slots=True)
class _Said:
    """What the parts of a cell have told so far; `head` is the school that leads a group."""

    found: Written
    head: str = ""


class CellReader:
    """Takes names out of their cells, knowing the county's towns and campuses.

    Parameters
    ----------
    counties : tuple of str
        Names of the county, the longest first.
    towns : iterable of str
        Towns of the register, as written.
    campuses : iterable of str
        Campuses of the register, squeezed.
    """

    def __init__(self, counties: tuple[str, ...], towns: Iterable[str], campuses: Iterable[str]) -> None:
        self._counties = frozenset(counties)
        self.towns = town_forms(towns)
        names = _any(self.towns) or "(?!)"
        heads = _any([*WORDS["zones"], *WORDS["zone_heads"]])
        self._zone = re.compile(rf"^({names})(?:{heads})(.*)$")
        self._only_zone = re.compile(rf"^({names})(?:{_any(WORDS['zones'])})$")
        self._campuses = frozenset(campuses)
        known = _any(self._campuses) or "(?!)"
        self._campus = re.compile(rf"^(.+?)({known})$")

    def read(self, text: str) -> Written | None:
        """Return the name that a cell tells; None where it tells none, or two."""
        tidy = _WRAPPER.sub("", tidy_text(text))
        plain = _LABEL.sub("", tidy).strip(_MARKS)
        cut = _CLASS_IN_BRACKETS.sub("|", plain)
        cut = _TIME.sub("|", cut) if _YEAR.search(cut) else cut
        said = _Said(Written("", is_cleaned=cut != tidy))
        inside = [part for part in _BRACKET.findall(cut) if not self._is_beside(said, part, in_brackets=True)]
        parts = _SEPARATOR.split(_BRACKET.sub("|", cut))
        outside = [part for part in parts if not self._is_beside(said, part)]
        name = _one_name(outside, inside) or (said.head if said.found.campus else "")
        if not name:
            return None
        is_cleaned = said.found.is_cleaned or len(outside) > 1
        is_cleaned = is_cleaned or name != _once(name)
        return self._inner(replace(said.found, name=_once(name), is_cleaned=is_cleaned))

    def _is_beside(self, said: _Said, part: str, *, in_brackets: bool = False) -> bool:
        """Take what stands beside a name; say whether the part was anything but a name."""
        plain = squeezed(part)
        zone, group = self._only_zone.match(plain), _GROUP.match(plain)
        if plain in self.towns:
            said.found = replace(said.found, town=self.towns[plain])
        elif zone:
            said.found = replace(said.found, town=self.towns[zone[1]], is_grouped=True)
        elif group and not group["rest"]:
            said.head = group["head"]
            said.found = replace(said.found, is_grouped=True)
        elif _FORMERLY.fullmatch(plain):
            said.found = replace(said.found, is_former=True)
        elif in_brackets and plain[:1] == "现" and len(plain) > 3:
            said.found = replace(said.found, now=plain.lstrip("现名为称"), is_former=True)
        elif in_brackets and plain[:1] in ("原", "曾") and len(plain) > 3:
            said.found = replace(said.found, was=plain.lstrip("原曾名为称"))
        elif _ONLY_BESIDE.fullmatch(plain):
            said.found = replace(said.found, is_cleaned=True)
        elif self._is_campus(plain, in_brackets=in_brackets):
            said.found = replace(said.found, campus=MAIN if plain in WORDS["main_campus"] else plain)
        else:
            return plain == "" or plain in self._counties
        return True

    def _is_campus(self, plain: str, *, in_brackets: bool) -> bool:
        """Say whether a part is a campus without its school."""
        if plain in self._campuses or plain in WORDS["main_campus"]:
            return True
        place = _CAMPUS_END.sub("", plain)
        if place == plain or _looks_like_school(place):
            return False
        return in_brackets or (len(place) <= LONGEST_CAMPUS and not self._campus.match(plain))

    def _inner(self, found: Written) -> Written:
        """Take what stands in the name itself without a mark: group, zone, purpose, post, campus."""
        name = found.name
        group = _GROUP.match(name)
        if group:
            said = _Said(replace(found, is_grouped=True))
            name = group["rest"]
            if self._is_beside(said, name):
                name = group["head"] if said.found.campus else ""
            found = said.found
        zone = self._zone.match(name)
        if zone and len(zone[2]) >= 3 and _looks_like_school(zone[2]):
            found, name = replace(found, town=self.towns[zone[1]], is_grouped=True), zone[2]
        after = _AFTER.match(name)
        if after and after[1] != name:
            found, name = replace(found, is_cleaned=True), after[1]
        if name.startswith("原") and len(name) > 3:
            found, name = replace(found, is_former=True), name[1:]
        if not found.campus:
            campus = self._campus.match(name) or _WRITTEN_CAMPUS.match(name)
            if campus:
                main = campus[2] in WORDS["main_campus"]
                found, name = replace(found, campus=MAIN if main else campus[2]), campus[1]
        return replace(found, name=name)

    def without_purpose(self, found: Written) -> Written | None:
        """Return the name behind 到, 赴 and the like, which may also begin a name."""
        rest = _BEFORE.sub("", found.name)
        return replace(found, name=rest, is_cleaned=True) if rest != found.name else None


def _one_name(outside: list[str], inside: list[str]) -> str:
    """Return the name among the parts of a cell; empty where there are two or none."""
    names = list(dict.fromkeys(outside))
    if not names:
        names, inside = list(dict.fromkeys(inside)), []
    if sum(map(_looks_like_school, names)) > 1:
        return ""
    return squeezed("".join([*names, *inside]))


def _once(text: str) -> str:
    """Return a text that stands twice in its cell once."""
    half = len(text) // 2
    return text[:half] if len(text) > 5 and len(text) % 2 == 0 and text[:half] == text[half:] else text


def _looks_like_school(text: str) -> bool:
    return re.search(r"小学|中学|学校|教学点|完小|初中|[小中校]$", text) is not None
