"""Teachers who rotate: their own value added before and after, beside stayers who had done as well."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from toolkit.effects.guard import DesignGuard, GuardFinding, Severity
from toolkit.effects.switch_guard import switch_settings
from toolkit.effects.teacher_residuals import TeacherResiduals, compute_teacher_residuals
from toolkit.indicators.rotation_placement import DIRECTIONS
from toolkit.indicators.teacher_cells import TeacherCells
from toolkit.inference.clusters import degrees_of_freedom, effective_clusters, t_interval
from toolkit.models.matched_stayers import MatchedSets, match_stayers

Floats = NDArray[np.float64]

ALL_DIRECTIONS = "all_directions"
PERIODS = ("before", "after")
MOVER_COLUMNS = [
    "direction",
    "period",
    "since",
    "movers",
    "stayers",
    "difference",
    "std_error",
    "degrees",
    "conf_low",
    "conf_high",
    "p_value",
    "n_movers",
    "n_stayers",
    "refusal",
]
JUDGED = ("std_error", "degrees", "conf_low", "conf_high", "p_value")
SEVERITIES: Mapping[str, Severity] = {
    "teacher_links_none": "refused",
    "teacher_links_few": "refused",
    "teacher_priors_none": "refused",
    "movers_no_spells": "refused",
    "movers_few": "refused",
    "movers_lost": "qualified",
}


@dataclass(frozen=True, slots=True)
class RotationMovers:
    """Value added of teachers around their move, and of matched stayers.

    Attributes
    ----------
    guard : DesignGuard
        What cannot be told, or only with care.
    table : pandas.DataFrame
        `MOVER_COLUMNS`: by `direction` (down, level, up, or all) and year `since` the move (missing in the
        rows that sum up a `period`): mean value added of movers and of their matched stayers, the difference
        with t interval. Rows of few movers say so in `refusal` and have no number.
    n_moves, n_with_before, n_matched : int
        First moves of teachers, those with value added before and after, and those with matched stayers.
    confidence_level : float
        Of the intervals.
    """

    guard: DesignGuard
    table: pd.DataFrame
    n_moves: int
    n_with_before: int
    n_matched: int
    confidence_level: float

    @property
    def is_refused(self) -> bool:
        """Whether nothing was estimated."""
        return self.guard.is_refused

    def tidy(self) -> pd.DataFrame:
        """Return one row per direction and year."""
        return self.table.copy()


def study_rotation_movers(
    cells: TeacherCells,
    placed: pd.DataFrame,
    *,
    peers: bool = True,
    confidence_level: float = 0.95,
) -> RotationMovers:
    """Set the value added of rotating teachers around their first move beside that of matched stayers.

    Teachers chosen for a good year do worse in the next wherever they are. Each mover is therefore matched to
    teachers of the same stage and subject who never moved and whose mean value added was nearest in the
    same years before, out of as many of them: their years after show the regression to the mean, and the
    difference what the move adds. Residual means are not shrunken: noise is the same on both sides.

    After the move, years count while the spell lasts. A mover's difference holds what the receiving school
    itself adds to its pupils, as far as their earlier scores do not show it. Standard errors are by teacher
    (a teacher of two subjects, or matched to several movers, is one cluster), around the line that links
    later to earlier value added among stayers; degrees of freedom are the effective number of movers less
    one.

    Parameters
    ----------
    cells : TeacherCells
        Pupils linked to teachers.
    placed : pandas.DataFrame
        Spells, see `place_spells`, with `direction` from `mark_directions`.
    peers : bool
        See `compute_teacher_residuals`.
    confidence_level : float
        Of the intervals.
    """
    if cells.refusal is not None:
        code, numbers = cells.refusal
        return _refused({code: numbers}, confidence_level)
    residuals = compute_teacher_residuals(cells, peers=peers)
    spells = _first_spells(placed)
    if spells.empty:
        return _refused({"movers_no_spells": {}}, confidence_level)
    posts = residuals.posts.merge(spells, on=["teacher", "stage"], how="left", validate="many_to_one")
    moved = posts["first_year"].notna().to_numpy()
    rule = switch_settings("movers")
    ever = placed["teacher_id"].dropna().unique()
    stays = ~posts["teacher"].isin(ever).to_numpy() & _at_one_school(residuals)
    sets = match_stayers(
        np.where(residuals.means.known, residuals.means.residuals, np.nan),
        residuals.means.pupils,
        first=np.where(moved, posts["first_year"].to_numpy(dtype=float) - residuals.years[0], np.nan),
        last=posts["last_year"].to_numpy(dtype=float) - residuals.years[0],
        stays=stays,
        kind=residuals.posts.groupby(["stage", "subject"]).ngroup().to_numpy(),
        before=int(rule["years_before"]),
        after=int(rule["years_after"]),
        matches=int(rule["matches"]),
        caliper=float(rule["caliper"]),
    )
    counts = int(moved.sum()), sets.n_seen, len(sets.mover)
    if len(sets.mover) < rule["least_movers"]:
        found = {"movers_few": {"matched": len(sets.mover), "least": rule["least_movers"]}}
        return _refused(found, confidence_level, counts)
    lost = {"movers_lost": {"moves": counts[0], "seen": counts[1], "matched": counts[2]}}
    return RotationMovers(_guard(lost), _curves(sets, posts, confidence_level), *counts, confidence_level)


def _first_spells(placed: pd.DataFrame) -> pd.DataFrame:
    """Return the first spell of each teacher and stage with years, receiving school and direction."""
    usable = placed[(placed["reason"] == "rotation_used") & (placed["share"] > 0)]
    usable = usable.dropna(subset=["teacher_id", "first_year"]).sort_values("first_year", kind="stable")
    first = usable.drop_duplicates(["teacher_id", "stage"]).rename(columns={"teacher_id": "teacher"})
    return first[["teacher", "stage", "first_year", "last_year", "direction"]]


def _at_one_school(residuals: TeacherResiduals) -> NDArray[np.bool_]:
    """Say which posts were at one school in all years, (n_posts,)."""
    places, known = residuals.means.places, residuals.means.known
    lowest = np.where(known, places, np.iinfo(np.int64).max).min(axis=1)
    return np.where(known, places, -1).max(axis=1) == lowest


def _curves(sets: MatchedSets, posts: pd.DataFrame, level: float) -> pd.DataFrame:
    """Return the rows of all directions."""
    direction = posts["direction"].to_numpy(dtype=object)[sets.mover]
    teacher = pd.factorize(posts["teacher"])[0]
    rows = []
    for name in (ALL_DIRECTIONS, *DIRECTIONS):
        chosen = np.ones(len(direction), dtype=bool) if name == ALL_DIRECTIONS else direction == name
        for place, since in enumerate(sets.since):
            period = PERIODS[int(since >= 0)]
            rows.append({"direction": name, "period": period, "since": float(since)})
            rows[-1] |= _difference(sets, sets.of_year(place), chosen, teacher, level)
        for period, years in zip(PERIODS, (sets.since < 0, sets.since >= 0), strict=True):
            rows.append({"direction": name, "period": period, "since": np.nan})
            rows[-1] |= _difference(sets, sets.of_years(years), chosen, teacher, level)
            if period == PERIODS[0]:
                # Movers and stayers were matched on this mean: it has no sampling error to speak of.
                rows[-1] |= dict.fromkeys(JUDGED, np.nan)
    return _without_small_rests(pd.DataFrame(rows)[MOVER_COLUMNS])


def _without_small_rests(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with further rows withheld: none of few movers follows by subtraction from all."""
    least = switch_settings("movers")["least_movers"]
    found = table.copy()
    for _, rows in found.groupby(["period", "since"], dropna=False):
        parts = rows[(rows["direction"] != ALL_DIRECTIONS) & (rows["refusal"] == "")].sort_values("n_movers")
        rest = rows.loc[rows["direction"] == ALL_DIRECTIONS, "n_movers"].sum() - parts["n_movers"].sum()
        for index, count in parts["n_movers"].items():
            if not 0 < rest < least:
                break
            rest += count
            found.loc[index, MOVER_COLUMNS[3:-3]] = np.nan
            found.loc[index, "refusal"] = "movers_row_few"
    return found


def _difference(
    sets: MatchedSets, values: Floats, chosen: NDArray[np.bool_], teacher: NDArray[np.int64], level: float
) -> dict[str, Any]:
    """Return movers' and stayers' means and their difference, with the error by teacher.

    `values` are those of all posts aligned to each mover's move, (n_sets, n_posts in a set), the mover first.
    """
    known = np.isfinite(values)
    use = chosen & known[:, 0] & known[:, 1:].any(axis=1)
    n_movers = len(np.unique(teacher[sets.mover[use]]))
    nothing = dict.fromkeys(MOVER_COLUMNS[3:], np.nan)
    if n_movers < switch_settings("movers")["least_movers"]:
        return nothing | {"n_movers": n_movers, "n_stayers": 0, "refusal": "movers_row_few"}
    weights = known[use, 1:] / known[use, 1:].sum(axis=1)[:, None]
    given = np.where(known[use, 1:], values[use, 1:], 0.0)
    movers, stayers = values[use, 0], (weights * given).sum(axis=1)
    means = {"movers": float(movers.mean()), "stayers": float(stayers.mean())}
    difference = means["movers"] - means["stayers"]
    clusters = np.concatenate([teacher[sets.mover[use]], teacher[sets.stayers[use]].ravel()])
    error, effective = _error(sets, use, weights, movers, given, clusters)
    degrees = degrees_of_freedom(effective)
    low, high = t_interval(difference, error, degrees, confidence_level=level)
    return nothing | {
        **means,
        "difference": difference,
        "std_error": error,
        "degrees": degrees,
        "conf_low": low,
        "conf_high": high,
        "p_value": float(2 * stats.t.sf(abs(difference) / error, degrees)) if error > 0 else np.nan,
        "n_movers": n_movers,
        "n_stayers": len(np.unique(teacher[sets.stayers[use]][weights > 0])),
        "refusal": "",
    }


def _error(
    sets: MatchedSets,
    use: NDArray[np.bool_],
    weights: Floats,
    movers: Floats,
    given: Floats,
    clusters: NDArray[np.int64],
) -> tuple[float, float]:
    """Return the standard error by teacher, and the effective number of movers."""
    levels = sets.levels[use]
    mean, centre = np.average(given, weights=weights), np.average(levels[:, 1:], weights=weights)
    spread = (weights * (levels[:, 1:] - centre) ** 2).sum()
    slope = (weights * (given - mean) * (levels[:, 1:] - centre)).sum() / spread if spread > 0 else 0.0
    left = movers - slope * levels[:, 0]
    residual = given - mean - slope * (levels[:, 1:] - centre)
    share = 1 / len(movers)
    parts = np.concatenate([share * (left - left.mean()), -share * (weights * residual).ravel()])
    _, member = np.unique(clusters, return_inverse=True)
    sums = np.bincount(member, parts)
    loads = np.bincount(member[: len(movers)], minlength=len(sums))
    effective = effective_clusters(loads[loads > 0].astype(float) ** 2)
    counted = np.count_nonzero(loads)
    return float(np.sqrt((sums**2).sum() * counted / (counted - 1))), effective


def _guard(found: Mapping[str, Mapping[str, float]]) -> DesignGuard:
    findings = [GuardFinding(code, kind, found[code]) for code, kind in SEVERITIES.items() if code in found]
    return DesignGuard(tuple(findings), switch_settings("movers"))


def _refused(
    found: Mapping[str, Mapping[str, float]], level: float, counts: tuple[int, int, int] = (0, 0, 0)
) -> RotationMovers:
    return RotationMovers(_guard(found), pd.DataFrame(columns=MOVER_COLUMNS), *counts, level)
