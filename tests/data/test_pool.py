"""Counties pooled: the same as from their own files, joined, left out with reasons, in bounded pieces."""

import json
from dataclasses import replace

import pandas as pd
import pyarrow.parquet as pq
import pytest

from toolkit.data.checks import check_county
from toolkit.data.pool import build_pool
from toolkit.data.pool_files import PoolWriter
from toolkit.data.pool_inputs import find_inputs
from toolkit.data.reading import list_counties, load_counties, load_county, pools
from toolkit.data.simulate import SimulationSettings, simulate_county, write_county
from toolkit.errors import InputError
from toolkit.reporting.parameters import DataQuality
from toolkit.reporting.run_inputs import input_files

SETTINGS = SimulationSettings(n_schools=20, n_years=3, with_teachers=False, with_scores=False)
WITH_PERSONS = SimulationSettings(n_schools=20, n_years=3, pupils_per_grade=2)


@pytest.fixture(scope="module")
def counties():
    return [simulate_county(replace(SETTINGS, county_number=n), seed=1).county for n in (1, 2)]


@pytest.fixture(scope="module")
def inputs(counties, tmp_path_factory):
    folder = tmp_path_factory.mktemp("counties")
    write_county(simulate_county(SETTINGS, seed=1), folder / "county-1.xlsx")
    save(folder, "county-2", counties[1])
    (folder / "remarks.docx").write_bytes(b"words")
    return folder


@pytest.fixture(scope="module")
def pooled(inputs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("pooled")
    return folder, build_pool(find_inputs(inputs), folder)


def save(folder, name, county, tables=None, county_id=None):
    """Write the register and the yearly figures of a county as a folder of Parquet files."""
    own = dict(tables or of_years(county, county.tables["school_years"]["year"].unique()))
    own["schools"] = own["schools"].assign(county_id=county_id or county.county_id, county_name=county.name)
    (folder / name).mkdir(parents=True)
    for table, rows in own.items():
        rows.dropna(axis="columns", how="all").to_parquet(folder / name / f"{table}.parquet")


def of_years(county, years, names=("schools", "school_years")):
    tables = {name: county.tables[name] for name in names}
    own = tables["school_years"]
    return tables | {"school_years": own[own["year"].isin(years)].reset_index(drop=True)}


def build(folder, place, **options):
    place.mkdir()
    return build_pool(find_inputs(folder), place, **options)


def assert_same_reading(found, expected):
    assert (found.county.county_id, found.county.name) == (expected.county.county_id, expected.county.name)
    assert list(found.county.tables) == list(expected.county.tables)
    for name, table in expected.county.tables.items():
        pd.testing.assert_frame_equal(found.county.tables[name], table)
        pd.testing.assert_frame_equal(found.origins[name].rows, expected.origins[name].rows)
        assert found.origins[name].letters == expected.origins[name].letters
    assert found.problems == expected.problems
    for name in ("accounting", "conversions", "matches"):
        pd.testing.assert_frame_equal(getattr(found, name), getattr(expected, name))


def test_a_county_read_from_the_pool_equals_the_one_read_from_its_workbook(inputs, pooled):
    folder, _ = pooled
    for number in (1, 2):
        own = load_county(inputs / ("county-1.xlsx" if number == 1 else "county-2"))
        found = load_county(folder, county=f"99010{number}")
        assert_same_reading(found, own)
        assert check_county(found) == check_county(own)


@pytest.mark.slow
def test_teachers_and_pupils_come_back_from_a_pool_as_from_the_files_beside_the_workbook(tmp_path):
    write_county(simulate_county(WITH_PERSONS, seed=1), tmp_path / "in" / "county.xlsx")
    build(tmp_path / "in", tmp_path / "pool")
    found = load_county(tmp_path / "pool", county="990101")
    assert {"teachers", "scores"} <= found.county.tables.keys()
    assert_same_reading(found, load_county(tmp_path / "in" / "county.xlsx"))


def test_counties_read_together_equal_those_read_one_by_one(pooled):
    folder, _ = pooled
    together = list(load_counties(folder, ["990102", "990101"]))
    for found, code in zip(together, ["990102", "990101"], strict=True):
        assert_same_reading(found, load_county(folder, county=code))


@pytest.mark.slow
def test_counties_of_one_workbook_read_together_equal_those_read_one_by_one(counties, tmp_path):
    names = ("schools", "school_years")
    both = {name: pd.concat([county.tables[name] for county in counties]) for name in names}
    rows = pd.concat(
        [c.tables["schools"].assign(county_id=c.county_id, county_name=c.name) for c in counties]
    )
    (tmp_path / "two").mkdir()
    for name, table in (both | {"schools": rows}).items():
        table.dropna(axis="columns", how="all").to_parquet(tmp_path / "two" / f"{name}.parquet")
    for found in load_counties(tmp_path / "two", ["990101", "990102"]):
        assert_same_reading(found, load_county(tmp_path / "two", county=found.county.county_id))
    summary = build(tmp_path / "two", tmp_path / "pool")
    assert summary.counties == ("990101", "990102")


def test_only_the_tables_asked_for_are_read(pooled):
    reading = load_county(pooled[0], county="990101", tables=("schools", "school_years"))
    assert list(reading.county.tables) == ["schools", "school_years"]


def test_the_counties_of_a_pool_are_listed_from_its_manifest_alone(pooled, tmp_path):
    (tmp_path / pools.POOL_NAME).write_bytes((pooled[0] / pools.POOL_NAME).read_bytes())
    listed = list_counties(tmp_path)
    assert listed["county_id"].tolist() == ["990101", "990102"]
    assert (listed["rows"] >= 20).all()


def test_the_manifest_accounts_for_every_row_and_file(inputs, pooled):
    folder, summary = pooled
    manifest = json.loads((folder / pools.POOL_NAME).read_text(encoding="utf-8"))
    assert manifest["other_files"] == ["remarks.docx"]
    assert {entry["name"] for entry in manifest["inputs"]} == {"county-1.xlsx", "county-2"}
    for entry in manifest["counties"]:
        for table, account in entry["accounting"].items():
            assert account["rows_read"] == account["rows_used"] + sum(account["left_out"].values())
            assert account["rows_used"] == entry["rows"].get(table, 0)
    for name, rows in summary.rows.items():
        assert pq.read_metadata(folder / f"{name}.parquet").num_rows == rows


@pytest.mark.slow
def test_the_same_inputs_give_the_same_bytes(inputs, pooled, tmp_path):
    build(inputs, tmp_path / "again")
    files = sorted(path.relative_to(pooled[0]) for path in pooled[0].rglob("*") if path.is_file())
    again = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    assert files == again
    assert all((pooled[0] / name).read_bytes() == (tmp_path / "again" / name).read_bytes() for name in files)


def test_a_county_with_errors_is_left_out_with_the_reason(counties, tmp_path):
    save(tmp_path / "in", "good", counties[0])
    tables = of_years(counties[1], counties[1].tables["school_years"]["year"].unique())
    words = tables["school_years"]["enrolment_primary"].astype("str")
    words.iloc[3] = "很多"
    spoilt = tables["school_years"].assign(enrolment_primary=words)
    save(tmp_path / "in", "bad", counties[1], tables | {"school_years": spoilt})
    summary = build(tmp_path / "in", tmp_path / "pool")
    assert summary.counties == ("990101",)
    (entry,) = summary.left_out
    assert (entry.county_id, entry.places) == ("990102", ("bad",))
    assert "很多" in entry.zh
    assert "很多" in entry.en
    with pytest.raises(InputError, match="990102"):
        build(tmp_path / "in", tmp_path / "strict", strict=True)


def test_a_file_that_is_no_workbook_costs_only_itself(counties, tmp_path):
    save(tmp_path / "in", "good", counties[0])
    (tmp_path / "in" / "broken.xlsx").write_bytes(b"PK\x03\x04 broken")
    summary = build(tmp_path / "in", tmp_path / "pool")
    assert summary.counties == ("990101",)
    assert [entry.places for entry in summary.left_out] == [("broken.xlsx",)]


def test_two_years_of_a_county_in_two_files_are_joined(counties, tmp_path):
    county = counties[0]
    years = sorted(county.tables["school_years"]["year"].unique())
    save(tmp_path / "in", "later", county, of_years(county, years[1:]))
    save(tmp_path / "in" / "old", "later", county, of_years(county, years[:1]))
    summary = build(tmp_path / "in", tmp_path / "pool")
    assert not summary.left_out
    reading = load_county(tmp_path / "pool", county="990101")
    key = ["school_id", "year"]
    found = reading.county.tables["school_years"].sort_values(key, ignore_index=True)
    expected = county.tables["school_years"].sort_values(key, ignore_index=True)
    assert found[key].equals(expected[key])
    assert found["enrolment_primary"].equals(expected["enrolment_primary"])
    assert len(reading.county.tables["schools"]) == len(county.tables["schools"])
    files = set(reading.origins["school_years"].rows["file"])
    assert files == {"later/school_years.parquet", "old/later/school_years.parquet"}
    used = reading.accounting.query("table == 'schools'")
    assert used["rows_used"].sum() == len(county.tables["schools"])
    assert "repeated_row" in set(used["reason"])


def test_a_register_that_changes_between_files_holds_from_the_later_files_first_year(counties, tmp_path):
    county = counties[0]
    years = sorted(county.tables["school_years"]["year"].unique())
    save(tmp_path / "in", "a", county, of_years(county, years[:2]))
    tables = of_years(county, years[2:])
    schools = tables["schools"].copy()
    renamed = schools["school_id"].iloc[0]
    schools.loc[0, "school_name"] = "改名后的学校"
    save(tmp_path / "in", "b", county, tables | {"schools": schools})
    build(tmp_path / "in", tmp_path / "pool")
    reading = load_county(tmp_path / "pool", county="990101")
    entries = reading.county.tables["schools"]
    entries = entries[entries["school_id"] == renamed]
    assert entries["school_name"].tolist()[-1] == "改名后的学校"
    assert entries["valid_from"].tolist()[-1] == years[2]
    assert "register_of_later_file" in {problem.code for problem in reading.problems}


def test_a_school_year_in_two_files_is_refused_naming_both(counties, tmp_path):
    county = counties[0]
    save(tmp_path / "in", "one", county)
    save(tmp_path / "in", "two", county)
    save(tmp_path / "in", "other", counties[1])
    summary = build(tmp_path / "in", tmp_path / "pool")
    assert summary.counties == ("990102",)
    (entry,) = summary.left_out
    assert entry.places == ("one", "two")
    for text in (entry.zh, entry.en):
        assert "one/school_years.parquet" in text
        assert "two/school_years.parquet" in text


def test_a_code_of_two_counties_is_refused(counties, tmp_path):
    save(tmp_path / "in", "one", counties[0])
    save(tmp_path / "in", "two", counties[1], county_id="990101")
    with pytest.raises(InputError, match=counties[1].name[:2]):
        build(tmp_path / "in", tmp_path / "pool")


def test_codes_of_schools_that_two_counties_use_are_told_and_counties_stay_apart(counties, tmp_path):
    save(tmp_path / "in", "one", counties[0])
    tables = of_years(counties[1], counties[1].tables["school_years"]["year"].unique())
    taken = counties[0].tables["schools"]["school_id"].iloc[0]
    own = tables["schools"]["school_id"].iloc[0]
    renamed = {name: table.replace({"school_id": {own: taken}}) for name, table in tables.items()}
    save(tmp_path / "in", "two", counties[1], renamed)
    summary = build(tmp_path / "in", tmp_path / "pool")
    assert summary.shared_codes == {taken: ("990101", "990102")}
    reading = load_county(tmp_path / "pool", county="990102")
    assert (reading.county.tables["school_years"]["school_id"] == taken).sum() == (
        (tables["school_years"]["school_id"] == own).sum()
    )


def test_a_list_names_inputs_counties_and_years(counties, tmp_path):
    tables = of_years(counties[0], counties[0].tables["school_years"]["year"].unique())
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        for table, rows in tables.items():
            own = rows.drop(columns=["county_id", "county_name"], errors="ignore")
            own.dropna(axis="columns", how="all").to_parquet(folder / f"{table}.parquet")
    (tmp_path / "list.csv").write_text("数据,县区代码\na,990111\nb,\n", encoding="gb18030")
    (tmp_path / "pool").mkdir()
    summary = build_pool(find_inputs(tmp_path / "list.csv"), tmp_path / "pool")
    assert summary.counties == ("990111",)
    assert [entry.places for entry in summary.left_out] == [("b",)]


@pytest.mark.parametrize(
    ("text", "said"), [("county\n1\n", "data"), ("data\nnowhere.xlsx\n", "nowhere.xlsx")]
)
def test_a_list_that_cannot_be_followed_is_refused(text, said, tmp_path):
    (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=said):
        find_inputs(tmp_path / "list.csv")


def test_marked_copies_and_folders_beside_workbooks_are_no_inputs(inputs, tmp_path):
    for name in ("a.xlsx", "a-核查标注.xlsx"):
        (tmp_path / name).write_bytes(b"PK\x03\x04")
    (tmp_path / "a").mkdir()
    found = find_inputs(tmp_path)
    assert [one.name for one in found.inputs] == ["a.xlsx"]
    assert found.others == ("a-核查标注.xlsx",)


def test_counties_that_are_not_there_and_choices_that_are_open_are_refused(pooled):
    folder, _ = pooled
    with pytest.raises(InputError, match="990177"):
        load_county(folder, county="990177")
    with pytest.raises(InputError, match="990101, 990102"):
        load_county(folder)
    with pytest.raises(InputError, match=folder.name):
        load_county(folder, county="990101", names=folder)


def test_a_damaged_pool_is_refused(pooled, tmp_path):
    (tmp_path / pools.POOL_NAME).write_bytes((pooled[0] / pools.POOL_NAME).read_bytes())
    with pytest.raises(InputError, match=r"schools\.parquet"):
        load_county(tmp_path, county="990101")
    (tmp_path / pools.POOL_NAME).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match=pools.POOL_NAME):
        list_counties(tmp_path)


def test_rows_are_written_in_groups_and_a_county_needs_few_of_them(pooled, monkeypatch, tmp_path):
    monkeypatch.setattr("toolkit.data.pool_files.CELLS_PER_GROUP", 2_000)
    readings = list(load_counties(pooled[0], ["990101", "990102"]))
    writer = PoolWriter(tmp_path)
    for reading in readings:
        writer.add(reading)
    writer.close()
    (tmp_path / pools.POOL_NAME).write_bytes((pooled[0] / pools.POOL_NAME).read_bytes())
    metadata = pq.read_metadata(tmp_path / "classes.parquet")
    assert metadata.num_row_groups > 1
    first = [metadata.row_group(at).column(0).statistics.min for at in range(metadata.num_row_groups)]
    assert first == sorted(first)
    assert_same_reading(load_county(tmp_path, county="990102"), readings[1])


def test_a_run_on_a_pool_counts_every_file_that_it_is_read_from_and_no_page_beside_them(pooled):
    folder, _ = pooled
    (folder / "province.html").write_text("<p>x</p>", encoding="utf-8")
    parameters = DataQuality(data_path=str(folder))
    before = {file.name: file.sha256 for file in input_files(parameters)}
    assert {"pool.json", "schools.parquet", "school_years.parquet", "problems.parquet"} <= set(before)
    assert "province.html" not in before
    table = folder / "school_years.parquet"
    content = table.read_bytes()
    table.write_bytes(content + b"\0")
    after = {file.name: file.sha256 for file in input_files(parameters)}
    table.write_bytes(content)
    assert {name for name in before if before[name] != after[name]} == {"school_years.parquet"}
