"""The tables of a simulated county agree with the contract and with each other."""

import numpy as np
import pandas as pd
import pytest

from toolkit.data.schema import TABLES

EXPECTED_TYPES = {
    "code": "str",
    "text": "str",
    "choice": "str",
    "integer": "float64",
    "number": "float64",
    "share": "float64",
    "year": "Int64",
    "boolean": "boolean",
    "date": "datetime64[ns]",
}


@pytest.fixture(scope="module")
def years(demo) -> pd.DataFrame:
    return demo.county.tables["school_years"]


def test_all_twelve_tables_have_their_columns_and_types(demo):
    assert set(demo.county.tables) == set(TABLES)
    for name, frame in demo.county.tables.items():
        assert tuple(frame.columns) == TABLES[name].column_names
        assert isinstance(frame.index, pd.RangeIndex)
        for column in TABLES[name].columns:
            assert str(frame[column.name].dtype) == EXPECTED_TYPES[column.kind], (name, column.name)


def test_keys_are_unique_and_values_within_their_range(demo):
    for name, frame in demo.county.tables.items():
        table = TABLES[name]
        assert not frame.duplicated(list(table.key)).any(), name
        for column in table.columns:
            values = frame[column.name].dropna()
            if column.choices:
                assert set(values) <= set(column.choices), (name, column.name)
            if column.minimum is not None:
                assert (values >= column.minimum).all(), (name, column.name)
            if column.maximum is not None:
                assert (values <= column.maximum).all(), (name, column.name)
            if column.at_most:
                assert not (frame[column.name] > frame[column.at_most]).any(), (name, column.name)


def test_grades_add_up_to_stages_and_entrants_are_the_first_grade(years):
    for stage, grades in (("primary", range(1, 7)), ("junior", range(7, 10))):
        there = years[f"enrolment_{stage}"].notna()
        total = years.loc[there, [f"enrolment_grade_{grade}" for grade in grades]].sum(axis=1)
        assert (total == years.loc[there, f"enrolment_{stage}"]).all()
        assert (
            years.loc[there, f"new_entrants_{stage}"] == years.loc[there, f"enrolment_grade_{grades[0]}"]
        ).all()


def test_the_account_of_a_graduating_cohort_closes(years):
    known = years[years["grade7_enrolment_at_entry"].notna()]
    stayed = (
        known["grade7_enrolment_at_entry"]
        + known["transferred_in"]
        - known["transferred_out"]
        - known["deceased"]
    )
    assert (known["graduates_junior"] <= stayed).all()
    assert (known["graduates_junior"] >= 0.93 * stayed).all()


def test_classes_hold_all_students_and_agree_with_their_number(demo, years):
    classes = demo.county.tables["classes"]
    counted = classes.groupby(["school_id", "year", "stage"])["class_count"].sum().unstack("stage")
    told = years.set_index(["school_id", "year"])
    for stage in ("primary", "junior"):
        assert (counted[stage].fillna(0) == told.loc[counted.index, f"classes_{stage}"].fillna(0)).all()
    last = classes[classes["class_id"].notna()]
    sizes = last.groupby(["school_id", "year", "stage"])["class_size"].sum().unstack("stage")
    for stage in ("primary", "junior"):
        assert (sizes[stage].fillna(0) == told.loc[sizes.index, f"enrolment_{stage}"].fillna(0)).all()
    low = last["size_band"].str.extract(r"band_(\d+)_")[0].astype(float)
    assert (last["class_size"] >= low).all()


def test_rosters_add_up_to_the_numbers_of_the_schools(demo, years):
    teachers = demo.county.tables["teachers"]
    year = teachers["year"].astype(int)
    expiry = teachers["backbone_expiry"]
    rank = teachers["title"].map({"no_title": 0, "second_title": 1, "first_title": 2, "senior_title": 3})
    beyond = {"primary": ["college", "bachelor", "master"], "junior": ["bachelor", "master"]}
    for stage in ("primary", "junior"):
        here = teachers["stage"] == stage
        kinds = {
            "teachers": here,
            "teachers_above_required_qualification": here & teachers["qualification"].isin(beyond[stage]),
            "backbone_teachers": here & (expiry >= pd.to_datetime(year.astype(str) + "-09-01")),
            "pe_teachers": here & (teachers["subject"] == "physical_education"),
            "arts_teachers": here & teachers["subject"].isin(["music", "fine_art", "art"]),
            "senior_title_teachers": here & (rank == 3),
            "teachers_intermediate_title": here & (rank >= 2),
        }
        told = years.set_index(["school_id", "year"])
        for name, kind in kinds.items():
            counted = kind.groupby([teachers["school_id"], teachers["year"]]).sum()
            expected = told[f"{name}_{stage}"].fillna(0)
            assert (counted.reindex(expected.index, fill_value=0) == expected).all(), (name, stage)


def test_some_backbone_titles_have_run_out(demo):
    teachers = demo.county.tables["teachers"]
    held = teachers[teachers["backbone_title"].notna()]
    expired = held["backbone_expiry"] < pd.to_datetime(held["year"].astype(str) + "-09-01")
    assert 0 < expired.mean() < 0.5


def test_years_of_small_and_rural_schools_are_richer_per_student(demo, years):
    last = years[years["year"] == demo.settings.last_year]
    primary = last[last["enrolment_junior"].isna() & (last["enrolment_primary"] >= 50)]
    per_student = primary["teaching_area"] / primary["enrolment_primary"]
    assert np.corrcoef(per_student.rank(), primary["enrolment_primary"].rank())[0, 1] < -0.4


def test_towns_grow_and_villages_shrink(demo, years):
    location = demo.county.tables["schools"].drop_duplicates("school_id").set_index("school_id")["location"]
    total = years[["enrolment_primary", "enrolment_junior"]].fillna(0).sum(axis=1)
    by_place = total.groupby([location.loc[years["school_id"]].to_numpy(), years["year"]]).sum().unstack(0)
    assert by_place["urban"].iloc[-1] > 1.05 * by_place["urban"].iloc[0]
    assert by_place["rural"].iloc[-1] < 0.9 * by_place["rural"].iloc[0]


def test_schools_are_known_in_every_table(demo):
    known = set(demo.county.tables["schools"]["school_id"])
    for name, frame in demo.county.tables.items():
        for column in [c for c in frame.columns if c.endswith("school_id")]:
            assert set(frame[column].dropna()) <= known, (name, column)


def test_changes_of_schools_are_linked(demo):
    links = demo.county.tables["school_links"]
    assert sorted(links["link_kind"]) == ["merge", "merge", "new_campus", "rename"]
    schools = demo.county.tables["schools"].set_index("school_id")
    merged = links[links["link_kind"].isin(["merge", "rename"])]
    years = demo.county.tables["school_years"]
    for link in merged.itertuples():
        closed = schools.at[link.from_school_id, "closed"]
        assert closed == link.link_date.year
        assert years.loc[years["school_id"] == link.from_school_id, "year"].max() == closed - 1
        assert years.loc[years["school_id"] == link.to_school_id, "year"].max() == demo.settings.last_year
    assert schools["former_names"].notna().sum() == 1


def test_rotations_never_overlap_and_change_the_school(demo):
    spells = demo.county.tables["rotations"]
    both = spells[spells["sending_school_id"].notna() & spells["receiving_school_id"].notna()]
    assert (both["sending_school_id"] != both["receiving_school_id"]).all()
    ordered = spells.sort_values(["teacher_id", "rotation_start"])
    earlier = ordered.groupby("teacher_id")["rotation_end"].shift()
    follows = ordered["teacher_id"].duplicated()
    assert (earlier[follows] < ordered.loc[follows, "rotation_start"]).all()


def test_teachers_whose_file_moved_are_on_the_roster_of_the_receiving_school(demo):
    teachers = demo.county.tables["teachers"].set_index(["teacher_id", "year"])["school_id"]
    spells = demo.county.tables["rotations"]
    for side, moved in (("receiving", True), ("sending", False)):
        some = spells[(spells["file_moved"] == moved) & spells[f"{side}_school_id"].notna()]
        assert len(some) > 20
        for spell in some.itertuples():
            assert teachers[spell.teacher_id, spell.rotation_start.year] == getattr(
                spell, f"{side}_school_id"
            )


def test_the_rows_of_the_free_text_truth_are_those_without_a_code(demo):
    spells = demo.county.tables["rotations"]
    empty = sum(spells[f"{side}_school_id"].isna().sum() for side in ("sending", "receiving"))
    assert empty == len(demo.truth["free_text_schools"]) > 100
