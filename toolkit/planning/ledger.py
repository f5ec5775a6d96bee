"""整改台账: the problems of a county, who mends them until when, carried from year to year."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

import numpy as np
import pandas as pd

from toolkit.planning.problems import Judged, Problems
from toolkit.planning.succession import STATISTIC_MONTH_DAY, Successor, find_successors
from toolkit.results import Verdict
from toolkit.vocabulary import Language, format_number, label, sentence

State = Literal["not_started", "in_progress", "done", "closed_out"]
Proposal = Literal["", "close_out", "reopened", "still_unmet", "overdue", "fill_cells"]
SchoolChange = Literal["", "renamed", "rename", "merge", "split", "gone"]

SEPARATOR = "|"
HAND = "hand-"
HISTORY_DECIMALS = 2
PERCENT = 100
PEOPLES_FIELDS = ("measure", "person", "deadline", "evidence", "recheck_date")


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One problem: what the data say, what people plan and did, and how it came here.

    Attributes
    ----------
    id : str
        ``school|item|stage``; "hand-<number>" for a row that people added without it.
    school_id, school_name, item, title, stage : str
        What the problem is about.
    value, limit, gap : float or str
        As in `Judged`; a text where people wrote one into a row of their own.
    unit : str
        Vocabulary code of the unit of the gap, or people's own word.
    measure, person, deadline, evidence, recheck_date : str
        What people wrote; dates as ISO text where they can be read.
    state : State
        What people wrote.
    data_check : Verdict
        What the data of `year` say: "undecided" also where they say nothing.
    proposal : Proposal
        What follows from data and state together.
    repeated : bool
        Whether the problem stood in the ledger of an earlier year already.
    relapsed : bool
        Whether it was closed out and came back.
    first_year, year : int
        First school year of the problem; school year of the data it was last compared with.
    school_change : SchoolChange
        What became of the school since the ledger before.
    history : str
        State and value of earlier years.
    extra : mapping of str to object
        Columns that people added, by their header.
    """

    id: str
    school_id: str
    school_name: str
    item: str
    title: str
    stage: str
    value: float | str
    limit: float | str
    gap: float | str
    unit: str
    measure: str
    person: str
    deadline: str
    state: State
    evidence: str
    recheck_date: str
    data_check: Verdict
    proposal: Proposal
    repeated: bool
    relapsed: bool
    first_year: int
    year: int
    school_change: SchoolChange
    history: str
    extra: Mapping[str, object]

    @property
    def is_by_hand(self) -> bool:
        """Whether people added the row without saying which item it is about."""
        return self.id.startswith(HAND)

    @property
    def key(self) -> tuple[str, str, str]:
        """School, item and stage."""
        return self.school_id, self.item, self.stage


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of a county.

    Attributes
    ----------
    year : int
        School year of the data it was last compared with.
    rows : tuple of LedgerRow
        In the order that people gave them, new ones at the end.
    extra : tuple of str
        Headers of the columns that people added, in order.
    """

    year: int
    rows: tuple[LedgerRow, ...]
    extra: tuple[str, ...]

    def tidy(self) -> pd.DataFrame:
        """Return one row per problem."""
        names = [name for name in LedgerRow.__dataclass_fields__ if name != "extra"]
        rows = [
            {name: getattr(row, name) for name in names} | {name: row.extra.get(name) for name in self.extra}
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=[*names, *self.extra])


def problem_id(school_id: str, item: str, stage: str) -> str:
    """Return the id of a problem in the ledger."""
    return SEPARATOR.join((school_id, item, stage))


def carry_over(
    problems: Problems,
    previous: Ledger | None,
    school_links: pd.DataFrame | None,
    *,
    year: int,
    language: Language = "zh",
) -> Ledger:
    """Bring a ledger up to the data of a year.

    What people wrote stays. Rows follow their school through `school_links`; where two rows
    meet in one school, the other's texts go into the history. A problem that the data show solved is proposed
    for closing out (销号), its state stays. One that was closed out in an earlier year and is back is
    opened again and marked. Rows that the data say nothing about are kept.

    Parameters
    ----------
    problems : Problems
        What the data of the year show.
    previous : Ledger or None
        The ledger before, as people edited it.
    school_links : pandas.DataFrame or None
        Table `school_links`.
    year : int
        School year.
    language : {"zh", "en"}
        Language of the lines added to the history.
    """
    judged = {(row.school_id, row.item, row.stage): row for row in problems.judged}
    before = previous.rows if previous else ()
    moved = [
        moved for row in before for moved in _moved(row, problems, school_links, year=year, language=language)
    ]
    kept = [
        _updated(row, judged.get(row.key), year=year, language=language)
        for row in _without_doubles(moved, {row.id for row in before}, language)
    ]
    known = {row.key for row in kept}
    new = [_new_row(found, year) for key, found in judged.items() if found.met == "fail" and key not in known]
    return Ledger(year=year, rows=(*kept, *new), extra=previous.extra if previous else ())


def _moved(
    row: LedgerRow, problems: Problems, links: pd.DataFrame | None, *, year: int, language: Language
) -> Iterable[LedgerRow]:
    """Give a row under each school in which its school goes on."""
    if not row.school_id:
        yield row
        return
    for successor in find_successors(row.school_id, links, problems.schools, year=year):
        name = problems.schools.get(successor.school_id, row.school_name)
        change = _change(row, successor, name) or (row.school_change if row.year == year else "")
        moved = replace(row, school_id=successor.school_id, school_name=name, school_change=change)
        if not row.is_by_hand:
            moved = replace(moved, id=problem_id(*moved.key))
        if change and change != "gone" and row.school_name != name:
            former = sentence("ledger_history_school", language, name=row.school_name, code=row.school_id)
            moved = replace(moved, history=_joined(moved.history, former, language))
        yield moved


def _change(row: LedgerRow, successor: Successor, name: str) -> SchoolChange:
    """Say what became of a school; a new name under the old code is a change, too."""
    if successor.change:
        return successor.change
    return "renamed" if row.school_name and name != row.school_name else ""


def _without_doubles(rows: list[LedgerRow], taken: Collection[str], language: Language) -> list[LedgerRow]:
    """Put rows that meet in one school together: the school's own row stays and takes up the others."""
    by_id: dict[str, list[LedgerRow]] = {}
    free = (f"{HAND}{number}" for number in count(1) if f"{HAND}{number}" not in taken)
    for row in rows:
        # A row by hand is no problem that the data know: two of them are two, also where a school was split.
        name = next(free) if row.is_by_hand and row.id in by_id else row.id
        by_id.setdefault(name, []).append(replace(row, id=name))
    kept = []
    for same in by_id.values():
        first, *others = sorted(same, key=lambda row: row.school_change not in ("", "renamed"))
        for other in others:
            first = _taken_up(first, other, language)
        kept.append(first)
    return kept


def _taken_up(row: LedgerRow, other: LedgerRow, language: Language) -> LedgerRow:
    """Return a row that has taken up another of the same problem: nothing that people wrote is lost."""
    empty = {name: getattr(other, name) for name in PEOPLES_FIELDS if not getattr(row, name)}
    extra = dict(other.extra) | {name: value for name, value in row.extra.items() if value not in ("", None)}
    texts = [getattr(other, name) for name in PEOPLES_FIELDS if getattr(other, name)]
    texts += [f"{name} {value}" for name, value in other.extra.items() if value not in ("", None)]
    told = sentence(
        "ledger_history_taken_up",
        language,
        state=label(f"ledger_state_{other.state}", language),
        texts=label("list_separator", language).join(texts),
    )
    history = _joined(_joined(row.history, other.history, language), told, language)
    return replace(
        row,
        **empty,
        extra=extra,
        history=history,
        first_year=min(row.first_year, other.first_year),
        school_change=row.school_change or other.school_change,
    )


def _updated(row: LedgerRow, found: Judged | None, *, year: int, language: Language) -> LedgerRow:
    """Return a row of the ledger before with what the data of the year say."""
    is_new_year = row.year < year
    check: Verdict = found.met if found else "undecided"
    relapses = is_new_year and check == "fail" and row.state == "closed_out"
    current = replace(
        row,
        data_check=check,
        state="not_started" if relapses else row.state,
        repeated=check == "fail" and (is_new_year or row.repeated),
        relapsed=relapses or row.relapsed,
        history=_with_year(row, language) if is_new_year else row.history,
        year=year,
    )
    if found:
        current = replace(current, title=found.title, value=found.value, limit=found.limit, gap=found.gap)
        current = replace(current, unit=found.unit or current.unit)
    elif not row.is_by_hand and is_new_year and row.data_check != "undecided":
        # The value of another year must not stand as that of this one; the history holds it.
        current = replace(current, value=np.nan, gap=np.nan)
    return replace(current, proposal=_proposal(current, found, relapses=relapses))


def _proposal(row: LedgerRow, found: Judged | None, *, relapses: bool) -> Proposal:
    """Return what people should look at."""
    if relapses:
        return "reopened"
    if row.data_check == "pass":
        return "" if row.state == "closed_out" else "close_out"
    if row.data_check == "fail" and row.state in ("done", "closed_out"):
        return "still_unmet"
    if row.state in ("not_started", "in_progress") and _is_past(row.deadline, row.year):
        return "overdue"
    return "fill_cells" if found is not None and row.data_check == "undecided" else ""


def _is_past(deadline: str, year: int) -> bool:
    """Say whether a date lies before the statistic date; a text that is no date is not past."""
    try:
        date = pd.Timestamp(np.datetime64(deadline, "D")) if deadline[:4].isdigit() else pd.NaT
    except ValueError:
        return False
    return bool(date < pd.Timestamp(f"{year}-{STATISTIC_MONTH_DAY}"))


def _new_row(found: Judged, year: int) -> LedgerRow:
    """Return the row of a problem that stands in no ledger yet."""
    return LedgerRow(
        id=problem_id(found.school_id, found.item, found.stage),
        school_id=found.school_id,
        school_name=found.school_name,
        item=found.item,
        title=found.title,
        stage=found.stage,
        value=found.value,
        limit=found.limit,
        gap=found.gap,
        unit=found.unit,
        measure="",
        person="",
        deadline="",
        state="not_started",
        evidence="",
        recheck_date="",
        data_check="fail",
        proposal="",
        repeated=False,
        relapsed=False,
        first_year=year,
        year=year,
        school_change="",
        history="",
        extra={},
    )


def _with_year(row: LedgerRow, language: Language) -> str:
    """Return the history with a line on the year that ends."""
    line = sentence(
        "ledger_history_year",
        language,
        year=row.year,
        value=_value_text(row),
        state=label(f"ledger_state_{row.state}", language),
    )
    return _joined(row.history, line, language)


def _value_text(row: LedgerRow) -> str:
    """Return the value of a problem; a share that the data gave in percent."""
    if isinstance(row.value, str):
        return row.value
    if row.unit == "percent" and not row.is_by_hand:
        return f"{format_number(PERCENT * row.value, HISTORY_DECIMALS)}%"
    return format_number(row.value, HISTORY_DECIMALS)


def _joined(history: str, line: str, language: Language) -> str:
    """Return the history with one more line; a line that it has is not repeated."""
    if not line or line in history:
        return history
    return f"{history}{label('ledger_history_separator', language)}{line}" if history else line
