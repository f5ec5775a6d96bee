"""Simulated counties are reproducible, of the size asked for, and written as files that read back."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from toolkit.data.county import Reading
from toolkit.data.reading import load_county
from toolkit.data.simulate import (
    DEMO,
    DEMO_SEED,
    SimulationSettings,
    simulate_county,
    simulate_pool,
    write_county,
)

COMMITTED = Path(__file__).parents[3] / "data"
TINY = SimulationSettings(n_schools=20, n_years=3)


def test_the_same_seed_gives_the_same_county_and_another_seed_another():
    first, again, other = (simulate_county(TINY, seed=seed) for seed in (1, 1, 2))
    assert first.truth == again.truth
    for name, table in first.county.tables.items():
        pd.testing.assert_frame_equal(table, again.county.tables[name])
    assert not first.county.tables["school_years"].equals(other.county.tables["school_years"])


def test_the_committed_demo_is_what_the_simulation_makes(demo):
    told = json.loads((COMMITTED / "demo_county" / "truth.json").read_text(encoding="utf-8"))
    assert told == json.loads(json.dumps(demo.truth))
    for name in ("scores", "teachers"):
        stored = pd.read_parquet(COMMITTED / "demo_county" / f"{name}.parquet")
        table = demo.county.tables[name]
        filled = table.dropna(axis="columns", how="all")
        pd.testing.assert_frame_equal(stored, filled, check_dtype=False)


@pytest.fixture(scope="module")
def reading() -> Reading:
    return load_county(COMMITTED / "demo_county.xlsx")


def test_the_committed_workbook_reads_without_errors_and_holds_the_simulated_values(demo, reading):
    assert [problem.code for problem in reading.errors] == []
    assert reading.county.name == demo.county.name
    assert reading.county.county_id == demo.county.county_id
    for name, table in demo.county.tables.items():
        read = reading.county.tables[name]
        # Codes that the dirt took out of the rotations come back by matching names.
        given = [column for column in table if name != "rotations" or not column.endswith("_id")]
        pd.testing.assert_frame_equal(read[given], table[given], rtol=1e-12, check_dtype=False, obj=name)


def test_matching_the_free_text_names_never_goes_wrong(demo, reading):
    spells = reading.county.tables["rotations"]
    starts = spells["rotation_start"].dt.strftime("%Y-%m-%d")
    rows = {key: row for row, key in enumerate(zip(spells["teacher_id"], starts, strict=True))}
    for text in demo.truth["free_text_schools"]:
        column = text["column"].replace("_name", "_id")
        found = spells[column].iloc[rows[text["teacher_id"], text["rotation_start"]]]
        assert pd.isna(found) or found == text["school_id"], text


def test_committed_files_stay_small():
    for path in (COMMITTED / "demo_county.xlsx", *(COMMITTED / "demo_county").iterdir()):
        assert path.stat().st_size < 1_400_000, path.name


def test_a_clean_county_has_no_empty_cells_no_names_without_codes_and_no_changes():
    clean = simulate_county(replace(TINY, clean=True, with_scores=False), seed=4)
    assert (
        clean.truth["missing_cells"]
        == clean.truth["free_text_schools"]
        == clean.truth["school_changes"]
        == []
    )
    assert "school_links" not in clean.county.tables
    assert {entry["verdict"] for entry in clean.truth["schools"]} <= {"pass", "fail"}
    years = clean.county.tables["school_years"]
    assert (years.groupby("school_id")["year"].nunique() == 3).all()
    spells = clean.county.tables["rotations"]
    assert spells[["sending_school_id", "receiving_school_id"]].notna().all(axis=None)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
def test_planned_coefficients_are_hit_in_other_counties_too(seed: int):
    settings = SimulationSettings(n_schools=40 + 20 * seed, n_years=3, with_scores=False)
    for entry in simulate_county(settings, seed=seed).truth["indicators"]:
        assert entry["complete_coefficient"] == pytest.approx(entry["planned_coefficient"], abs=0.01)


@pytest.mark.slow
def test_a_pool_has_counties_with_codes_names_and_people_of_their_own():
    pool = list(simulate_pool(3, replace(TINY, with_scores=False), seed=9))
    assert [simulated.county.county_id for simulated in pool] == ["990101", "990102", "990103"]
    assert len({simulated.county.name for simulated in pool}) == 3
    teachers = [set(simulated.county.tables["teachers"]["teacher_id"]) for simulated in pool]
    assert not teachers[0] & teachers[1]
    assert not pool[0].county.tables["school_years"].equals(pool[1].county.tables["school_years"])


def test_a_folder_of_parquet_holds_all_tables(tmp_path: Path):
    simulated = simulate_county(replace(TINY, with_scores=False), seed=2)
    write_county(simulated, tmp_path / "county")
    names = {path.stem for path in (tmp_path / "county").glob("*.parquet")}
    assert names == set(simulated.county.tables)
    assert json.loads((tmp_path / "county" / "truth.json").read_text(encoding="utf-8"))["synthetic"] is True


@pytest.mark.slow
def test_two_writings_are_equal_byte_by_byte(tmp_path: Path):
    simulated = simulate_county(TINY, seed=2)
    for place in ("one", "two"):
        (tmp_path / place).mkdir()
        write_county(simulated, tmp_path / place / "county.xlsx")
    for path in sorted((tmp_path / "one").rglob("*.*")):
        assert path.read_bytes() == (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes(), (
            path.name
        )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_schools": 19}, "n_schools must lie between 20 and 600, not 19"),
        ({"n_years": 2}, "n_years must lie between 3 and 20, not 2"),
        ({"county_number": 100}, "county_number must lie between 1 and 99, not 100"),
        ({"with_teachers": False}, "scores need teachers"),
    ],
)
def test_impossible_settings_are_refused(change: dict, said: str):
    with pytest.raises(ValueError, match=said):
        replace(DEMO, **change)


def test_the_demo_says_that_it_is_synthetic(demo):
    assert demo.truth["synthetic"] is True
    assert set(demo.county.tables["county_years"]["item_source"]) == {"模拟数据"}
    assert demo.truth["seed"] == DEMO_SEED
