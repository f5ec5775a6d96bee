"""Write the registers and the 2,000 written names of schools with their right answers; needs Python alone."""

import csv
import hashlib
import itertools
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

HERE = Path(__file__).parent
LISTS = tomllib.loads((HERE / "lists.toml").read_text(encoding="utf-8"))
# Rows with and without an answer. Kinds whose candidates are few come first: a text belongs to the first kind
# that asks for it.
QUOTAS = {
    "same_name_two_towns": (105, 70),
    "former_name": (159, 1),
    "typo_to_another_school": (80, 85),
    "campus": (95, 60),
    "group_prefix": (110, 40),
    "short_name": (170, 0),
    "ambiguous_short_name": (0, 140),
    "outside": (0, 165),
    "typo_resolvable": (165, 0),
    "width_digits_brackets": (145, 0),
    "prefix": (135, 0),
    "typed_extra": (130, 20),
    "exact_with_noise": (125, 0),
}
DIGITS = dict(zip("一二三四五六七八九", "123456789", strict=True)) | {"十": "10", "十一": "11", "十二": "12"}
NUMERALS = {digits: numeral for numeral, digits in DIGITS.items()}
ORDINAL = re.compile(r"第([一二三四五六七八九十]{1,2}|\d{1,2})(?=小学|中学|初级|完全)")
# What a general name most likely stands for where a town has it.
PLAIN_RESTS = {
    "学校": ("学校", "九年一贯制学校", "中心学校", "民族学校"),
    "中学": ("中学", "初级中学"),
    "初中": ("中学", "初级中学"),
    "小学": ("小学",),
}
ENDINGS = "小学|中学|初级|中心|完全|完小|学校|第|实验|九年|联校"


@dataclass(frozen=True)
class School:
    """One line of a register."""

    county: "County" = field(repr=False)
    number: int
    name: str
    town: str
    former: tuple[str, ...]
    further: tuple[str, ...]

    @property
    def id(self) -> str:
        return f"{self.county.code}{self.number * 7 + 1001:04d}"

    @property
    def base(self) -> str:
        return self.name.split("（")[0]

    @property
    def campus(self) -> str:
        return self.name.partition("（")[2].rstrip("）")

    @property
    def core(self) -> str:
        return self.county.without_county(self.name)

    @property
    def is_secondary(self) -> bool:
        return "中学" in self.name or "九年" in self.name


@dataclass(frozen=True)
class Row:
    """One written name before it is chosen."""

    county: str
    written: str
    answer: str
    kind: str
    note: str


@dataclass(frozen=True, eq=False)
class County:
    """A county with its schools, and which of them a text may mean."""

    code: str
    province: str
    city: str
    name: str
    short: str
    groups: tuple[str, ...]
    between: tuple[str, ...]
    ambiguous: tuple[str, ...]
    lines: str
    merged_lines: str

    @cached_property
    def schools(self) -> tuple[School, ...]:
        town, found = "", []
        for line in filter(None, map(str.strip, self.lines.splitlines())):
            if line.startswith("="):
                town = line.removeprefix("=").strip()
                continue
            name, former, further = (*(part.strip() for part in line.split("|")), "", "")[:3]
            names = tuple(part for part in former.split("；") if part)
            found.append(School(self, len(found), name, town, names, tuple(further.split())))
        return tuple(found)

    @cached_property
    def merged(self) -> tuple[tuple[str, School, str], ...]:
        """Name of the closed school, the school that took it in, day."""
        by_name = {school.name: school for school in self.schools}
        lines = (line.split("|") for line in self.merged_lines.splitlines() if line)
        return tuple((old.strip(), by_name[new.strip()], day.strip()) for old, new, day in lines)

    @cached_property
    def towns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(school.town for school in self.schools))

    @property
    def prefixes(self) -> tuple[str, ...]:
        whole = f"{self.city}{self.name}"
        return (f"{self.province}{whole}", whole, self.name, f"{self.short}{self.name[-1]}")

    def without_county(self, name: str) -> str:
        for prefix in self.prefixes:
            if name.startswith(prefix):
                return name.removeprefix(prefix)
        return name

    @cached_property
    def names(self) -> dict[str, set[School]]:
        """Names in force, former and merged, with and without the county, to the schools that bear them."""
        found: dict[str, set[School]] = defaultdict(set)
        for school in self.schools:
            for name in (school.name, *(old.split("@")[0] for old in school.former)):
                found[plain(name)].add(school)
                found[plain(self.without_county(name))].add(school)
        for old, school, _ in self.merged:
            found[plain(old)].add(school)
            found[plain(self.without_county(old))].add(school)
        return found

    @cached_property
    def meanings(self) -> dict[str, set[School]]:
        """Every text somebody may use for a school, to the schools it may mean."""
        found: dict[str, set[School]] = defaultdict(set)
        for form, schools in self.names.items():
            found[form] |= schools
        for school in self.schools:
            for form in itertools.chain(forms(school), loose_forms(school)):
                found[plain(form)].add(school)
        for old, school, _ in self.merged:
            for form in name_forms(self, old, school.town):
                found[plain(form)].add(school)
        return found

    def meant(self, text: str) -> set[School]:
        """Schools a careful clerk thinks of: those of that very name, else all a short form may mean."""
        form = plain(text)
        whole = {school for school in self.schools if plain(school.name) == form}
        return self.names[form] if whole else self.meanings.get(form, set())

    def distances(self, text: str) -> dict[School, int]:
        """Fewest one-character changes from the text to any name of each school."""
        form, found = plain(text), {}
        signs = frozenset(form)
        for name, schools in self.meanings.items():
            # Each sign that only one of the two has costs a change.
            if abs(len(name) - len(form)) > 2 or max(len(signs.difference(name)), len(set(name) - signs)) > 2:
                continue
            steps = edits(form, name)
            for school in schools:
                found[school] = min(steps, found.get(school, 9))
        return found


def plain(text: str) -> str:
    """Compare texts without brackets, blanks and the two ways to write an ordinal."""
    return ORDINAL.sub(lambda hit: "第" + NUMERALS.get(hit[1], hit[1]), re.sub(r"[（）()\s　·-]", "", text))


def edits(left: str, right: str) -> int:
    """Levenshtein distance."""
    above = list(range(len(right) + 1))
    for row, first in enumerate(left, 1):
        current = [row]
        for column, second in enumerate(right, 1):
            current.append(min(above[column] + 1, current[-1] + 1, above[column - 1] + (first != second)))
        above = current
    return above[-1]


def short_town(town: str) -> str:
    """Town without its kind."""
    return re.sub("(镇|乡|街道)$", "", town)


def short_rests(rest: str, of_county: bool) -> list[str]:
    """Short forms of a name without county and town."""
    found = []
    # A county's "一中" is its senior school, which these registers do not hold.
    junior = ("{}初中", "第{}初中") if of_county else ("{}初中", "第{}初中", "{}中", "第{}中学")
    if hit := re.fullmatch(r"第(\S+?)(小学|中学|完全小学|初级中学)", rest):
        numeral = NUMERALS.get(hit[1], hit[1])
        patterns = {
            "小学": ("{}小",),
            "中学": ("{}中",),
            "完全小学": ("{}完小", "第{}完小"),
            "初级中学": junior,
        }
        found += [pattern.format(numeral) for pattern in patterns[hit[2]]]
    for ending, shorter in (
        ("实验小学", ["实小"]),
        ("实验中学", ["实中", "实验中"]),
        ("中心小学", ["中心校", "中心小", "中心学校", "中心完小"]),
        ("中心学校", ["中心校"]),
        ("中心校", ["中心小学", "中心学校"]),
        ("特殊教育学校", ["特校", "特教学校", "特教"]),
        ("村完全小学", ["完小", "村小学", "小学", "完全小学", "村完小"]),
        ("完小", ["完全小学", "小学"]),
        ("村教学点", ["教学点", "小学教学点", "村小学教学点"]),
        ("教学点", ["小学教学点", "村教学点"]),
        ("村小学", ["小学", "村小"]),
        ("九年一贯制学校", ["九年制学校", "九年一贯制", "九年一贯学校"]),
        ("外国语学校", ["外国语", "外校"]),
        ("外国语小学", ["外小", "外语小学"]),
        ("民族小学", ["民小"]),
        ("民族中学", ["民中"]),
        ("子弟学校", ["子校"]),
    ):
        if rest.endswith(ending):
            found += [rest.removesuffix(ending) + one for one in shorter]
            break
    if rest == "初级中学":
        found += ["初中"] if of_county else ["初中", "中学"]
    if rest == "中学":
        found += ["初中", "初级中学"]
    return found


def name_forms(county: County, name: str, town: str) -> Iterator[str]:
    """Forms of one name: county and town before it or not, long or short."""
    core, brief = county.without_county(name), short_town(town)
    places = ("", *county.prefixes, county.short)
    if core.startswith(town):
        heads = [place + seat for place in places for seat in (town, brief)] + [""]
        rest = core.removeprefix(town)
    elif re.match(f"{brief}({ENDINGS})", core):
        heads = [place + seat for place in places for seat in (town, brief)]
        rest = core.removeprefix(brief)
    elif core.startswith(f"{county.city}第"):
        heads = ["", county.city, county.province + county.city]
        rest = core.removeprefix(county.city)
    else:
        seats = (place + seat for place in places for seat in (town, brief))
        heads = [*places, *seats, county.name[-1]]
        rest = core
    of_county = name != core and not core.startswith((town, brief))
    return (head + tail for head in heads for tail in (rest, *short_rests(rest, of_county)))


def forms(school: School) -> Iterator[str]:
    """Texts that a clerk reads as this school, if no other claims them."""
    yield from forms_in_force(school)
    for old in school.former:
        yield from name_forms(school.county, old.split("@")[0], school.town)


def forms_in_force(school: School) -> Iterator[str]:
    """Forms of the present name."""
    for base in itertools.chain(name_forms(school.county, school.base, school.town), school.further):
        yield base + school.campus
        if school.campus:
            yield school.campus + base


def loose_forms(school: School) -> Iterator[str]:
    """Texts too general to be sure of a school where there are others like it."""
    if school.campus:
        # With a main school in the register the plain name is that school's.
        if all(other.name != school.base for other in school.county.schools):
            yield from name_forms(school.county, school.base, school.town)
        return
    if "外国语" in school.name:
        yield from ("外国语", f"{school.county.short}外国语")
    for seat in (school.town, short_town(school.town)):
        yield f"{seat}学校"
        if school.is_secondary:
            yield from (f"{seat}中学", f"{seat}初中", f"{seat}初级中学")
        elif school.core.startswith(short_town(school.town)):
            yield f"{seat}小学"
    if school.core.endswith(("中心小学", "中心学校", "中心校")):
        yield from ("中心小学", "中心校", "中心学校", "镇中心小学", "乡镇中心校", "中心完小")
    if "九年" in school.name:
        yield from (f"{short_town(school.town)}中学", f"{school.town}中学", f"{short_town(school.town)}初中")
        yield from ("九年一贯制学校", "九年制学校")
    if school.is_secondary:
        yield from ("初中", "中学", "镇中学", "镇初中")
        if school.name.endswith("初级中学"):
            yield "初级中学"


def certain(school: School, text: str) -> bool:
    """Whether the text means this school alone."""
    return school.county.meant(text) == {school}


def sure_base(school: School) -> list[str]:
    """The register's name and the one without the county, where they mean this school alone."""
    return [name for name in dict.fromkeys((school.name, school.core)) if certain(school, name)]


def same_name_two_towns(county: County) -> Iterator[Row]:
    """Schools of one name in two towns: an answer only where the town is written."""
    by_rest = defaultdict(list)
    for school in county.schools:
        by_rest[school.core.removeprefix(school.town)].append(school)
    for rest, twins in by_rest.items():
        if len(twins) != 2 or rest.startswith(("中心", "初级", "九年", "第")):
            continue
        row = kind_row(county, "same_name_two_towns")
        heads = ("", county.name, f"{county.city}{county.name}", county.short)
        for written in (*(head + rest for head in heads), f"{rest}（支教）"):
            if len(county.meant(written)) != 1:
                yield row(written, "", "no town")
        for town in county.towns:
            if town not in {twin.town for twin in twins} and not county.meant(town + rest):
                yield row(town + rest, "", "a third town")
        for twin in twins:
            brief = short_town(twin.town)
            heads = (twin.town, brief, f"{county.name}{twin.town}", f"{county.short}{brief}", f"{twin.town} ")
            tails = (f"（{twin.town}）", f"({brief})", f"，{twin.town}")
            for written in (*(head + rest for head in heads), *(rest + tail for tail in tails)):
                yield row(written, twin.id, "with its town")


def former_name(county: County) -> Iterator[Row]:
    """Names no longer in force."""
    row = kind_row(county, "former_name")
    old_names = [(old.split("@")[0], school, "renamed") for school in county.schools for old in school.former]
    old_names += [(old, school, "merged: by the links alone") for old, school, _ in county.merged]
    for old, school, note in old_names:
        core = county.without_county(old)
        if any(old in (other.name, other.core) for other in county.schools):
            yield row(old, "", "former name of one, name in force of another: only a day would tell")
        if not certain(school, old):
            continue
        spare = core.removeprefix(school.town)
        heads = ("", "原", county.name, county.short)
        writings = [old, *(head + core for head in heads), f"{core}（现{school.core}）", f"{core}（原）"]
        if old == core and "镇" not in core and "乡" not in core:
            writings.append(school.town + core)
        elif certain(school, spare):
            writings.append(spare)
        for written in writings:
            if not county.meant(written) - {school}:
                yield row(written, school.id, note)


def typo_to_another_school(county: County) -> Iterator[Row]:
    """Names one slip from a school that are another's, or as near to another."""
    row = kind_row(county, "typo_to_another_school")
    for left, right in itertools.permutations(county.schools, 2):
        if left.campus or right.campus or edits(left.core, right.core) != 1:
            continue
        for written in written_names(right):
            if certain(right, written):
                yield row(written, right.id, f"one character from {left.name}")
        if len(left.core) == len(right.core):
            pairs = enumerate(zip(left.core, right.core, strict=True))
            place, sign = next((at, pair[0]) for at, pair in pairs if pair[0] != pair[1])
            for unread in ("", "？") if sign not in "小中" else ():
                written = left.core[:place] + unread + left.core[place + 1 :]
                yield from as_near(row, county, written, "the telling character is missing")
    for written in county.between:
        yield from as_near(row, county, written, "between two schools")
        yield from as_near(row, county, county.name + written, "between two schools")
    yield from not_in_register(row, county)


def as_near(row, county: County, written: str, note: str) -> Iterator[Row]:
    """An empty answer if at least two schools are one slip away and none bears the name."""
    near = [school for school, steps in county.distances(written).items() if steps <= 1]
    if len(near) >= 2 and not county.meant(written):
        yield row(written, "", note)


def not_in_register(row, county: County) -> Iterator[Row]:
    """Ordinals and directions of which the register has others: another school, no slip."""
    for school in county.schools:
        if school.campus:
            continue
        for name in (school.core, school.name):
            for numeral, digits in DIGITS.items():
                other = numeral if not re.search(r"第\d", name) else digits
                swapped = ORDINAL.sub(f"第{other}", name)
                if swapped != name and not county.meant(swapped):
                    yield row(swapped, "", "an ordinal the register does not have")
        rest = school.core.removeprefix(school.town).removeprefix(short_town(school.town))
        for sides in ("东西南北", "上下", "前后"):
            for side, other in itertools.permutations(sides, 2):
                swapped = school.core.removesuffix(rest) + rest.replace(side, other)
                if side in rest and county.short not in rest and not county.meant(swapped):
                    yield row(swapped, "", "a direction the register does not have")


def written_names(school: School) -> list[str]:
    """The name in the register, without the county, and a village school's with its town."""
    names = [school.name, school.core]
    # Schools of the county are no schools of its seat, which may number its own.
    if school.name == school.core or school.core.startswith(school.town):
        names.append(school.town + school.core.removeprefix(school.town))
    return list(dict.fromkeys(names))


def campus(county: County) -> Iterator[Row]:
    """Campuses of their own code, the main school, and campuses nobody knows."""
    row, lists = kind_row(county, "campus"), LISTS["campus"]
    for school in county.schools:
        if not school.campus:
            continue
        siblings = {other for other in county.schools if other.base == school.base}
        main = next((other for other in siblings if not other.campus), None)
        bases = [school.base, county.without_county(school.base), *short_bases(school)]
        for base, pattern in itertools.product(dict.fromkeys(bases), lists["forms"]):
            if certain(school, base + school.campus):
                yield row(pattern.format(base=base, campus=school.campus), school.id, "campus of its own")
        for base in bases[:2]:
            for pattern in lists["main"]:
                if main and certain(main, main.name):
                    yield row(pattern.format(base=base), main.id, "main school")
            for pattern, other in itertools.product(lists["unknown"], lists["other"]):
                yield row(pattern.format(base=base, other=other), "", "a campus the register does not have")
            if len(siblings) > 2 or not main:
                for pattern in lists["bare"]:
                    yield row(pattern.format(base=base), "", "which campus?")
            if not main:
                yield row(base, "", "which campus?")
        if school.name == school.core and not main:
            yield row(school.base, "", "which campus?")


def short_bases(school: School) -> list[str]:
    """Short forms of the school a campus belongs to."""
    county, base = school.county, school.county.without_county(school.base)
    head = school.town if base.startswith(school.town) else ""
    rests = short_rests(base.removeprefix(head), of_county=not head)
    return [short_town(head) + rest for rest in rests[:2]] + (
        [county.short + rests[0]] if rests and not head else []
    )


def group_prefix(county: County) -> Iterator[Row]:
    """A school behind the name of its school group or school zone."""
    row, lists = kind_row(county, "group_prefix"), LISTS["group_prefix"]
    for school, group, pattern in itertools.product(county.schools, county.groups, lists["member"]):
        # A village school's core without the town may be another's.
        if certain(school, school.core) and not school.is_secondary and "教学点" not in school.name:
            yield row(pattern.format(group=group, core=school.core), school.id, "member of a school group")
    for school, pattern in itertools.product(county.schools, lists["zone"]):
        village = school.core.removeprefix(school.town)
        if certain(school, school.town + village) and "中心" not in village and not village.startswith("第"):
            if (
                school.town == county.towns[0]
                or school.campus
                or school.is_secondary
                or school.town.endswith("街道")
            ):
                continue
            text = pattern.format(town=school.town, short_town=short_town(school.town), core=village)
            yield row(text, school.id, "school zone of its town")
    for school in county.schools:
        if school.campus and "实验小学" in school.base:
            for group in (f"{county.name}实验小学教育集团", "实验小学教育集团", "实小教育集团", "实小集团"):
                yield row(f"{group}{school.campus}", school.id, "campus of the leading school")
                yield row(f"{group}（{school.campus}）", school.id, "campus of the leading school")
    for group, pattern in itertools.product(county.groups, lists["alone"]):
        yield row(pattern.format(group=group), "", "a school group, no school")
    for town, pattern in itertools.product(county.towns[1:], lists["zone_alone"]):
        yield row(pattern.format(town=town, short_town=short_town(town)), "", "a school zone, no school")


def short_name(county: County) -> Iterator[Row]:
    """Short forms that mean one school."""
    row = kind_row(county, "short_name")
    for school in county.schools:
        if school.campus:
            continue
        brief, core = short_town(school.town), school.core
        texts: list[str] = list(school.further)
        if core.startswith(brief) and re.match(f"({school.town}|{brief})({ENDINGS})", core):
            rest = (
                core.removeprefix(school.town) if core.startswith(school.town) else core.removeprefix(brief)
            )
            for tail in (rest, *short_rests(rest, of_county=False)):
                texts += [brief + tail, school.town + tail, county.short + brief + tail]
            if school.is_secondary:
                texts += [f"{brief}中学", f"{brief}初中"]
        else:
            rest = core.removeprefix(school.town)
            heads = (
                ["", county.short, county.name, county.name[-1]]
                if school.name != core
                else ["", school.town, brief]
            )
            for tail in short_rests(rest, of_county=school.name != core):
                texts += [head + tail for head in (heads if rest == core else (school.town, brief))]
        for text in texts:
            if certain(school, text) and plain(text) not in {plain(school.name), plain(core)}:
                yield row(text, school.id, "short form")


def ambiguous_short_name(county: County) -> Iterator[Row]:
    """Short forms that may mean several schools."""
    row = kind_row(county, "ambiguous_short_name")
    shared = defaultdict(set)
    for school in county.schools:
        for form in itertools.chain(forms_in_force(school), loose_forms(school)):
            shared[plain(form)].add(school)
    for form, schools in shared.items():
        if form not in county.names and len(form) <= 8 and is_open(form, schools):
            general = form.endswith(("学校", "中学", "小学", "初中"))
            yield row(form, "", "general name" if general else f"{len(schools)} schools share it")
    for form in county.ambiguous:
        if not county.meant(form) or len(county.meant(form)) > 1:
            yield row(form, "", "too short to tell")


def is_open(form: str, schools: set[School]) -> bool:
    """Whether no school is the likely, though not the certain, reading: then it would be no fair question."""
    named = {short_town(school.town) for school in schools if short_town(school.town) in form}
    rests = []
    for school in schools:
        rest = school.core.removeprefix(school.town).removeprefix(short_town(school.town))
        # "石桥学校" is none of the town's villages, and "石桥二小" no school of the county that stands there.
        own = re.match(ENDINGS, rest) and (form[-2:] in PLAIN_RESTS or short_town(school.town) in school.core)
        if own or not named:
            rests.append(rest)
    plainest = [rest for rest in rests if rest in PLAIN_RESTS.get(form[-2:], ())]
    return len(rests) > 1 and len(plainest) != 1


def outside(county: County) -> Iterator[Row]:
    """Schools of other counties and units that are no schools of the register."""
    row, lists = kind_row(county, "outside"), LISTS["outside"]
    values = {"county": county.name, "short": county.short, "city": county.city}
    for sort in ("offices", "schools", "empty", "far"):
        for pattern in lists[sort]:
            yield row(pattern.format(**values), "", sort)
    for town, pattern in itertools.product(county.towns, lists["towns"]):
        if not town.endswith("街道") or "政府" not in pattern:
            yield row(pattern.format(town=town), "", "units of a town")
    for school, pattern in itertools.product(county.schools, lists["attached"]):
        if not school.campus and school.core.endswith("小学"):
            yield row(pattern.format(name=school.core), "", "kindergarten of a school")
    here = {plain(school.core) for school in county.schools}
    for other in COUNTIES:
        if other is county:
            continue
        for school in other.schools:
            twin = plain(school.core) in here
            place = other.city if other.name.endswith("区") else ""
            note = "another county's school, name known here" if twin else "another county's school"
            yield row(f"{place}{other.name}{school.core}", "", note)
        for school in county.schools:
            if school.name != school.core and not school.campus:
                yield row(f"{other.city}{other.name}{school.core}", "", "own name with another county")


def typo_resolvable(county: County) -> Iterator[Row]:
    """Slips of one character with one school near, and none other within two."""
    row = kind_row(county, "typo_resolvable")
    for school in county.schools:
        for name in written_names(school):
            if not certain(school, name):
                continue
            for note, written in slips(name):
                near = county.distances(written)
                others = [steps for other, steps in near.items() if other is not school]
                if near.get(school) == 1 and min(others, default=9) > 1 + (not note.startswith("wrong")):
                    yield row(written, school.id, note)


def slips(name: str) -> Iterator[tuple[str, str]]:
    """A character of the same sound or shape, one twice, one too few."""
    for right, wrong in LISTS["slips"].items():
        for hit in re.finditer(right, name):
            head, tail = name[: hit.start()], name[hit.end() :]
            if len(right) > 1:
                note = "additional character" if len(wrong) > len(right) else f"wrong character {wrong}"
                yield note, head + wrong + tail
            else:
                yield from ((f"wrong character {right}", head + one + tail) for one in wrong)
    for part in (
        "实验小学",
        "中心小学",
        "九年一贯制",
        "初级中学",
        "特殊教育",
        "完全小学",
        "附属",
        "教学点",
        "中心学校",
        "外国语",
        "民族",
    ):
        if part in name:
            for at in range(1, len(part)):
                yield "missing character", name.replace(part, part[:at] + part[at + 1 :], 1)


def width_digits_brackets(county: County) -> Iterator[Row]:
    """The same name in other characters."""
    row = kind_row(county, "width_digits_brackets")
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for school in county.schools:
        for name in sure_base(school):
            if hit := ORDINAL.search(name):
                digits = DIGITS.get(hit[1], hit[1])
                for ordinal in (
                    digits,
                    digits.translate(wide),
                    f" {digits} ",
                    NUMERALS[digits],
                    f"{NUMERALS[digits]} ",
                ):
                    written = name[: hit.start(1)] + ordinal + name[hit.end(1) :]
                    if written != name:
                        yield row(written, school.id, "ordinal in other digits")
            if "九年" in name:
                yield row(name.replace("九", "9"), school.id, "nine in digits")
                yield row(name.replace("一", "—"), school.id, "a dash for one")
            for sign in ("()", "[]", "【】", "〔〕", "﹙﹚"):
                if school.campus:
                    yield row(name.translate(str.maketrans("（）", sign)), school.id, "other brackets")
            at = len(name) - 2
            for written in (
                " ".join(name),
                f"{name[:at]}　{name[at:]}",
                f"{name[:3]} {name[3:]}",
                f"{name[:at]}\u00a0{name[at:]}",
            ):
                yield row(written, school.id, "blanks inside")
            old_signs = name.translate(str.maketrans("学实验镇东岭龙", "學實驗鎮東嶺龍"))
            yield row(old_signs, school.id, "traditional characters")
            yield row(f"{name[:at]}\u200b{name[at:]}", school.id, "blanks inside")
            if "小" in name:
                yield row(name.replace("小", "⼩"), school.id, "radical for a character")
            if name == school.core and school.name == school.core and not school.campus:
                brackets = (f"（{county.name}）{name}", f"{name}（{school.town}）", f"({school.town}){name}")
                yield from (
                    row(written, school.id, "place in brackets")
                    for written in brackets
                    if school.town not in name
                )


def prefix(county: County) -> Iterator[Row]:
    """Province, city, county and town written before the name or left out."""
    row = kind_row(county, "prefix")
    for school in county.schools:
        village = school.core.removeprefix(school.town)
        for head in (*county.prefixes, county.short, f"{county.province}{county.name}"):
            written = head + school.core
            if written != school.name and certain(school, school.name) and certain(school, school.core):
                yield row(written, school.id, "county added or longer")
        if school.name != school.core and certain(school, school.core):
            yield row(school.core, school.id, "county left out")
        if village == school.core and school.name == school.core:
            if not village.startswith(short_town(school.town)):
                for head in (school.town, short_town(school.town), county.name + school.town):
                    if certain(school, school.town + village):
                        yield row(head + village, school.id, "town added")
        elif (
            village != school.core
            and certain(school, village)
            and not village.startswith(("第", "初级", "九年"))
        ):
            yield row(village, school.id, "town left out")
        if school.name != school.core and village != school.core and certain(school, school.core):
            yield row(f"{county.short}{short_town(school.town)}{village}", school.id, "county and town short")


def typed_extra(county: County) -> Iterator[Row]:
    """Purpose, time, post or class typed into the same cell; two schools in one cell have no answer."""
    row = kind_row(county, "typed_extra")
    sure = [(school, name) for school in county.schools for name in sure_base(school)]
    for school, name in sure:
        for note, patterns in LISTS["extra"].items():
            for pattern in patterns:
                if note == "class" and ("七" in pattern) != school.is_secondary:
                    continue
                yield row(pattern.format(name=name), school.id, note)
    for (school, name), (other, second) in itertools.pairwise(sure):
        if school is not other and school.base != other.base:
            for sign in ("、", "→", "；", "/", "和"):
                yield row(f"{name}{sign}{second}", "", "two schools")


def exact_with_noise(county: County) -> Iterator[Row]:
    """The name in force, with what comes along when cells are copied."""
    row = kind_row(county, "exact_with_noise")
    for school in county.schools:
        for name in sure_base(school):
            for note, patterns in LISTS["noise"].items():
                yield from (row(pattern.format(name=name), school.id, note) for pattern in patterns)


def kind_row(county: County, kind: str):
    """Rows of one county and kind."""
    return lambda written, answer, note: Row(county.name, written, answer, kind, note)


def order(row: Row) -> str:
    """A fixed order without a pattern."""
    return hashlib.sha256(f"{row.county}|{row.kind}|{row.written}".encode()).hexdigest()


def choose(kind: str, candidates: Iterable[Row], taken: set[tuple[str, str]]) -> list[Row]:
    """Take rows in turn from each county and note until the kind has its numbers."""
    answers, heaps = defaultdict(set), defaultdict(list)
    for row in dict.fromkeys(candidates):
        answers[row.county, row.written].add(row.answer)
        heaps[re.sub(r"\d+ | from .*", "", row.note), row.county].append(row)
    queues = sorted((sorted(heap, key=order) for heap in heaps.values()), key=lambda queue: order(queue[0]))
    open_places = dict(zip((True, False), QUOTAS[kind], strict=True))
    chosen = []
    for row in (row for turn in itertools.zip_longest(*queues) for row in turn if row):
        key, answered = (row.county, row.written), row.answer != ""
        if key not in taken and len(answers[key]) == 1 and open_places[answered]:
            taken.add(key)
            open_places[answered] -= 1
            chosen.append(row)
    return chosen


def write(name: str, header: str, rows: Iterable[Iterable[object]]) -> None:
    """Write one table."""
    with (HERE / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split())
        writer.writerows(rows)


def load_counties() -> list[County]:
    """Counties of counties.toml."""
    tables = tomllib.loads((HERE / "counties.toml").read_text(encoding="utf-8"))["county"]
    return [
        County(
            **{key: table[key] for key in ("code", "province", "city", "name", "short")},
            groups=tuple(table["groups"]),
            between=tuple(table["between"]),
            ambiguous=tuple(table["ambiguous"]),
            lines=table["schools"],
            merged_lines=table["merged"],
        )
        for table in tables
    ]


COUNTIES = load_counties()
RULES = (
    same_name_two_towns,
    former_name,
    typo_to_another_school,
    campus,
    group_prefix,
    short_name,
    ambiguous_short_name,
    outside,
    typo_resolvable,
    width_digits_brackets,
    prefix,
    typed_extra,
    exact_with_noise,
)


def main() -> None:
    """Write the three tables and print how many rows each kind has."""
    schools = [school for county in COUNTIES for school in county.schools]
    write(
        "registers.csv",
        "county school_id school_name former_names town county_name",
        (
            (
                one.county.code,
                one.id,
                one.name,
                "；".join(old.split("@")[0] for old in one.former),
                one.town,
                one.county.name,
            )
            for one in schools
        ),
    )
    renamed = ((one.county.code, *old.split("@"), one.id) for one in schools for old in one.former)
    links = [(code, old, new, "rename", day) for code, old, day, new in renamed]
    links += [
        (county.code, old, new.id, "merge", day) for county in COUNTIES for old, new, day in county.merged
    ]
    write("school_links.csv", "county from_school_name to_school_id link_kind date", sorted(links))
    by_name = {county.name: county for county in COUNTIES}
    codes, taken, rows = {county.name: county.code for county in COUNTIES}, set(), []
    for rule in RULES:
        candidates = itertools.chain.from_iterable(rule(county) for county in COUNTIES)
        rows += choose(rule.__name__, candidates, taken)
    meant = {row: {school.id for school in by_name[row.county].meant(row.written)} for row in rows}
    unfair = [row for row in rows if len(meant[row]) == 1 and {row.answer} != meant[row]]
    if unfair:
        raise ValueError(f"a text that means one school must have it as the answer: {unfair}")
    rows.sort(key=lambda row: (codes[row.county], row.kind, row.written))
    write(
        "variants.csv",
        "county written answer kind resolvable note",
        (
            (codes[row.county], row.written, row.answer, row.kind, int(row.answer != ""), row.note)
            for row in rows
        ),
    )
    for kind, count in Counter(row.kind for row in rows).items():
        print(kind, count, sum(row.answer != "" for row in rows if row.kind == kind))
    print("all", len(rows), sum(row.answer != "" for row in rows) / len(rows))


if __name__ == "__main__":
    main()
