"""校际差异率 of tests whose scores are too many for memory: from sums per school, read from Parquet."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.data.schema.school_years import GRADES
from toolkit.errors import DesignError
from toolkit.indicators.outcomes import FULL_SCALE, PLAUSIBLE_VALUES
from toolkit.models.grouped_sums import (
    WEIGHT_COLUMNS,
    load_group_moments,
    parquet_columns,
)
from toolkit.variation.achievement import read_tests

FILE_KEY = ("year", "grade", "subject")
REQUIRED = (*FILE_KEY, "school_id", "score")
WEIGHTED_NAMES = {"mean": "weighted_mean", "within_ss": "weighted_within_ss"}


@dataclass(frozen=True, slots=True)
class ScoreMoments:
    """Sums per school of every test in files of scores.

    Attributes
    ----------
    key : tuple of str
        Columns that name a test.
    tests : pandas.DataFrame
        One row per test: the columns of `key`, `n_schools`, `n_pupils`, `scale`, `full_mark`, `weighted`.
    schools : pandas.DataFrame
        One row per test and school: the columns of `key`, `school_id`, `n`, `mean`, `within_ss` in points
        (of 100 where the full mark is known), and with weights `weighted_mean`, `weighted_within_ss`,
        `weight_sum`, `weight_square_sum`; in tests without complete weights each pupil weighs 1.
    """

    key: tuple[str, ...]
    tests: pd.DataFrame
    schools: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per test and school."""
        return self.schools


def read_score_moments(
    paths: str | Path | Sequence[str | Path],
    *,
    by: Sequence[str] = (),
    where: Mapping[str, object] | None = None,
    threads: int = 1,
    memory_limit: str = "1GB",
) -> ScoreMoments:
    """Sum the scores of Parquet files per test and school, without holding the rows in memory.

    A row counts when it has a score, a school, a grade from 1 to 9 and no mark of absence. The columns are
    those of the table of scores (学生成绩) under their code names; `test`, `full_mark`, `linked_scale`,
    `absent` and `weight` may be absent.

    Parameters
    ----------
    paths : path or sequence of paths
        Parquet files.
    by : sequence of str
        Further columns of the files that tell tests apart, for instance a county's code.
    where : mapping, optional
        Columns and the value, or list of values, that a row must have: a year, or the schools that count.
    threads, memory_limit
        As for `load_group_moments`.

    Raises
    ------
    DesignError
        If a column is not there, no row counts, or the scores come as plausible values.

    Notes
    -----
    The files are taken as they are: no value is checked, and neither the scope of the standard nor the stage
    of grade 6 is looked up, which the roster of a county decides; `where` can name the schools.
    """
    columns = parquet_columns(paths)
    key = (*by, *FILE_KEY, *(["test"] if "test" in columns else []))
    absent = [name for name in (*by, *REQUIRED, *(where or {})) if name not in columns]
    if absent:
        raise DesignError("models_columns_absent", columns=", ".join(dict.fromkeys(absent)))
    fill = {name: value for name, value in (("test", ""), ("absent", False)) if name in columns}
    taken = {"grade": list(GRADES)} | ({"absent": False} if "absent" in columns else {}) | dict(where or {})

    def moments(weight: str | None, ranges: Sequence[str] = ()) -> pd.DataFrame:
        return load_group_moments(
            paths,
            outcome="score",
            by=[*key, "school_id"],
            weight=weight,
            where=taken,
            fill=fill,
            ranges=ranges,
            threads=threads,
            memory_limit=memory_limit,
        )

    optional = ("full_mark", "linked_scale", *PLAUSIBLE_VALUES)
    # Scale and full mark of a test come from the ranges in its schools: the file is read once.
    plain = moments(None, ["score", *(name for name in optional if name in columns)])
    ranges = _of_tests(plain, key)
    schools = _with_weights(
        plain.drop(columns=list(ranges.columns.difference(list(key)))),
        moments("weight") if "weight" in columns else None,
        key,
    )
    tests = _tests(schools, ranges, key)
    return ScoreMoments(key, tests, _in_points(schools, tests, key))


def estimate_score_readings(moments: ScoreMoments, *, confidence_level: float = 0.95) -> pd.DataFrame:
    """Estimate how much schools differ in each test, in four named readings.

    Parameters
    ----------
    moments : ScoreMoments
        Sums per school.
    confidence_level : float, default 0.95
        Level of the intervals.

    Returns
    -------
    DataFrame
        `ScoreMoments.tests` with the readings, `refusal` and `group_size` of `AchievementReadings`, equal to
        those from the rows.
    """
    parts = {key: [own] for key, own in moments.schools.groupby(list(moments.key), sort=False)}
    return read_tests(moments.tests, moments.key, parts, confidence_level)


def _of_tests(schools: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the least and greatest value of each test from those of its schools."""
    functions = {
        name: "min" if name.startswith("least_") else "max"
        for name in schools.columns
        if name.startswith(("least_", "greatest_"))
    }
    return schools.groupby(list(key), sort=True).agg(functions).reset_index()


def _with_weights(plain: pd.DataFrame, weighted: pd.DataFrame | None, key: Sequence[str]) -> pd.DataFrame:
    """Return plain and weighted moments; all pupils weigh 1 in tests in which one has no positive weight."""
    schools = plain.assign(
        weighted=False,
        weighted_mean=plain["mean"],
        weighted_within_ss=plain["within_ss"],
        weight_sum=plain["n"],
        weight_square_sum=plain["n"],
    )
    if weighted is None:
        return schools
    names = [*key, "school_id"]
    own = plain[names].merge(weighted.rename(columns=WEIGHTED_NAMES), on=names, how="left")
    complete = own["n"].eq(plain["n"]).groupby([plain[name] for name in key]).transform("all")
    schools["weighted"] = complete
    for name in (*WEIGHTED_NAMES.values(), *WEIGHT_COLUMNS):
        schools[name] = own[name].where(complete, schools[name])
    return schools


def _tests(schools: pd.DataFrame, ranges: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return one row per test with its size and scale."""
    by = schools.groupby(list(key), sort=True)
    tests = by.agg(n_schools=("n", "size"), n_pupils=("n", "sum"), weighted=("weighted", "first"))
    tests = tests.astype({"n_pupils": "int64"}).reset_index().merge(ranges, on=list(key))

    def column(name: str) -> pd.Series:
        return tests[name] if name in tests else pd.Series(np.nan, index=tests.index)

    if any(column(f"greatest_{name}").notna().any() for name in PLAUSIBLE_VALUES):
        raise DesignError("models_plausible_values_in_files")
    full_mark = column("greatest_full_mark")
    linked = (column("greatest_linked_scale") > 0) | (tests["least_score"] < 0)
    scale = np.select(
        [linked, column("least_full_mark") < full_mark, full_mark.notna()],
        ["linked_scale_test", "several_full_marks", "mark_scale"],
        default="scale_without_full_mark",
    )
    tests = tests.assign(scale=scale, full_mark=full_mark)
    return tests[[*key, "n_schools", "n_pupils", "scale", "full_mark", "weighted"]]


def _in_points(schools: pd.DataFrame, tests: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Return the moments of the schools on a scale of 100 where the full mark is known."""
    per_mark = np.where(tests["scale"] == "mark_scale", FULL_SCALE / tests["full_mark"], 1.0)
    factor = schools[list(key)].merge(tests[list(key)].assign(factor=per_mark), on=list(key))["factor"]
    points = schools.drop(columns="weighted")
    for power, names in ((1, ("mean", "weighted_mean")), (2, ("within_ss", "weighted_within_ss"))):
        for name in names:
            points[name] = points[name] * factor.to_numpy() ** power
    return points
