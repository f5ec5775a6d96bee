"""What teachers' pupils score beyond their earlier scores, by teacher and year."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.indicators.teacher_cells import TEST, TeacherCells
from toolkit.models.teacher_value_added import Persistence, ResidualMeans, estimate_persistence

Floats = NDArray[np.float64]

POST = ["teacher", "stage", "subject"]
"""A teacher's effect is one per stage and subject."""
RESIDUAL_COLUMNS = [*POST, "school", "grade", "year", "residual", "pupils"]


@dataclass(frozen=True, slots=True)
class TeacherResiduals:
    """Residual means of teachers. Rows are persons: none may be shown.

    Attributes
    ----------
    posts : pandas.DataFrame, (n_posts, 3)
        `teacher`, `stage`, `subject`: one teacher in one stage and subject.
    years : tuple of int
        All school years between the first and the last.
    means : ResidualMeans
        By post and year, over schools and grades.
    cells : pandas.DataFrame
        `RESIDUAL_COLUMNS`: one row per post, school, grade and year.
    persistence : mapping of (str, str) to Persistence
        By stage and subject.
    tests : pandas.DataFrame
        One row per test that gives residuals: slope on the own earlier score, and on the mean one of the
        grade at the school.
    """

    posts: pd.DataFrame
    years: tuple[int, ...]
    means: ResidualMeans
    cells: pd.DataFrame
    persistence: dict[tuple[str, str], Persistence]
    tests: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return the variances by stage and subject."""
        rows = [
            {
                "stage": stage,
                "subject": subject,
                **{name: getattr(one, name) for name in Persistence.__slots__},
            }
            for (stage, subject), one in self.persistence.items()
        ]
        return pd.DataFrame(rows, columns=["stage", "subject", *Persistence.__slots__])


def compute_teacher_residuals(
    cells: TeacherCells, *, peers: bool = True, least_gap: int = 1
) -> TeacherResiduals:
    """Compute residual means of teachers: scores less what earlier scores predict.

    Within each year, grade and subject: the slope on the own earlier score is that among pupils of one
    teacher at one school, so that teachers who were given better pupils do not flatten it; what is left is
    regressed on the mean earlier score of the grade at the school, since schools whose pupils were ahead stay
    ahead by more than the score of one test says of each pupil. Better teachers at schools of better pupils
    lose by the second step a part of what they add. Scores without an earlier one enter no residual, and
    tests in which most have none give none.

    Parameters
    ----------
    cells : TeacherCells
        Not refused.
    peers : bool
        Whether the mean earlier score of the grade at the school is taken into account.
    least_gap : int
        See `estimate_persistence`.
    """
    usable = cells.coverage.loc[cells.coverage["gives_residuals"], TEST]
    own = cells.cells.merge(usable, on=TEST)
    own = own[own["n_prior"] > 0].reset_index(drop=True)
    tests, left = _own_score(own)
    residual = _less_peers(own, left, tests) if peers else _centred(own, left)
    rows = own.assign(residual=residual, pupils=own["n_prior"])[RESIDUAL_COLUMNS]
    posts = own[POST].drop_duplicates().sort_values(POST).reset_index(drop=True)
    years = tuple(range(int(cells.cells["year"].min()), int(cells.cells["year"].max()) + 1))
    means = _by_year(rows, posts, years)
    noise = _pupil_variances(own, tests)
    persistence = {}
    for key, members in posts.groupby(["stage", "subject"]).groups.items():
        place = np.asarray(members)
        part = ResidualMeans(means.residuals[place], means.pupils[place], means.places[place])
        stage, subject = str(key[0]), str(key[1])  # pyright: ignore[reportIndexIssue]
        persistence[stage, subject] = estimate_persistence(part, noise[stage, subject], least_gap=least_gap)
    return TeacherResiduals(posts, years, means, rows, persistence, tests)


def _own_score(own: pd.DataFrame) -> tuple[pd.DataFrame, Floats]:
    """Return each test with its slope, and mean scores less slope times mean earlier scores."""
    sums = own.groupby(TEST)[["product", "prior_square"]].sum()
    tests = (sums["product"] / sums["prior_square"]).rename("slope").reset_index()
    slope = own[TEST].merge(tests, on=TEST, how="left")["slope"].to_numpy(dtype=float)
    return tests, (own["prior_known_score"] - slope * own["prior"]).to_numpy(dtype=float)


def _centred(own: pd.DataFrame, values: Floats) -> Floats:
    """Return values less their weighted mean in each test."""
    return values - _group_means(own, TEST, values)


def _less_peers(own: pd.DataFrame, left: Floats, tests: pd.DataFrame) -> Floats:
    """Return what is left when the mean earlier score of the grade at the school is taken out."""
    peers = _group_means(own, [*TEST, "school"], own["prior"].to_numpy(dtype=float))
    x, y = _centred(own, peers), _centred(own, left)
    weight = own["prior_weight"].to_numpy(dtype=float)
    sums = own[TEST].assign(cross=weight * x * y, square=weight * x**2).groupby(TEST).sum()
    slope = (sums["cross"] / sums["square"].where(sums["square"] > 0)).fillna(0.0).rename("peer_slope")
    tests["peer_slope"] = tests[TEST].merge(slope.reset_index(), on=TEST)["peer_slope"]
    return y - own[TEST].merge(slope.reset_index(), on=TEST, how="left")["peer_slope"].to_numpy() * x


def _group_means(own: pd.DataFrame, by: list[str], values: Floats) -> Floats:
    weight = own["prior_weight"].to_numpy(dtype=float)
    group = own.groupby(by).ngroup().to_numpy()
    return (np.bincount(group, weight * values) / np.bincount(group, weight))[group]


def _by_year(rows: pd.DataFrame, posts: pd.DataFrame, years: tuple[int, ...]) -> ResidualMeans:
    """Return means, pupils and main school of each post and year."""
    shape = len(posts), len(years)
    post = pd.MultiIndex.from_frame(posts).get_indexer(pd.MultiIndex.from_frame(rows[POST]))
    place = post * len(years) + (rows["year"].to_numpy(dtype=int) - years[0])
    weight = rows["pupils"].to_numpy(dtype=float)
    size = shape[0] * shape[1]
    pupils = np.bincount(place, weight, size).astype(float)
    with np.errstate(invalid="ignore"):
        values = np.bincount(place, weight * rows["residual"].to_numpy(dtype=float), size) / pupils
    schools = np.full(size, -1, dtype=np.int64)
    order = np.argsort(weight, kind="stable")
    schools[place[order]] = pd.factorize(rows["school"], sort=True)[0][order]
    return ResidualMeans(values.reshape(shape), pupils.reshape(shape), schools.reshape(shape))


def _pupil_variances(own: pd.DataFrame, tests: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return the variance of residuals within cells by stage and subject."""
    slope = own[TEST].merge(tests, on=TEST, how="left")["slope"].to_numpy(dtype=float)
    square = own["score_square"] - 2 * slope * own["product"] + slope**2 * own["prior_square"]
    sums = (
        own.assign(square=square, free=own["n_prior"] - 1)
        .groupby(["stage", "subject"])[["square", "free"]]
        .sum()
    )
    found = sums["square"] / sums["free"].clip(lower=1)
    return {(str(key[0]), str(key[1])): float(value) for key, value in found.items()}  # pyright: ignore[reportIndexIssue]
