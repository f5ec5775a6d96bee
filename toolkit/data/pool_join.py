"""What several files say about one county, put together."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.county import County, Origin, Reading
from toolkit.data.problems import Problem
from toolkit.data.reading.log import ACCOUNTING_COLUMNS, MATCH_COLUMNS
from toolkit.data.schema import TABLES
from toolkit.data.text import squash
from toolkit.errors import InputError
from toolkit.vocabulary import label

Frame = Any


@dataclass(frozen=True, slots=True)
class Part:
    """What one input says about a county.

    Attributes
    ----------
    name : str
        Name of the input.
    reading : Reading
        What was read from it.
    """

    name: str
    reading: Reading

    @property
    def years(self) -> list[int]:
        """School years that it reports."""
        table = self.reading.county.tables.get("school_years")
        return [] if table is None else sorted({int(year) for year in table["year"].dropna()})


def join_parts(parts: Sequence[Part]) -> Reading:
    """Put the parts of a county together; a single part is returned as it is.

    Rows that repeat those of another part are left out. Where the registers of two parts differ, the entry
    of the later one holds from its first school year on.

    Raises
    ------
    InputError
        If two parts have the same school year of a school, or different rows with one key; or if they are
        of different counties with one code. Both places are named.
    """
    if len(parts) == 1:
        return parts[0].reading
    ordered = sorted(parts, key=lambda part: (part.years[:1], part.name))
    _require_one_county(ordered)
    ordered = _with_places(ordered)
    tables: dict[str, pd.DataFrame] = {}
    origins: dict[str, Origin] = {}
    repeated: Counter[tuple[str, str, str]] = Counter()
    problems = [problem for part in ordered for problem in part.reading.problems]
    for name in TABLES:
        own = [part for part in ordered if name in part.reading.county.tables]
        if not own:
            continue
        rows = _stacked(name, own)
        if name == "schools":
            rows, told = _dated(rows, own)
            problems += told
        kept = _without_repeated(name, rows, repeated)
        columns = list(TABLES[name].column_names)
        tables[name] = kept[columns].reset_index(drop=True)
        address = pd.DataFrame({key: kept[f"_{key}"] for key in ("file", "sheet", "row", "part")})
        letters = {
            place: found for part in own for place, found in part.reading.origins[name].letters.items()
        }
        origins[name] = Origin(address.reset_index(drop=True), letters)
    latest = ordered[-1].reading.county
    return Reading(
        County(latest.county_id, latest.name, tables),
        tuple(problems),
        _accounting(ordered, repeated),
        pd.concat([part.reading.conversions for part in ordered], ignore_index=True),
        _matches(ordered),
        origins,
    )


def _require_one_county(parts: Sequence[Part]) -> None:
    """Refuse counties of different names without a common school: their code stands for both."""
    first = parts[0]
    schools = _codes(first)
    for part in parts[1:]:
        names = [one.reading.county.name for one in (first, part)]
        if squash(names[0]) != squash(names[1]) and not schools & _codes(part):
            raise InputError(
                "pool_code_of_two_counties",
                county=part.reading.county.county_id,
                first=f"{names[0]} ({first.name})",
                second=f"{names[1]} ({part.name})",
            )
        schools |= _codes(part)


def _codes(part: Part) -> set[str]:
    schools = part.reading.county.tables.get("schools")
    return set() if schools is None else set(schools["school_id"].dropna())


def _with_places(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with file names that differ: files of one name get that of their input in front."""
    used = Counter(file for part in parts for file in set(_files(part.reading)))
    if max(used.values(), default=1) == 1:
        return list(parts)
    return [Part(part.name, _renamed(part.reading, part.name)) for part in parts]


def _files(reading: Reading) -> list[str]:
    return [*reading.accounting["file"], *(problem.file for problem in reading.problems if problem.file)]


def _renamed(reading: Reading, name: str) -> Reading:
    """Return a reading whose addresses name the input."""

    def full(file: str) -> str:
        return name if not file or name.split("/")[-1] == file else f"{name}/{file}"

    origins = {
        table: Origin(
            origin.rows.assign(file=origin.rows["file"].map(full).astype("str")),
            {(full(place[0]), *place[1:]): found for place, found in origin.letters.items()},
        )
        for table, origin in reading.origins.items()
    }
    return replace(
        reading,
        problems=tuple(replace(problem, file=full(problem.file)) for problem in reading.problems),
        accounting=reading.accounting.assign(file=reading.accounting["file"].map(full)),
        conversions=reading.conversions.assign(file=reading.conversions["file"].map(full)),
        origins=origins,
    )


def _stacked(name: str, parts: Sequence[Part]) -> Frame:
    """Return the rows of a table of all parts with their addresses."""
    frames = []
    for number, part in enumerate(parts):
        address = part.reading.origins[name].rows
        columns: dict[str, Any] = {
            f"_{key}": address.get(key, "") for key in ("file", "sheet", "row", "part")
        }
        frames.append(part.reading.county.tables[name].assign(**columns, _input=number))
    return pd.concat(frames, ignore_index=True)


def _comparable(rows: Frame, columns: Sequence[str]) -> Frame:
    cells = rows[list(columns)].astype("object")
    return cells.where(cells.notna(), "")


def _dated(rows: Frame, parts: Sequence[Part]) -> tuple[Frame, list[Problem]]:
    """Let entries of the register that differ from an earlier part hold from their part's first year on.

    An entry that repeats what held of its school before is marked as repeated.
    """
    contents = _comparable(rows, TABLES["schools"].column_names).itertuples(index=False, name=None)
    keys = _comparable(rows, TABLES["schools"].key).itertuples(index=False, name=None)
    firsts = _first_years(parts)
    holds: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    changed: list[int] = []
    repeats: list[int] = []
    for index, (key, content) in enumerate(zip(keys, contents, strict=True)):
        if content == holds.get(key):
            repeats.append(index)
        elif key in holds and firsts[int(rows["_input"].iloc[index])] is not None:
            changed.append(index)
        holds[key] = content
    starts = rows.loc[changed, "_input"].map(firsts).astype("Int64")
    rows.loc[changed, "valid_from"] = starts
    rows["_repeated"] = rows.index.isin(repeats)
    told = []
    for number, own in rows.loc[changed].dropna(subset=["valid_from"]).groupby("_input", sort=True):
        at = int(str(number))
        values = (
            ("count", str(own["school_id"].nunique())),
            ("year", str(firsts[at])),
            ("input", parts[at].name),
        )
        place = (own["_file"].iloc[0], own["_sheet"].iloc[0])
        told.append(Problem("register_of_later_file", "notice", *place, "", "schools", "", "", values))
    return rows, told


def _first_years(parts: Sequence[Part]) -> dict[int, int | None]:
    """Return the first school year of each part whose years all follow those of the parts before."""
    found: dict[int, int | None] = {}
    last = -1
    for number, part in enumerate(parts):
        years = part.years
        found[number] = years[0] if years and years[0] > last else None
        last = max([last, *years])
    return found


def _without_repeated(name: str, rows: Frame, repeated: Counter[tuple[str, str, str]]) -> Frame:
    """Leave out rows that repeat a row of another part; refuse two rows of one key that differ."""
    table = TABLES[name]
    equal = rows["_repeated"] if name == "schools" else _comparable(rows, table.column_names).duplicated()
    twice = _comparable(rows, table.key).duplicated()
    # A school year that is there twice is refused even when both say the same: one file may be a copy.
    refused = twice if name == "school_years" else twice & ~equal
    if refused.any():
        _refuse(name, rows, int(np.flatnonzero(refused.to_numpy())[0]), int(refused.sum()))
    for file, sheet in rows.loc[equal, ["_file", "_sheet"]].itertuples(index=False, name=None):
        repeated[name, file, sheet] += 1
    return rows[~equal]


def _refuse(name: str, rows: Frame, second: int, count: int) -> None:
    """Raise the error that names both places of a key."""
    key = list(TABLES[name].key)
    comparable = _comparable(rows, key)
    same = (comparable == comparable.iloc[second]).all(axis=1).to_numpy()
    first = int(np.flatnonzero(same)[0])
    places = [
        " ".join(
            str(rows[column].iloc[at]) for column in ("_file", "_sheet", "_row") if rows[column].iloc[at]
        )
        for at in (first, second)
    ]
    shown = " / ".join(str(value) for value in comparable.iloc[second] if str(value))
    title = " ".join(label(f"table_{name}", language) for language in ("zh", "en"))
    told = "pool_school_year_twice" if name == "school_years" else "pool_key_twice"
    raise InputError(told, table=title, key=shown, first=places[0], second=places[1], count=count)


def _accounting(parts: Sequence[Part], repeated: Counter[tuple[str, str, str]]) -> pd.DataFrame:
    """Return the account of all parts, in which rows that repeat another part's are left out."""
    account = pd.concat([part.reading.accounting for part in parts], ignore_index=True)
    for (table, file, sheet), count in repeated.items():
        used = account["table"].eq(table) & account["file"].eq(file) & account["sheet"].eq(sheet)
        at = account.index[used & account["reason"].eq("")]
        if len(at):
            account.loc[at[0], ["rows_read", "rows_used"]] -= count
        account.loc[len(account)] = [table, file, sheet, count, 0, count, "repeated_row"]
    return account[list(ACCOUNTING_COLUMNS)]


def _matches(parts: Sequence[Part]) -> pd.DataFrame:
    """Return the names matched in any part, each once."""
    found = pd.concat([part.reading.matches for part in parts], ignore_index=True)
    key = ["table", "column", "name"]
    cells = found.groupby(key, sort=False)["cells"].sum().reset_index()
    first = found.drop_duplicates(key)[[*key, "school_id", "how"]]
    return first.merge(cells, on=key)[list(MATCH_COLUMNS)]
