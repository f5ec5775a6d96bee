"""The command that pools counties."""

from dataclasses import replace

import openpyxl
import pytest

from toolkit.cli.app import main
from toolkit.data.reading import list_counties
from toolkit.data.simulate import SimulationSettings, simulate_county

SETTINGS = SimulationSettings(n_schools=20, n_years=3, with_teachers=False, with_scores=False)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("in")
    for number in (1, 2):
        county = simulate_county(replace(SETTINGS, county_number=number), seed=1).county
        (folder / county.county_id).mkdir()
        for name in ("schools", "school_years"):
            table = county.tables[name].dropna(axis="columns", how="all")
            table.to_parquet(folder / county.county_id / f"{name}.parquet")
    return folder


@pytest.mark.slow
def test_a_pool_comes_with_the_tables_and_the_page_of_the_province(inputs, tmp_path, capsys):
    target = tmp_path / "pooled"
    assert main(["pool", str(inputs), "-o", str(target), "--name", "某某<b>省"]) == 0
    assert list_counties(target)["county_id"].tolist() == ["990101", "990102"]
    page = (target / "province.html").read_text(encoding="utf-8")
    assert "某某&lt;b&gt;省" in page
    assert "http://" not in page.replace("http://www.w3.org", "")
    sheets = openpyxl.load_workbook(target / "province.xlsx", read_only=True).sheetnames
    assert len(sheets) >= 6
    assert (target / "province_limits.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not list(tmp_path.glob(".*"))
    told = capsys.readouterr()
    assert "990" in told.err
    # These may be the counties of a city.
    assert [text for text in (page, told.out, told.err) if "全省" in text or "the province" in text] == []


def test_some_left_out_is_told_with_code_3_and_strict_leaves_nothing(inputs, tmp_path, capsys):
    listed = tmp_path / "list.csv"
    (tmp_path / "empty").mkdir()
    listed.write_text(f"data\n{inputs / '990101'}\nempty\n", encoding="utf-8")
    target = tmp_path / "pooled"
    assert main(["pool", str(listed), "-o", str(target), "--strict", "--no-province"]) == 3
    assert not target.exists()
    assert main(["pool", str(listed), "-o", str(target), "--no-province"]) == 3
    assert list_counties(target)["county_id"].tolist() == ["990101"]
    assert "empty" in capsys.readouterr().out
    assert main(["pool", str(listed), "-o", str(target)]) == 2
