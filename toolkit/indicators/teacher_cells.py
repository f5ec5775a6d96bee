"""Scores of pupils linked to teachers: means of each teacher's pupils by school, grade, subject and year."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.county import County
from toolkit.errors import DesignError
from toolkit.indicators.outcomes import compute_outcomes
from toolkit.indicators.panel_achievement import number_pupils, standardise_scores
from toolkit.indicators.stable_units import StableUnits, trace_units
from toolkit.standards import Standard

Floats = NDArray[np.float64]

TEST = ["year", "stage", "grade", "subject"]
CELL = ["teacher", "school", "stage", "grade", "subject", "year"]
NO_UNITS = pd.DataFrame({"school": [], "stage": []})
COVERAGE_COLUMNS = [*TEST, "n_scores", "n_linked", "n_prior", "n_teachers", "gives_residuals"]


@dataclass(frozen=True, slots=True)
class TeacherCells:
    """Means of each teacher's pupils. Rows are persons: none may be shown.

    Attributes
    ----------
    county_id : str
        County.
    cells : pandas.DataFrame
        One row per `teacher`, `school` (unit), `stage`, `grade`, `subject` and `year`: `n_pupils` with a
        score, `weight`, mean `score` in standard deviations of the pupils of the test; and of those with an
        earlier score `n_prior`, `prior_weight`, mean `prior` (standardised likewise) and `prior_known_score`,
        with the sums of squares and products within the cell, `score_square`, `prior_square`, `product`.
        Weights have a mean of one in each test.
    coverage : pandas.DataFrame
        One row per year, stage, grade and subject: scores that count, those linked to a teacher, those of
        them with an earlier score, teachers, and whether the test `gives_residuals`.
    """

    county_id: str
    cells: pd.DataFrame
    coverage: pd.DataFrame

    @property
    def linked_share(self) -> float:
        """Share of the scores that count that are linked to a teacher."""
        return _share(self.coverage["n_linked"].sum(), self.coverage["n_scores"].sum())

    @property
    def prior_share(self) -> float:
        """Share of the linked scores that have an earlier one."""
        return _share(self.coverage["n_prior"].sum(), self.coverage["n_linked"].sum())

    @property
    def refusal(self) -> tuple[str, Mapping[str, float]] | None:
        """Name of the sentence that says why nothing can be estimated, and its numbers; None if it can."""
        rule = teacher_cell_settings()
        if not self.coverage["n_linked"].sum():
            return "teacher_links_none", {"scores": float(self.coverage["n_scores"].sum())}
        if self.linked_share < rule["least_linked"]:
            return "teacher_links_few", {
                "linked_share": self.linked_share,
                "least_share": float(rule["least_linked"]),
            }
        if not self.coverage["gives_residuals"].any():
            return "teacher_priors_none", {"prior_share": self.prior_share}
        return None

    def of_stage(self, stage: str) -> "TeacherCells":
        """Return the cells of one stage."""
        own, covered = self.cells["stage"] == stage, self.coverage["stage"] == stage
        return TeacherCells(
            self.county_id,
            self.cells[own].reset_index(drop=True),
            self.coverage[covered].reset_index(drop=True),
        )

    def tidy(self) -> pd.DataFrame:
        """Return the coverage: cells are persons and not listed."""
        return self.coverage.copy()


def compute_teacher_cells(
    county: County, standard: Standard, *, found: StableUnits | None = None
) -> TeacherCells:
    """Compute the means of each teacher's pupils, score and earlier score on the scale of each test.

    Parameters
    ----------
    county : County
        With `scores` and in them `teacher_id`; without, the cells are empty and `refusal` says so.
    standard : Standard
        Whose scope says which schools count.
    found : StableUnits, optional
        Which codes are one unit; traced if not given.
    """
    # What counts is settled without teachers: their numbers travel in the place of the class.
    tables = dict(county.tables)
    if "scores" in tables:
        scores = tables["scores"]
        tables["scores"] = scores.assign(class_id=scores["teacher_id"])
    outcomes = compute_outcomes(replace(county, tables=tables), standard)
    numbered = number_pupils(outcomes, trace_units(county) if found is None else found)
    scored = standardise_scores(numbered, NO_UNITS)
    own = numbered.cells.iloc[numbered.cell].reset_index(drop=True)
    pupils = outcomes.pupils[["grade", "subject", "weight"]].assign(
        teacher=outcomes.pupils["class_id"],
        school=own["school"],
        stage=own["stage"],
        year=own["year"].astype(int),
        score=scored.value,
        prior=scored.prior,
    )
    return collect_teacher_cells(county.county_id, pupils[pupils["score"].notna()])


def collect_teacher_cells(county_id: str, pupils: pd.DataFrame) -> TeacherCells:
    """Sum standardised scores up by teacher.

    Parameters
    ----------
    county_id : str
        County.
    pupils : pandas.DataFrame
        One row per score: `teacher` (missing where not linked), `school`, `stage`, `grade`, `subject`,
        `year`, `weight`, `score` and `prior` (missing where there is none).
    """
    by_test = pupils.groupby(TEST)["weight"].transform("mean").to_numpy(dtype=float)
    scaled = pupils.assign(weight=pupils["weight"].to_numpy(dtype=float) / by_test)
    linked = scaled[scaled["teacher"].notna()]
    earlier = linked[linked["prior"].notna()]
    sums = _sums(linked, ("score",)).rename(columns={"n": "n_pupils"})
    prior = _sums(earlier, ("score", "prior"), with_products=True).rename(
        columns={"n": "n_prior", "weight": "prior_weight", "score": "prior_known_score"}
    )
    cells = sums.join(prior)
    filled = ["n_prior", "prior_weight", "score_square", "prior_square", "product"]
    cells[filled] = cells[filled].fillna(0.0)
    return TeacherCells(county_id, cells.reset_index(), _coverage(scaled, linked, earlier))


def require_teacher_cells(cells: TeacherCells) -> None:
    """Refuse to go on where pupils are not linked to teachers, or have no earlier scores.

    Raises
    ------
    DesignError
        With the coverage.
    """
    if cells.refusal is not None:
        code, numbers = cells.refusal
        texts = {
            name: f"{100 * value:.1f}" if name.endswith("share") else f"{value:.0f}"
            for name, value in numbers.items()
        }
        raise DesignError(code, **texts)


@cache
def teacher_cell_settings() -> dict[str, float]:
    """Return the settings by which links and earlier scores are judged."""
    path = Path(__file__).with_name("teacher_cells.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))["coverage"]


def _sums(rows: pd.DataFrame, names: tuple[str, ...], *, with_products: bool = False) -> pd.DataFrame:
    """Return rows, weight and weighted means by cell; sums of squares and products within it if asked for."""
    weighted = {name: rows["weight"] * rows[name] for name in names}
    by = rows.assign(n=1.0, **weighted).groupby(CELL)
    found = by[["n", "weight", *names]].sum()
    found[list(names)] = found[list(names)].div(found["weight"], axis=0)
    if with_products:
        score, prior = (
            rows[name] - by[name].transform("sum") / by["weight"].transform("sum") for name in names
        )
        inside = rows[CELL].assign(
            score_square=rows["weight"] * score**2,
            prior_square=rows["weight"] * prior**2,
            product=rows["weight"] * score * prior,
        )
        found = found.join(inside.groupby(CELL)[["score_square", "prior_square", "product"]].sum())
    return found


def _coverage(scaled: pd.DataFrame, linked: pd.DataFrame, earlier: pd.DataFrame) -> pd.DataFrame:
    """Return scores, links and earlier scores of each test."""
    rule = teacher_cell_settings()
    found = scaled.groupby(TEST).size().rename("n_scores").to_frame()
    found["n_linked"] = linked.groupby(TEST).size()
    found["n_prior"] = earlier.groupby(TEST).size()
    found["n_teachers"] = linked.groupby(TEST)["teacher"].nunique()
    found = found.fillna(0).astype(int)
    enough = found["n_prior"] >= np.maximum(rule["least_pupils"], rule["least_prior"] * found["n_linked"])
    return found.assign(gives_residuals=enough).reset_index()[COVERAGE_COLUMNS]


def _share(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")
