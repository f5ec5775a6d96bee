"""Pseudonyms of schools, towns and school groups: the same numbers without the names."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County, Origin, Reading
from toolkit.data.names import SchoolNames
from toolkit.data.schema import TABLES
from toolkit.data.schema.model import Table
from toolkit.vocabulary import Language, label, sentence

Kind = Literal["pseudonym_school", "pseudonym_town", "pseudonym_group", "pseudonym_unit"]

KEY_COLUMNS = ["pseudonym_kind", "original_id", "original_name", "pseudonym_id", "pseudonym"]
DIGITS: Mapping[Kind, int] = {
    "pseudonym_school": 3,
    "pseudonym_town": 2,
    "pseudonym_group": 2,
    "pseudonym_unit": 3,
}
PERSON_CODES = ("teacher_id", "student_id")
UNTOUCHED = (*PERSON_CODES, "county_id", "county_name", "item", "item_name")
DROPPED = ("former_names", "longitude", "latitude")
# A shorter code or name stands in too many texts that mean something else.
SHORTEST_CODE_IN_TEXT = 6
SHORTEST_NAME_IN_TEXT = 3
SHORTEST_TOWN_IN_TEXT = 2
NO_YEAR, NOT_REGISTERED = 9999.0, 10000.0
_TOWN_WORD = re.compile(r"(镇|乡|街道|街道办事处)$")
# Names are compared with Arabic numerals, and written with Chinese ones.
CHINESE_NUMERALS = str.maketrans("123456789", "一二三四五六七八九")


@dataclass(frozen=True, slots=True)
class Pseudonyms:
    """What stands for each school code, and for each name that is no school's.

    Attributes
    ----------
    codes, schools : mapping of str to str
        Pseudonymous code and name by school code.
    towns, groups, units : mapping of str to str
        Pseudonym by name; units are what a name column holds where the code is missing.
    """

    codes: Mapping[str, str]
    schools: Mapping[str, str]
    towns: Mapping[str, str]
    groups: Mapping[str, str]
    units: Mapping[str, str]


def pseudonymise(county: County, language: Language, *, secret: str) -> tuple[County, pd.DataFrame]:
    """Return a county without the names and codes of its schools, and the key to them.

    Replaced are codes and names of schools, towns, school groups and units outside the county, also
    where they occur inside other texts; former names and coordinates are dropped. Rows stand in the
    order of the pseudonyms, as the order of a register tells which school is which. Codes of teachers
    and pupils stay as they are: no exhibit shows them.

    Parameters
    ----------
    county : County
        The county.
    language : {"zh", "en"}
        Language of the pseudonyms.
    secret : str
        What the numbers are computed from beside the codes. Whoever has the codes alone cannot compute
        them; the same secret gives the same numbers in every year.

    Returns
    -------
    County
        The same figures.
    pandas.DataFrame
        The key, one row per pseudonym: `pseudonym_kind`, `original_id`, `original_name`,
        `pseudonym_id`, `pseudonym`.

    Raises
    ------
    ValueError
        If the secret is empty: the codes are public.

    Notes
    -----
    A number is a keyed hash (HMAC-SHA-256) of county and code, and says nothing about the school to those
    without the secret. The same code has the same number in every year. Where two codes fall on one number,
    the school that opened first keeps it, so a new school takes no number from an old one. A number changes
    when a code changes, when the register tells another opening year of one of two colliding schools or
    drops the older one, and for all schools when the register comes to hold more than half as many as there
    are numbers of that length (500). Whoever knows figures of a school can recognise it by them.
    """
    pseudonyms, key = _assign(county, language, secret)
    tables, _ = _replaced(county, pseudonyms)
    return replace(county, tables=tables), key


def pseudonymise_reading(
    reading: Reading, language: Language, *, secret: str
) -> tuple[Reading, pd.DataFrame]:
    """Return a reading whose county is pseudonymised, and the key; origins follow the rows.

    Problems still quote the input, and addresses lead to it: neither may be shown beside pseudonyms.
    """
    pseudonyms, key = _assign(reading.county, language, secret)
    tables, orders = _replaced(reading.county, pseudonyms)
    names = _names(reading.matches["name"], reading.matches["school_id"], pseudonyms)
    matches = reading.matches.assign(name=names, school_id=reading.matches["school_id"].map(pseudonyms.codes))
    origins = {
        name: Origin(origin.rows.iloc[orders[name]].reset_index(drop=True), origin.letters)
        if name in orders
        else origin
        for name, origin in reading.origins.items()
    }
    county = replace(reading.county, tables=tables)
    return replace(reading, county=county, matches=matches, origins=origins), key


def _assign(county: County, language: Language, secret: str) -> tuple[Pseudonyms, pd.DataFrame]:
    """Give every school, town, group and outside unit its number."""
    if not secret:
        raise ValueError("pseudonyms need a secret")

    def numbered(kind: Kind, first_years: Mapping[str, float]) -> dict[str, str]:
        return _numbers(kind, first_years, (secret, county.county_id))

    def told(kind: Kind, numbers: Mapping[str, str]) -> dict[str, str]:
        return {name: sentence(kind, language, number=number) for name, number in numbers.items()}

    opened = _first_years(county)
    codes = numbered("pseudonym_school", opened)
    pseudonyms = Pseudonyms(
        codes={code: f"P{number}" for code, number in codes.items()},
        schools=told("pseudonym_school", codes),
        towns={
            town: sentence(_kind_of_town(town), language, number=number)
            for town, number in numbered("pseudonym_town", _first_years_of_towns(county, opened)).items()
        },
        groups=told("pseudonym_group", numbered("pseudonym_group", _first_years_of_groups(county))),
        units=told(
            "pseudonym_unit",
            numbered("pseudonym_unit", dict.fromkeys(_outside_units(county), NOT_REGISTERED)),
        ),
    )
    return pseudonyms, _key(county, pseudonyms)


def _numbers(kind: Kind, first_years: Mapping[str, float], key: tuple[str, ...]) -> dict[str, str]:
    """Return a number for each name, the oldest first where two would have the same."""
    registered = sum(year < NOT_REGISTERED for year in first_years.values())
    digits = max(DIGITS[kind], len(str(2 * registered)))
    taken: dict[int, str] = {}
    for name in sorted(first_years, key=lambda name: (first_years[name], _hash(key, kind, name, 0), name)):
        attempt = 0
        digits += len(taken) >= 10**digits - 1
        while (number := 1 + _hash(key, kind, name, attempt) % (10**digits - 1)) in taken:
            attempt += 1
        taken[number] = name
    return {name: f"{number:0{digits}}" for number, name in sorted(taken.items())}


def _hash(key: tuple[str, ...], kind: str, name: str, attempt: int) -> int:
    message = "\x1f".join((*key[1:], kind, name, str(attempt))).encode("utf-8")
    return int.from_bytes(hmac.digest(key[0].encode("utf-8"), message, hashlib.sha256), "big")


def _school_columns(table: Table) -> list[tuple[str, str]]:
    """Return the columns with codes of schools, each with the column of the name, or ""."""
    pairs = [(column.name, column.names_school_in) for column in table.columns if column.names_school_in]
    if table.name == "schools":
        pairs = [("school_id", "school_name"), ("parent_school_id", "")]
    return pairs


def _first_years(county: County) -> dict[str, float]:
    """Return the first year of every school code in any table; those outside the register come last.

    Only the register decides, so the numbers are the same whichever other tables are loaded.
    """
    years: dict[str, float] = {}
    for name, frame in county.tables.items():
        for code, _ in _school_columns(TABLES[name]):
            years |= dict.fromkeys(map(str, frame[code].dropna().unique()), NOT_REGISTERED) | years
    register = county.tables["schools"]
    years |= dict.fromkeys(map(str, register["school_id"].dropna().unique()), NO_YEAR)
    for name in ("opened", "valid_from"):
        for code, year in register[["school_id", name]].dropna().itertuples(index=False):
            years[str(code)] = min(years[str(code)], float(year))
    return years


def _first_years_of_towns(county: County, opened: Mapping[str, float]) -> dict[str, float]:
    """Return the year of the oldest school of each town."""
    years: dict[str, float] = {}
    for code, town in county.tables["schools"][["school_id", "town"]].dropna().itertuples(index=False):
        years[str(town)] = min(years.get(str(town), NO_YEAR), opened[str(code)])
    return years


def _kind_of_town(town: str) -> str:
    """Return the pseudonym's sentence: plans set targets for towns that do not hold for street offices."""
    return "pseudonym_street_office" if town.endswith(label("street_office", "zh")) else "pseudonym_town"


def _first_years_of_groups(county: County) -> dict[str, float]:
    groups = county.tables.get("school_groups")
    if groups is None:
        return {}
    first = groups.dropna(subset=["school_group"]).groupby("school_group")["start_year"].min()
    return {str(name): NO_YEAR if pd.isna(year) else float(year) for name, year in first.items()}


def _outside_units(county: County) -> list[str]:
    """Return what stands in columns of school names without a code beside it."""
    found: dict[str, None] = {}
    for name, frame in county.tables.items():
        for code, written in _school_columns(TABLES[name]):
            if written:
                found |= dict.fromkeys(map(str, frame.loc[frame[code].isna(), written].dropna().unique()))
    return list(found)


def _key(county: County, pseudonyms: Pseudonyms) -> pd.DataFrame:
    """Return the key table, in the order of the pseudonyms."""
    register = county.tables["schools"].dropna(subset=["school_id"])
    names = dict(zip(register["school_id"], register["school_name"].fillna(""), strict=True))
    rows = [
        ("pseudonym_school", code, names.get(code, ""), number, pseudonyms.schools[code])
        for code, number in pseudonyms.codes.items()
    ]
    others: tuple[tuple[Kind, Mapping[str, str]], ...] = (
        ("pseudonym_town", pseudonyms.towns),
        ("pseudonym_group", pseudonyms.groups),
        ("pseudonym_unit", pseudonyms.units),
    )
    rows += [(kind, "", name, "", told) for kind, known in others for name, told in known.items()]
    return pd.DataFrame(rows, columns=KEY_COLUMNS)


def _replaced(
    county: County, pseudonyms: Pseudonyms
) -> tuple[dict[str, pd.DataFrame], dict[str, NDArray[np.intp]]]:
    """Return the tables with pseudonyms in the order of these, and where each row stood."""
    scrub = _scrubber(county, pseudonyms)
    tables, orders = {}, {}
    for name, frame in county.tables.items():
        table = TABLES[name]
        made = _without_names(frame, table, pseudonyms, scrub)
        pairs = _school_columns(table)
        if pairs:
            place = made[pairs[0][0]].fillna("").to_numpy(dtype=object)
            orders[name] = np.argsort(place, kind="stable")
            made = made.iloc[orders[name]].reset_index(drop=True)
        tables[name] = made
    return tables, orders


def _without_names(
    frame: pd.DataFrame, table: Table, pseudonyms: Pseudonyms, scrub: Callable[[str], str]
) -> pd.DataFrame:
    """Return one table with pseudonyms, its rows as they were."""
    made = frame.copy()
    pairs = _school_columns(table)
    for code, written in pairs:
        made[code] = frame[code].map(pseudonyms.codes).astype(frame[code].dtype)
        if written:
            made[written] = _names(frame[written], frame[code], pseudonyms).astype(frame[written].dtype)
    named = {"town": pseudonyms.towns, "school_group": pseudonyms.groups}
    handled = {name for pair in pairs for name in pair}
    for column in table.columns:
        if column.name in handled or column.name in UNTOUCHED:
            continue
        values = frame[column.name]
        if column.name in DROPPED:
            made[column.name] = pd.Series(np.nan, index=frame.index).astype(values.dtype)
        elif column.name in named:
            made[column.name] = values.map(named[column.name]).astype(values.dtype)
        elif column.kind in ("text", "code"):
            made[column.name] = values.map({text: scrub(str(text)) for text in values.dropna().unique()})
            made[column.name] = made[column.name].astype(values.dtype)
    return made


def _names(written: pd.Series, codes: pd.Series, pseudonyms: Pseudonyms) -> pd.Series:
    """Return a column of school names: by the code beside it, else by the name; missing where both are."""
    return codes.map(pseudonyms.schools).fillna(written.map(pseudonyms.units))


def _scrubber(county: County, pseudonyms: Pseudonyms) -> Callable[[str], str]:
    """Return a function that puts pseudonyms for names and codes inside any text, the longest first."""
    towns = {_TOWN_WORD.sub("", town): told for town, told in pseudonyms.towns.items()}
    known = {name: told for name, told in towns.items() if len(name) >= SHORTEST_TOWN_IN_TEXT}
    known |= {**pseudonyms.units, **pseudonyms.towns}
    for code, names in _all_names(county).items():
        known |= {name: pseudonyms.schools[code] for name in names if len(name) >= SHORTEST_NAME_IN_TEXT}
    known |= pseudonyms.groups
    known |= {code: told for code, told in pseudonyms.codes.items() if len(code) >= SHORTEST_CODE_IN_TEXT}
    if not known:
        return lambda text: text
    pattern = re.compile("|".join(re.escape(name) for name in sorted(known, key=len, reverse=True)))
    return lambda text: pattern.sub(lambda found: known[found[0]], text)


def _all_names(county: County) -> dict[str, set[str]]:
    """Return every name of each school: in the register, former, short, and as typed in any table."""
    register = county.tables["schools"]
    matcher = SchoolNames(register, county.tables.get("school_links"))
    names: dict[str, set[str]] = {}
    for code in map(str, register["school_id"].dropna().unique()):
        forms = matcher.names_of(code)
        names[code] = {*forms, *(form.translate(CHINESE_NUMERALS) for form in forms)}
    for code, former in register[["school_id", "former_names"]].dropna().itertuples(index=False):
        names[str(code)] |= _parts(str(former))
    for name, frame in county.tables.items():
        for code, written in _school_columns(TABLES[name]):
            if written:
                pairs = frame[[code, written]].dropna().drop_duplicates()
                for school, typed in pairs.itertuples(index=False):
                    names.setdefault(str(school), set()).add(str(typed))
    return names


def _parts(former: str) -> set[str]:
    """Return the names in a cell of former names."""
    return {part.strip() for part in re.split(r"[;；,，、/|\n]", former) if part.strip()}
