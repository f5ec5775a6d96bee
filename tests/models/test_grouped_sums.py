"""Moments per group: from a frame, from Parquet, stable, complete, repeatable."""

import numpy as np
import pandas as pd
import pytest

from toolkit.errors import DesignError
from toolkit.models.grouped_sums import compute_group_moments, load_group_moments


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(41)
    frame = pd.DataFrame(
        {
            "school_id": rng.choice(["S2", "S10", "S1", "S7"], 4000),
            "subject": rng.choice(["chinese", "mathematics"], 4000),
            "year": rng.choice([2022, 2023], 4000),
            "score": rng.normal(500, 90, 4000),
            "weight": rng.uniform(0.5, 3, 4000),
        }
    )
    frame.loc[::97, "score"] = np.nan
    frame.loc[::101, "school_id"] = None
    frame.loc[::103, "weight"] = 0.0
    return frame


@pytest.fixture(scope="module")
def parquet(scores, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scores")
    scores.iloc[:2500].to_parquet(folder / "a.parquet")
    scores.iloc[2500:].to_parquet(folder / "b.parquet")
    return [folder / "b.parquet", folder / "a.parquet"]


def plain(frame, keys):
    complete = frame.dropna(subset=["score", *keys])
    groups = complete.groupby(keys)["score"]
    return groups.size(), groups.mean(), groups.var(ddof=0) * groups.size()


@pytest.mark.parametrize("keys", [["school_id"], ["school_id", "subject", "year"]])
def test_both_ways_equal_the_plain_formula(scores, parquet, keys):
    n, mean, within = plain(scores, keys)
    for table in (
        compute_group_moments(scores, outcome="score", by=keys),
        load_group_moments(parquet, outcome="score", by=keys),
    ):
        assert list(table.columns) == [*keys, "n", "mean", "within_ss"]
        assert (
            table[keys].to_records(index=False).tolist()
            == n.index.to_frame().to_records(index=False).tolist()
        )
        assert table["n"].tolist() == n.tolist()
        assert table["mean"].to_numpy() == pytest.approx(mean.to_numpy(), rel=1e-12)
        assert table["within_ss"].to_numpy() == pytest.approx(within.to_numpy(), rel=1e-10)
        assert table.attrs["n_left_out"] == 4000 - n.sum()


def test_weighted_moments_equal_the_plain_formula(scores, parquet):
    complete = scores[(scores["weight"] > 0)].dropna(subset=["score", "school_id"])
    for table in (
        compute_group_moments(scores, outcome="score", by="school_id", weight="weight"),
        load_group_moments(parquet, outcome="score", by="school_id", weight="weight"),
    ):
        for (_, part), row in zip(complete.groupby("school_id"), table.itertuples(), strict=True):
            mean = np.average(part["score"], weights=part["weight"])
            assert row.mean == pytest.approx(mean, rel=1e-12)
            assert row.within_ss == pytest.approx(
                np.sum(part["weight"] * (part["score"] - mean) ** 2), rel=1e-10
            )
            assert row.weight_sum == pytest.approx(part["weight"].sum(), rel=1e-12)
            assert row.weight_square_sum == pytest.approx(np.sum(part["weight"] ** 2), rel=1e-12)
            assert row.n == len(part)


def test_a_filter_takes_one_value_or_several(scores, parquet):
    table = load_group_moments(
        parquet, outcome="score", by="school_id", where={"subject": "mathematics", "year": [2022, 2023]}
    )
    n, mean, _ = plain(scores[scores["subject"] == "mathematics"], ["school_id"])
    assert table["n"].tolist() == n.tolist()
    assert table["mean"].to_numpy() == pytest.approx(mean.to_numpy(), rel=1e-12)


def test_a_value_of_a_filter_is_never_read_as_a_command(parquet):
    with pytest.raises(DesignError, match="no row"):
        load_group_moments(parquet, outcome="score", by="school_id", where={"subject": "x' OR '1'='1"})


def test_the_same_files_give_the_same_bits_in_any_order(parquet):
    one = load_group_moments(parquet, outcome="score", by="school_id", weight="weight")
    other = load_group_moments(parquet[::-1], outcome="score", by="school_id", weight="weight")
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_variance_survives_a_large_common_level(tmp_path):
    values = 1e9 + np.array([0.0, 1.0, 2.0, 0.0, 1.0, 2.0])
    frame = pd.DataFrame({"school_id": ["a"] * 3 + ["b"] * 3, "score": values})
    frame.to_parquet(tmp_path / "far.parquet")
    for table in (
        compute_group_moments(frame, outcome="score", by="school_id"),
        load_group_moments(tmp_path / "far.parquet", outcome="score", by="school_id"),
    ):
        assert table["within_ss"].tolist() == pytest.approx([2.0, 2.0], rel=1e-6)


def test_leaves_its_input_as_it_is(scores):
    before = scores.copy()
    compute_group_moments(scores, outcome="score", by="school_id", weight="weight")
    pd.testing.assert_frame_equal(scores, before)


def test_refuses_when_nothing_is_complete(scores):
    with pytest.raises(DesignError, match="no row"):
        compute_group_moments(scores.assign(score=np.nan), outcome="score", by="school_id")
