"""Readings of 校际差异率 from files of scores: equal to those from rows in memory."""

import numpy as np
import pandas as pd
import pytest

from tests.tests_of_pupils import drawn_marks, enrolment_of, make_tested_county, score_rows
from toolkit.data.county import County
from toolkit.data.reading import load_county
from toolkit.data.schema import TABLES, conform
from toolkit.errors import DesignError
from toolkit.indicators.outcomes import compute_outcomes
from toolkit.share import share_path
from toolkit.standards import load_standard
from toolkit.variation.achievement import VALUES, estimate_achievement_readings
from toolkit.variation.score_files import estimate_score_readings, read_score_moments

STANDARD = load_standard("national_2017")
KEY = ["year", "grade", "subject", "test"]
NUMBERS = [*VALUES, "group_size", "n_schools", "n_pupils", "full_mark"]


def from_rows(scores):
    county = make_tested_county(scores, enrolment=enrolment_of(scores))
    return estimate_achievement_readings(compute_outcomes(county, STANDARD), STANDARD).table


def from_file(scores, path, **options):
    scores.to_parquet(path, index=False)
    return estimate_score_readings(read_score_moments(path, **options))


def assert_equal(found, expected):
    expected = expected.sort_values(KEY, ignore_index=True)
    assert len(found)
    assert found[KEY].astype(str).equals(expected[KEY].astype({"grade": found["grade"].dtype}).astype(str))
    assert found[["scale", "refusal"]].equals(expected[["scale", "refusal"]])
    assert found["weighted"].tolist() == expected["weighted"].tolist()
    for name in NUMBERS:
        assert found[name].to_numpy(dtype=float) == pytest.approx(
            expected[name].to_numpy(dtype=float), rel=1e-12, abs=1e-12, nan_ok=True
        ), name


@pytest.fixture(scope="module")
def drawn():
    return drawn_marks(np.random.default_rng(5), [20, 35, 5, 40, 28, 12, 33, 19], icc=0.2)


def test_the_demonstration_county_has_the_same_readings_from_its_file():
    path = share_path("data", "demo_county", "scores.parquet")
    county = load_county(share_path("data", "demo_county.xlsx"), tables=("schools", "school_years")).county
    rows = pd.read_parquet(path).query("year >= 2024").reset_index(drop=True)
    tables = {**county.tables, "scores": conform(rows, TABLES["scores"])}
    outcomes = compute_outcomes(County(county.county_id, county.name, tables), STANDARD)
    expected = estimate_achievement_readings(outcomes, STANDARD).table
    counted = sorted(outcomes.pupils["school_id"].unique())
    moments = read_score_moments(path, where={"school_id": counted, "year": [2024, 2025]})
    found = estimate_score_readings(moments)
    assert_equal(found, expected)


def test_absent_pupils_and_rows_without_score_or_school_do_not_count(drawn, tmp_path):
    scores = drawn.assign(absent=pd.array([False] * len(drawn), dtype="boolean"))
    scores.loc[::7, "absent"] = True
    scores.loc[3::11, "absent"] = pd.NA
    scores.loc[1::9, "score"] = np.nan
    others = [scores.iloc[[1]].assign(school_id=None), scores.iloc[[1]].assign(grade=11)]
    found = from_file(pd.concat([scores, *others]), tmp_path / "scores.parquet")
    assert_equal(found, from_rows(scores))


def test_weights_count_only_in_tests_in_which_every_pupil_has_one(drawn, tmp_path):
    rng = np.random.default_rng(6)
    weighted = drawn.assign(weight=rng.uniform(0.5, 3, len(drawn)), subject="mathematics")
    partly = weighted.assign(subject="english")
    partly.loc[4, "weight"] = np.nan
    scores = pd.concat([drawn.assign(weight=np.nan), weighted, partly], ignore_index=True)
    found = from_file(scores, tmp_path / "scores.parquet")
    assert found.set_index("subject")["weighted"].to_dict() == {
        "chinese": False,
        "english": False,
        "mathematics": True,
    }
    assert_equal(found, from_rows(scores))


def test_scales_are_told_apart_as_in_memory(drawn, tmp_path):
    rows = {
        "chinese": drawn.assign(full_mark=150.0),
        "mathematics": drawn.assign(full_mark=np.nan),
        "english": drawn.assign(full_mark=np.where(np.arange(len(drawn)) % 2, 100.0, 120.0)),
        "physics": drawn.assign(score=drawn["score"] - 80, full_mark=np.nan),
    }
    scores = pd.concat([own.assign(subject=name) for name, own in rows.items()], ignore_index=True)
    found = from_file(scores, tmp_path / "scores.parquet")
    assert set(found["scale"]) == {
        "mark_scale",
        "scale_without_full_mark",
        "several_full_marks",
        "linked_scale_test",
    }
    assert_equal(found, from_rows(scores))


def test_a_full_mark_only_on_rows_that_do_not_count_is_none(tmp_path):
    scores = score_rows({"a": [60.0, 70.0, 80.0], "b": [50.0, 90.0]})
    scores.loc[5] = scores.iloc[0].to_dict() | {"score": np.nan, "full_mark": 150.0}
    assert from_file(scores, tmp_path / "scores.parquet")["full_mark"].tolist() == [100.0]


def test_a_test_without_reading_says_why(tmp_path):
    scores = pd.concat(
        [
            score_rows({"a": [60.0, 70.0]}, subject="chinese"),
            score_rows({"a": [60.0], "b": [70.0]}, subject="english"),
            score_rows({"a": [60.0, 60.0], "b": [60.0, 60.0]}, subject="mathematics"),
        ],
        ignore_index=True,
    )
    found = from_file(scores, tmp_path / "scores.parquet").set_index("subject")
    assert found["refusal"].to_dict() == {
        "chinese": "refused_one_school",
        "english": "refused_one_pupil_each",
        "mathematics": "refused_no_spread",
    }
    assert found[["icc", "eta_squared", "mean_sd"]].isna().all(axis=None)


def test_counties_of_one_file_are_read_apart(drawn, tmp_path):
    other = drawn_marks(np.random.default_rng(6), [30, 22, 18], icc=0.1)
    one, two = from_rows(drawn), from_rows(other)
    names = ["year", "grade", "subject", "school_id", "score", "full_mark"]
    for name, rows in (("330102", other), ("330101", drawn)):
        rows[names].assign(county=name).to_parquet(tmp_path / f"{name}.parquet", index=False)
    moments = read_score_moments(sorted(tmp_path.glob("*.parquet")), by=["county"])
    found = estimate_score_readings(moments)
    assert found["county"].tolist() == ["330101", "330102"]
    assert found["icc"].to_numpy() == pytest.approx([one["icc"].iloc[0], two["icc"].iloc[0]], rel=1e-12)
    assert found["n_pupils"].tolist() == [len(drawn), len(other)]
    assert moments.tidy().groupby("county").size().tolist() == [8, 3]


def test_files_with_different_columns_are_read_as_one(drawn, tmp_path):
    first, last = drawn.iloc[:90], drawn.iloc[90:].drop(columns="student_id")
    first.to_parquet(tmp_path / "a.parquet", index=False)
    last[last.columns[::-1]].to_parquet(tmp_path / "b.parquet", index=False)
    moments = read_score_moments([tmp_path / "b.parquet", tmp_path / "a.parquet"])
    assert_equal(estimate_score_readings(moments), from_rows(drawn))


def test_files_that_cannot_be_summed_are_refused(drawn, tmp_path):
    with pytest.raises(DesignError, match="subject, county"):
        from_file(drawn.drop(columns="subject"), tmp_path / "a.parquet", where={"county": "330101"})
    with pytest.raises(DesignError, match="plausible"):
        from_file(drawn.assign(plausible_value_1=drawn["score"]), tmp_path / "b.parquet")
    with pytest.raises(DesignError, match="no row"):
        from_file(drawn, tmp_path / "c.parquet", where={"year": 1999})
