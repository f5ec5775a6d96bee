"""Changes of school means from year to year, and of the value added of those who teach there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.effects.teacher_residuals import POST, TeacherResiduals
from toolkit.indicators.teacher_cells import TeacherCells
from toolkit.models.teacher_value_added import predict_value_added

Floats = NDArray[np.float64]

SCHOOL_CELL = ["school", "stage", "grade", "subject"]
CHANGE_COLUMNS = [
    *SCHOOL_CELL,
    "year",
    "window",
    "pupils",
    "known_share",
    "score",
    "prior",
    "value_added",
    "rotated",
    "previous",
]
MOVE_COLUMNS = ["teacher", "school", "stage", "subject", "grade", "year", "window", "by_rotation"]


@dataclass(frozen=True, slots=True)
class SwitchChanges:
    """Changes between consecutive years of one school, grade and subject.

    Attributes
    ----------
    changes : pandas.DataFrame
        `CHANGE_COLUMNS`: `year` is the later one; `pupils` the mean number of both years; `known_share` the
        smaller share of pupils whose teacher has a prediction; the changes of the mean `score`, of the mean
        earlier score `prior` (missing without), of the mean predicted `value_added`, and the part of it that
        `rotated` in or out; and `previous`, the change a year before of the mean predicted value added of
        those who taught the grade below, whose pupils these are now (missing where it was not tested). One
        row per window of years that the prediction leaves out.
    moves : pandas.DataFrame
        `MOVE_COLUMNS`: arrivals and departures behind them. Rows are persons: none may be shown.
    """

    changes: pd.DataFrame
    moves: pd.DataFrame


def compute_switch_changes(
    cells: TeacherCells,
    residuals: TeacherResiduals,
    *,
    windows: Mapping[str, Sequence[int]],
    placed: pd.DataFrame | None = None,
) -> SwitchChanges:
    """Compute changes of means and of predicted value added, the years compared left out of the prediction.

    Parameters
    ----------
    cells, residuals : TeacherCells, TeacherResiduals
        The second computed from the first.
    windows : mapping of str to sequence of int
        Years left out, from the later year compared.
    placed : pandas.DataFrame, optional
        Spells of rotation, see `place_spells`; a teacher arrives or leaves by rotation who is at the school
        in one of the two years and not in the other, where a spell begins or has ended that year.
    """
    people = _People(cells, residuals, _turns(placed))
    changes, moves = [], []
    for year in residuals.years[1:]:
        for name, window in windows.items():
            predicted, known = _predictions(residuals, [year + step for step in window])
            changes.append(people.changes(year, predicted, known).assign(year=year, window=name))
            moves.append(people.moves(year, known).assign(year=year, window=name))
    return SwitchChanges(_stacked(changes, CHANGE_COLUMNS), _stacked(moves, MOVE_COLUMNS))


def _turns(placed: pd.DataFrame | None) -> pd.MultiIndex:
    """Return teacher, school and year in which a spell brings the teacher there or takes the teacher away."""
    empty = pd.MultiIndex.from_arrays([[], [], []])
    if placed is None:
        return empty
    usable = placed[placed["share"].fillna(0) > 0].dropna(subset=["teacher_id", "first_year"])
    turns = [
        usable[["teacher_id", side, year]].set_axis(["teacher", "school", "year"], axis=1).assign(after=after)
        for side in ("sending", "receiving")
        for year, after in (("first_year", 0), ("last_year", 1))
    ]
    found = pd.concat(turns).dropna(subset=["year"])
    found = found[found["school"] != ""]
    if found.empty:
        return empty
    year = found["year"].astype(int) + found["after"]
    return pd.MultiIndex.from_arrays([found["teacher"], found["school"], year]).drop_duplicates()


def _predictions(residuals: TeacherResiduals, left_out: list[int]) -> tuple[Floats, NDArray[np.bool_]]:
    """Return predictions of all posts without some years, and which there are; the last place is unknown."""
    out = np.isin(residuals.years, left_out)
    predicted = np.zeros(len(residuals.posts) + 1)
    known = np.zeros(len(predicted), dtype=bool)
    for (stage, subject), persistence in residuals.persistence.items():
        own = ((residuals.posts["stage"] == stage) & (residuals.posts["subject"] == subject)).to_numpy()
        if not persistence.teacher_variance > 0:
            continue
        values, seen = predict_value_added(residuals.means, persistence, out)
        predicted[:-1][own], known[:-1][own] = values[own], seen[own]
    return predicted, known


class _People:
    """The rows of all teachers, with numbers in place of labels."""

    def __init__(self, cells: TeacherCells, residuals: TeacherResiduals, turns: pd.MultiIndex) -> None:
        rows = self.rows = cells.cells
        self.year = rows["year"].to_numpy(dtype=int)
        self.post = pd.MultiIndex.from_frame(residuals.posts).get_indexer(
            pd.MultiIndex.from_frame(rows[POST])
        )
        self.cell = rows.groupby(SCHOOL_CELL).ngroup().to_numpy()
        self.labels = (
            rows[SCHOOL_CELL].iloc[np.unique(self.cell, return_index=True)[1]].reset_index(drop=True)
        )
        below = self.labels.assign(grade=self.labels["grade"] - 1)
        self.below = pd.MultiIndex.from_frame(self.labels).get_indexer(pd.MultiIndex.from_frame(below))
        self.seat = rows.groupby(["teacher", "school", "stage", "subject"]).ngroup().to_numpy()
        self.weight = rows["weight"].to_numpy(dtype=float)
        self.turned = {
            step: pd.MultiIndex.from_arrays([rows["teacher"], rows["school"], self.year + step]).isin(turns)
            for step in (0, 1)
        }

    def changes(self, year: int, predicted: Floats, known: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the changes of the cells that exist in both years."""
        now = self._means(self.year == year, self._rotated(year)[0], predicted, known)
        before = self._means(self.year == year - 1, self._rotated(year)[1], predicted, known)
        both = (now["pupils"] > 0) & (before["pupils"] > 0)
        found = {name: now[name] - before[name] for name in ("score", "prior", "value_added", "rotated")}
        found["previous"] = self._previous(year, predicted, known)
        found["pupils"] = (now["pupils"] + before["pupils"]) / 2
        found["known_share"] = np.minimum(now["known_share"], before["known_share"])
        return self.labels.assign(**found)[both].reset_index(drop=True)

    def _previous(self, year: int, predicted: Floats, known: NDArray[np.bool_]) -> Floats:
        """Return the change of the mean value added of the grade below in the year before, (n_cells,)."""
        none = np.zeros(len(self.year), dtype=bool)
        sides = [
            self._means(self.year == when, none, predicted, known)["value_added"]
            for when in (year - 1, year - 2)
        ]
        change = np.append(sides[0] - sides[1], np.nan)
        return change[self.below]

    def moves(self, year: int, known: NDArray[np.bool_]) -> pd.DataFrame:
        """Return the teachers with a prediction who are at the school in one of the two years alone."""
        came, gone = self._moved(year)
        rotated = np.logical_or(*self._rotated(year))
        chosen = (came | gone) & known[self.post]
        return self.rows.loc[chosen, ["teacher", *SCHOOL_CELL]].assign(by_rotation=rotated[chosen])

    def _moved(self, year: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return the rows of teachers who came to the school this year, and who left it the year before."""
        now, before = self.year == year, self.year == year - 1
        came = now & ~np.isin(self.seat, self.seat[before])
        return came, before & ~np.isin(self.seat, self.seat[now])

    def _rotated(self, year: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return those of them that a spell of rotation brought or took away."""
        came, gone = self._moved(year)
        return came & self.turned[0], gone & self.turned[1]

    def _means(
        self,
        own: NDArray[np.bool_],
        by_rotation: NDArray[np.bool_],
        predicted: Floats,
        known: NDArray[np.bool_],
    ) -> dict[str, Floats]:
        """Return the means of each cell in one year; missing without pupils."""
        cell, size = self.cell[own], len(self.labels)
        weight = self.weight[own]
        value = predicted[self.post[own]]
        prior_weight = self.rows["prior_weight"].to_numpy(dtype=float)[own]
        prior = np.nan_to_num(self.rows["prior"].to_numpy(dtype=float)[own])

        def mean(values: Floats, weights: Floats) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.bincount(cell, weights * values, size) / np.bincount(cell, weights, size)

        return {
            "score": mean(self.rows["score"].to_numpy(dtype=float)[own], weight),
            "prior": mean(prior, prior_weight),
            "value_added": mean(value, weight),
            "rotated": mean(value * by_rotation[own], weight),
            "known_share": mean(known[self.post[own]].astype(float), weight),
            "pupils": np.bincount(cell, self.rows["n_pupils"].to_numpy(dtype=float)[own], size).astype(float),
        }


def _stacked(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
