"""Pseudonyms: no name, code or town is left, the results are the same, and next year's numbers too."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.counties import make_county
from toolkit.data.county import Origin, Reading
from toolkit.data.pseudonyms import PERSON_CODES, pseudonymise, pseudonymise_reading
from toolkit.data.schema import TABLES, conform
from toolkit.data.simulate import SimulationSettings, simulate_county
from toolkit.indicators.items import compute_items
from toolkit.indicators.resources import compute_resource_indicators
from toolkit.reporting.pseudonym_key import write_pseudonym_key
from toolkit.standards import load_standard
from toolkit.tables.export import load_exported_table
from toolkit.variation.compliance import judge_resources
from toolkit.variation.targets import judge_targets

STANDARD = load_standard("national_2017")
SECRET = "3f" * 32
N_SECRETS = 8


@pytest.fixture(scope="module")
def county():
    return simulate_county(SimulationSettings(n_schools=20, n_years=5), seed=3).county


@pytest.fixture(scope="module")
def hidden(county):
    return pseudonymise(county, "zh", secret=SECRET)


def texts(county):
    """Return every text of every table but the codes of persons."""
    found = set()
    for frame in county.tables.values():
        for name in frame.columns.difference([*PERSON_CODES, "county_name"]):
            if not pd.api.types.is_numeric_dtype(frame[name]):
                found |= set(frame[name].dropna().astype(str))
    return found


def secrets(county):
    """Return the names, codes and towns, with and without county and town in front."""
    register, towns = county.tables["schools"], set(county.tables["schools"]["town"].dropna())
    names = set(register["school_name"]) | set(county.tables["school_links"]["from_school_name"])
    bare = {name.removeprefix(town) for name in names for town in {*towns, "云岭县"} if name.startswith(town)}
    long = {name for name in bare if len(name) > 4}
    groups = set(county.tables["school_groups"]["school_group"])
    return names | long | towns | groups | set(register["school_id"])


def test_no_name_code_or_town_is_left_in_any_text(county, hidden):
    left = {(secret, text) for text in texts(hidden[0]) for secret in secrets(county) if secret in text}
    assert left == set()
    assert len(secrets(county)) > 60


def test_every_table_keeps_its_shape_and_types(county, hidden):
    for name, frame in county.tables.items():
        made = hidden[0].tables[name]
        assert made.shape == frame.shape
        assert made.dtypes.to_dict() == frame.dtypes.to_dict()


def test_coordinates_and_former_names_are_gone(county, hidden):
    assert county.tables["schools"]["longitude"].notna().any()
    assert hidden[0].tables["schools"][["longitude", "latitude", "former_names"]].isna().all(axis=None)


def test_verdicts_and_coefficients_are_the_same(county, hidden):
    real, made = (
        judge_resources(compute_resource_indicators(each, STANDARD), year=2022)
        for each in (county, hidden[0])
    )
    pd.testing.assert_frame_equal(real.coefficients, made.coefficients, rtol=1e-12)
    pd.testing.assert_frame_equal(real.stages, made.stages)
    key = hidden[1][hidden[1]["original_id"] != ""].set_index("original_id")["pseudonym_id"]
    columns = ["stage", "enrolment", "n_met", "verdict"]
    expected = real.schools.assign(school_id=real.schools["school_id"].map(key)).set_index("school_id")[
        columns
    ]
    found = made.schools.set_index("school_id")[columns]
    pd.testing.assert_frame_equal(
        expected.sort_values(["school_id", "stage"]), found.sort_values(["school_id", "stage"])
    )


def test_the_order_of_the_rows_is_that_of_the_pseudonyms(county, hidden):
    codes = hidden[0].tables["schools"]["school_id"].tolist()
    assert codes == sorted(codes)
    order = hidden[1].set_index("pseudonym_id").loc[codes, "original_id"].tolist()
    assert order != sorted(order)


def test_the_order_of_the_input_changes_nothing(county, hidden):
    turned = replace(
        county, tables={name: frame[::-1].reset_index(drop=True) for name, frame in county.tables.items()}
    )
    made = pseudonymise(turned, "zh", secret=SECRET)[1]
    assert set(made.itertuples(index=False)) == set(hidden[1].itertuples(index=False))


def test_next_year_a_school_keeps_its_pseudonym_and_a_new_one_takes_none(county, hidden):
    schools, years = county.tables["schools"], county.tables["school_years"]
    new = [
        {**schools.iloc[0], "school_id": f"99010177{n:02}", "school_name": f"新{n}小学", "opened": 2023}
        for n in range(60)
    ]
    grown = pd.concat([schools, conform(pd.DataFrame(new), TABLES["schools"])], ignore_index=True)
    grown["valid_from"] = grown["valid_from"].mask(grown["opened"] == 2023, 2023)
    latest = years[years["year"] == years["year"].max()].reset_index(drop=True)
    later = replace(county, tables={"schools": grown, "school_years": latest})
    made = pseudonymise(later, "zh", secret=SECRET)[1]
    before, after = (key.set_index("original_id")["pseudonym"] for key in (hidden[1], made))
    kept = schools["school_id"].unique()
    assert after[kept].to_dict() == before[kept].to_dict()
    assert after[after.index != ""].is_unique


def test_the_same_secret_gives_the_same_numbers_and_another_nearly_all_others(county, hidden):
    pd.testing.assert_frame_equal(pseudonymise(county, "zh", secret=SECRET)[1], hidden[1])
    other = pseudonymise(county, "zh", secret="40" * 32)[1]
    before, after = (key.set_index("original_id")["pseudonym_id"] for key in (hidden[1], other))
    schools = county.tables["schools"]["school_id"].unique()
    assert (before[schools] == after[schools]).sum() <= 1


def test_without_a_secret_there_are_no_pseudonyms(county):
    with pytest.raises(ValueError, match="need a secret"):
        pseudonymise(county, "zh", secret="")


def test_the_numbers_follow_neither_the_register_nor_the_opening_years(county):
    """Over many secrets the order of the pseudonyms has no tendency along what a reader may know."""
    schools = county.tables["schools"]
    codes = np.sort(schools["school_id"].unique())
    opened = schools.drop_duplicates("school_id").set_index("school_id")["opened"].fillna(0)
    ranks = []
    for number in range(N_SECRETS):
        key = pseudonymise(county, "zh", secret=f"{number:064x}")[1].set_index("original_id")
        ranks.append(key.loc[codes, "pseudonym_id"].rank().to_numpy())
    for known in (np.arange(len(codes)), opened[codes].rank().to_numpy()):
        found = [float(np.corrcoef(known, rank)[0, 1]) for rank in ranks]
        # A correlation of n random ranks has variance 1 / (n - 1).
        assert abs(np.mean(found)) < 4 / np.sqrt(N_SECRETS * (len(codes) - 1))


def test_labels_follow_the_language(county):
    made, _ = pseudonymise(county, "en", secret=SECRET)
    assert made.tables["schools"]["school_name"].str.fullmatch(r"School \d{3}").all()
    assert made.tables["schools"]["town"].str.fullmatch(r"Town \d{2}( street office)?").all()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_targets_of_towns_do_not_hold_for_street_offices_under_pseudonyms_either(county, language):
    made, _ = pseudonymise(county, language, secret=SECRET)
    plan = load_standard("meizhou")
    found = []
    for each in (county, made):
        resources = compute_resource_indicators(each, STANDARD)
        items = compute_items(each, STANDARD)
        targets = judge_targets(each, plan, resources=resources, items=items, year=2022).table
        found.append(targets[["verdict", "n_units", "n_met"]])
    assert county.tables["schools"]["town"].str.endswith("街道").any()
    pd.testing.assert_frame_equal(*found)


def hand_made():
    school = {"school_type": "primary_school", "town": "桃溪镇", "former_names": "桃溪老校；育红小学"}
    county = make_county(
        [{"school_id": "3601000001", "school_name": "桃溪镇第二小学", **school}],
        [{"school_id": "3601000001", "year": 2025, "enrolment_primary": 300}],
    )
    rows = {
        "county_years": [
            {"year": 2025, "item": "G01", "evidence": "育红小学与桃溪镇二小、桃溪三小布局方案（桃溪镇）"}
        ],
        "classes": [
            {"school_id": "3601000001", "year": 2025, "stage": "primary", "class_id": "3601000001-101"}
        ],
        "support": [
            {
                "supporter_name": "省教科院",
                "receiver_id": "3601000001",
                "support_start": pd.Timestamp(2024, 9, 1),
            }
        ],
    }
    more = {name: conform(pd.DataFrame(given), TABLES[name]) for name, given in rows.items()}
    return replace(county, tables={**county.tables, **more})


def test_names_inside_other_texts_are_replaced_too():
    made, key = pseudonymise(hand_made(), "zh", secret=SECRET)
    school, town, unit = (
        key.loc[key["pseudonym_kind"] == f"pseudonym_{kind}", "pseudonym"].item()
        for kind in ("school", "town", "unit")
    )
    assert (
        made.tables["county_years"]["evidence"].item() == f"{school}与{school}、{town}三小布局方案（{town}）"
    )
    assert made.tables["support"]["supporter_name"].item() == unit
    assert made.tables["support"]["receiver_name"].item() == school
    assert made.tables["classes"]["class_id"].item() == f"{made.tables['classes']['school_id'].item()}-101"


def test_a_table_about_no_school_keeps_its_figures():
    made, _ = pseudonymise(hand_made(), "zh", secret=SECRET)
    assert made.tables["county_years"][["year", "item"]].to_numpy().tolist() == [[2025, "G01"]]


def test_addresses_follow_their_rows():
    schools = [
        {"school_id": f"36010000{n:02}", "school_name": f"第{n}小学", "school_type": "primary_school"}
        for n in range(1, 9)
    ]
    county = make_county(
        schools,
        [{"school_id": s["school_id"], "year": 2025, "enrolment_primary": n} for n, s in enumerate(schools)],
    )
    rows = pd.DataFrame({"file": "a.xlsx", "sheet": "学校年度", "row": range(2, 10)})
    origin = Origin(rows, {("a.xlsx", "学校年度", "enrolment_primary"): "C"})
    matches = pd.DataFrame(
        {"table": ["classes"], "column": "school_name", "name": "一小", "how": "short_name"}
    )
    matches["school_id"] = schools[0]["school_id"]
    reading = Reading(county, (), pd.DataFrame(), pd.DataFrame(), matches, {"school_years": origin})
    made, key = pseudonymise_reading(reading, "zh", secret=SECRET)
    figures = made.county.tables["school_years"]["enrolment_primary"]
    rows_found = [
        int(made.origins["school_years"].cell(at, "enrolment_primary")[2][1:]) for at in range(len(figures))
    ]
    assert rows_found == [int(value) + 2 for value in figures]
    assert (
        made.matches["name"].item() == key.set_index("original_id").at[schools[0]["school_id"], "pseudonym"]
    )


def test_the_key_is_written_into_its_folder_only(tmp_path, hidden):
    write_pseudonym_key(tmp_path / "restricted", hidden[1], "zh")
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")) == [
        "restricted/pseudonym_key.csv",
        "restricted/pseudonym_key.xlsx",
    ]
    table = load_exported_table(tmp_path / "restricted" / "pseudonym_key.csv")
    assert (
        table["original_id"].dropna().tolist() == hidden[1]["original_id"][lambda code: code != ""].tolist()
    )
