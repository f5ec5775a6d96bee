"""What each row adds to the numerator and the denominator of a formula, and what missing cells may add."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from toolkit.indicators.cell_bounds import Cells, address_of, column_of
from toolkit.indicators.formula_rows import COUNTY_TABLES
from toolkit.indicators.possible import Holding, condition_addresses
from toolkit.indicators.ratio_bounds import OpenPart, distinct, open_part
from toolkit.indicators.row_tables import Rows
from toolkit.standards import Alternatives, Component, Formula

MissingCell = tuple[str, str, str]
"""Table, column, and how the row is named to the reader."""


@dataclass(frozen=True, slots=True)
class Contributions:
    """Rows that a formula covers, surely or possibly.

    Attributes
    ----------
    rows : Rows
        The rows.
    unit : ndarray, (n_rows,)
        The unit of each.
    certain : ndarray of bool, (n_rows,)
        Whether nothing leaves open that the row is covered.
    amounts : ndarray, (n_rows, 2)
        Numerator and denominator made of the known cells.
    open : mapping of int to list of OpenPart
        What rows with missing cells may add, by position.
    unknown : ndarray of bool, (n_rows, 2)
        Whether numerator and denominator of the row are open.
    missing : mapping of int to tuple of MissingCell
        The cells behind that, by position.
    """

    rows: Rows
    unit: NDArray[np.object_]
    certain: NDArray[np.bool_]
    amounts: NDArray[np.float64]
    open: dict[int, list[OpenPart]]
    unknown: NDArray[np.bool_]
    missing: dict[int, tuple[MissingCell, ...]]


@dataclass(frozen=True, slots=True)
class _Term:
    """One component over the rows: the column, where it enters, and its cells."""

    address: str
    side: int
    sign: int
    cells: Cells


def contributions(
    rows: Rows,
    table: str,
    formula: Formula,
    applies_to: Alternatives,
    unit: NDArray[np.object_],
    *,
    coverage_adds: bool,
) -> Contributions:
    """Return what the rows of one table add to a formula.

    Parameters
    ----------
    rows : Rows
        Rows of the table.
    table : str
        Table of the components that are read here.
    formula : Formula
        Numerator, denominator and the rows that enter the numerator.
    applies_to : Alternatives
        Rows that are covered.
    unit : ndarray of str, (n_rows,)
        Unit of each row, within which and within a year codes are counted once.
    coverage_adds : bool
        Whether a row of which it is open whether it is covered adds something or nothing to a sum;
        otherwise the row is valued as if it were covered, and `certain` tells.

    Raises
    ------
    ValueError
        If a condition reads a column that does not stand beside the rows.
    """
    covered, entering = _holding(rows, table, applies_to), _holding(rows, table, formula.numerator_when)
    kept = covered.possibly
    rows, unit = rows.take(kept), unit[kept]
    certain = covered.surely[kept]
    enters = Holding(entering.surely[kept], entering.possibly[kept])
    sides = ((0, formula.numerator, certain & enters.surely), (1, formula.denominator, certain))
    terms = [
        _Term(
            address_of(part),
            side,
            part.sign,
            _numbers(rows, part, unit, enters.possibly | (side == 1), surest),
        )
        for side, parts, surest in sides
        for part in parts
        if part.table == table
    ]
    undecided = (enters.possibly & ~enters.surely) & any(term.side == 0 for term in terms)
    absent = np.array([np.isnan(term.cells.value) for term in terms]).reshape(len(terms), len(rows))
    for term, cell in zip(terms, absent, strict=True):
        if term.side == 0:
            cell &= enters.possibly
    maybe = ~certain & coverage_adds
    is_open = absent.any(axis=0) | undecided | maybe
    # The known cells of other open rows are added apart, so that the known side of a ratio stays known.
    together = is_open & (undecided | maybe | bool(formula.denominator_step))
    amounts = np.zeros((len(rows), 2))
    for term in terms:
        counted = enters.surely if term.side == 0 else np.ones(len(rows), dtype=bool)
        amounts[:, term.side] += np.where(
            counted & ~together, term.sign * np.nan_to_num(term.cells.value), 0.0
        )
    if formula.denominator_step:
        amounts[:, 1] = _steps(amounts[:, 1], formula.denominator_step)
    unknown = np.zeros((len(rows), 2), dtype=bool)
    for term, cell in zip(terms, absent, strict=True):
        unknown[:, term.side] |= cell | maybe
    unknown[:, 0] |= undecided
    positions = np.flatnonzero(is_open | ~certain)
    conditions = tuple(
        name
        for name in (*condition_addresses(applies_to), *condition_addresses(formula.numerator_when))
        if name in rows
    )
    hangs = undecided | ~certain
    return Contributions(
        rows=rows,
        unit=unit,
        certain=certain,
        amounts=amounts,
        open={
            int(at): _parts(
                terms,
                absent[:, at],
                int(at),
                formula.denominator_step,
                may_be_out=bool(maybe[at]),
                may_enter=(bool(enters.surely[at]), bool(enters.possibly[at])),
            )
            for at in np.flatnonzero(is_open)
        },
        unknown=unknown,
        missing={
            int(at): _missing(rows, int(at), table, terms, absent[:, at], conditions if hangs[at] else ())
            for at in positions
        },
    )


def _holding(rows: Rows, table: str, alternatives: Alternatives) -> Holding:
    """Decide conditions; the county's own rows are covered by conditions that speak of schools."""
    lacking = [name for name in condition_addresses(alternatives) if name not in rows]
    if not lacking:
        return rows.holding(alternatives)
    if table not in COUNTY_TABLES:
        raise ValueError(f"rows of {table!r} have no {', '.join(lacking)} beside them")
    return rows.holding(())


def _numbers(
    rows: Rows,
    part: Component,
    unit: NDArray[np.object_],
    enters: NDArray[np.bool_],
    surest: NDArray[np.bool_],
) -> Cells:
    """Return the numbers of a component; a code counts once in its unit, where it is surest."""
    address = address_of(part)
    if column_of(address).is_numeric:
        return rows.cells(address)
    able = enters & ~rows.absent(address)
    codes = rows.texts(address)
    ones, seen = np.zeros(len(rows)), set()
    for at in (*np.flatnonzero(able & surest).tolist(), *np.flatnonzero(able & ~surest).tolist()):
        key = (rows.year[at], unit[at], codes[at])
        ones[at] = key not in seen
        seen.add(key)
    return Cells(ones, ones, ones)


def _parts(
    terms: list[_Term],
    absent: NDArray[np.bool_],
    at: int,
    step: float,
    *,
    may_be_out: bool,
    may_enter: tuple[bool, bool],
) -> list[OpenPart]:
    """Return what one row with missing cells, or of open coverage, may add."""
    corners, rays = [], []
    for enters in sorted({may_enter[0], may_enter[1]}):
        used = [term for term in terms if term.side == 1 or enters]
        known = np.zeros(2)
        for term in used:
            if not np.isnan(term.cells.value[at]):
                known[term.side] += term.sign * term.cells.value[at]
        names = list(
            dict.fromkeys(
                term.address for term, gone in zip(terms, absent, strict=True) if gone and term in used
            )
        )
        clusters = _clusters(tuple(names))
        parts = [_cluster(used, cluster, at) for cluster in clusters]
        if not step and not may_be_out and may_enter[0] == may_enter[1]:
            return parts
        found = known[None, :]
        for part in parts:
            found = (found[:, None, :] + part.corners[None, :, :]).reshape(-1, 2)
            rays.append(part.rays)
        corners.append(found)
    ends = np.concatenate([*rays, np.empty((0, 2))])
    points = np.concatenate(corners)
    if step:
        points = np.column_stack([points[:, 0], _steps(points[:, 1], step)])
        ends = ends / (1.0, step)
    if may_be_out:
        points = np.concatenate([points, np.zeros((1, 2))])
    return [OpenPart(distinct(points), ends)]


@cache
def _clusters(names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Put missing columns together of which one is a part of the other."""
    clusters: list[tuple[str, ...]] = []
    for name in names:
        tied = [cluster for cluster in clusters if any(_bound(name, other) for other in cluster)]
        rest = [cluster for cluster in clusters if cluster not in tied]
        clusters = [*rest, (*(other for cluster in tied for other in cluster), name)]
    return tuple(clusters)


def _bound(one: str, other: str) -> bool:
    return _is_part(one, other) or _is_part(other, one)


def _is_part(one: str, other: str) -> bool:
    table, _ = one.split(".")
    return bool(column_of(one).at_most) and other == f"{table}.{column_of(one).at_most}"


@cache
def _tied(names: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Return the pairs of columns of which the first is a part of the second, by position."""
    return tuple(
        (i, j) for i, one in enumerate(names) for j, other in enumerate(names) if _is_part(one, other)
    )


def _cluster(terms: list[_Term], names: tuple[str, ...], at: int) -> OpenPart:
    weights = np.zeros((len(names), 2))
    low, high = np.zeros(len(names)), np.zeros(len(names))
    for place, name in enumerate(names):
        for term in terms:
            if term.address == name:
                weights[place, term.side] += term.sign
                low[place], high[place] = term.cells.low[at], term.cells.high[at]
    return open_part(weights, low, high, _tied(names))


def _steps(amounts: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    return np.ceil(np.maximum(amounts, 0.0) / step)


def _missing(
    rows: Rows,
    at: int,
    table: str,
    terms: list[_Term],
    absent: NDArray[np.bool_],
    conditions: tuple[str, ...],
) -> tuple[MissingCell, ...]:
    names = [term.address for term, gone in zip(terms, absent, strict=True) if gone]
    names += [name for name in conditions if rows.source.absent(name)[rows.at[at]]]
    row, school = str(rows.name[at]), str(rows.school_id[at])
    return tuple(
        (*name.split(".", 1), row if name.split(".")[0] == table or not school else school)  # type: ignore[misc]
        for name in dict.fromkeys(names)
    )
