"""The summary: what the reports say, one row a unit, with links, and the same bytes for the same units."""

import re
import shutil
from dataclasses import replace

import pandas as pd
import pytest

from tests.reporting.compared import county, make_run
from toolkit.batch import summary_page
from toolkit.batch.batch import batch_place
from toolkit.batch.status import Reason, UnitStatus
from toolkit.batch.summary_page import write_summary
from toolkit.tables.export import load_exported_table

# School 1 has far more equipment than the others: R6 is above its limit.
UNEVEN = ((1, "equipment_value", 12_000_000),)


@pytest.fixture
def place(data, reports):
    return batch_place(reports, "counties")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A county that passes and one that fails, made once."""
    folder = tmp_path_factory.mktemp("reports")
    for code, name, changes in (("990102", "乙县", UNEVEN), ("990101", "甲县", ())):
        make_run(folder / f"{code}-2025-0123abcd", county(*changes), county_id=code, county_name=name)
    return folder


@pytest.fixture
def statuses(made, place):
    """Both counties and one whose file is broken: not in the order of their codes."""
    shutil.copytree(made, place.reports, dirs_exist_ok=True)
    found = [
        UnitStatus(f"{code}-latest-abcdef", f"{name}.xlsx", "done", {}, "t", code, name, 2025, report)
        for code, name in (("990102", "乙县"), ("990101", "甲县"))
        for report in (f"{code}-2025-0123abcd",)
    ]
    reason = Reason("文件 <b>损坏</b>", "the file is <b>damaged</b>")
    broken = UnitStatus("c-latest-abcdef", "c.xlsx", "failed", {}, "t", reasons=(reason,))
    return (broken, *found)


def summary(place):
    return load_exported_table(place.folder / "summary.csv")


def test_there_is_one_row_a_unit_by_county_the_unknown_last(statuses, place):
    write_summary(statuses, place, "zh")
    table = summary(place)
    assert table["batch_county"].tolist() == ["甲县 990101", "乙县 990102", "c.xlsx"]
    assert table["batch_state"].tolist() == ["batch_state_done", "batch_state_done", "batch_state_failed"]
    assert table["batch_verdict"].tolist()[:2] == ["pass", "fail"]
    assert pd.isna(table["batch_verdict"][2])
    # Not applicable, and not missing in the data.
    assert (place.folder / "index.html").read_text(encoding="utf-8").count(">[z]<") == 3


def test_coefficients_and_binding_indicators_are_those_of_the_report(statuses, place):
    write_summary(statuses, place, "en")
    report = place.reports / "990102-2025-0123abcd"
    own = load_exported_table(report / "results" / "02_inter_school_variation" / "coefficients.csv")
    own = own.set_index("indicator_id")
    row = summary(place).set_index("county_id").loc["990102"]
    assert {f"primary_{name}": row[f"primary_{name}"] for name in own.index} == {
        f"primary_{name}": value for name, value in own["coefficient"].items()
    }
    above = own.index[own["verdict"] == "fail"].tolist()
    assert above == ["R6"]
    assert row["batch_binding"] == f"Primary R6 ({own.loc['R6', 'coefficient']:.3f} > 0.50)"


def test_the_page_links_to_each_report_and_asks_the_network_for_nothing(statuses, place):
    html = write_summary(statuses, place, "zh").read_text(encoding="utf-8")
    links = re.findall(r'href="(\.\./[^"]+)"', html)
    assert links == ["../../990101-2025-0123abcd/index.html", "../../990102-2025-0123abcd/index.html"]
    for link in links:
        assert (place.folder / link).parent.is_dir()
    assert "default-src 'none'" in html
    assert not re.search(r'(?:src|href)="https?:', html)


def test_a_failure_is_told_with_a_link_to_the_log_of_its_unit(statuses, place):
    html = write_summary(statuses, place, "zh").read_text(encoding="utf-8")
    assert '<td><a href="units/c-latest-abcdef/unit.log">unit.log</a></td>' in html


def test_failures_stand_on_the_page_with_their_reason_escaped(statuses, place):
    html = write_summary(statuses, place, "zh").read_text(encoding="utf-8")
    assert "文件 &lt;b&gt;损坏&lt;/b&gt;" in html
    assert "共 3 份报告：完成 2 份，部分失败 0 份，失败 1 份。" in html
    assert "通过 1 份、不通过 1 份" in html
    assert load_exported_table(place.folder / "batch_failures.csv")["reason"].tolist() == ["文件 <b>损坏</b>"]


def test_the_language_changes_words_and_no_number(statuses, place):
    write_summary(statuses, place, "zh")
    chinese = summary(place)
    html = write_summary(statuses, place, "en").read_text(encoding="utf-8")
    assert "Of 3 reports 2 are done" in html
    english = summary(place)
    numbers = [name for name in english if re.fullmatch(r"(primary|junior)_R\d", name)]
    pd.testing.assert_frame_equal(english[numbers], chinese[numbers])


def test_the_same_units_give_the_same_bytes_in_any_order_and_at_any_speed(statuses, place):
    def files():
        return {path.name: path.read_bytes() for path in place.folder.iterdir() if path.is_file()}

    write_summary(statuses, place, "zh")
    before = files()
    assert {"index.html", "summary.xlsx", "summary.csv"} <= before.keys()
    others = [replace(status, seconds=9.0, token="other") for status in reversed(statuses)]
    write_summary(others, place, "zh")
    assert files() == before


def test_standards_do_not_share_a_table_of_coefficients(statuses, place):
    report = "990103-2025-0123abcd"
    make_run(place.reports / report, county(), county_id="990103", standard="national_2012")
    old = UnitStatus("u", "u.xlsx", "done", {}, "t", "990103", "丙县", 2025, report)
    write_summary((*statuses, old), place, "zh")
    first, second = (
        load_exported_table(place.folder / f"batch_coefficients{suffix}.csv") for suffix in ("", "_2")
    )
    assert first["batch_county"].tolist() == ["丙县 990103"]
    assert second["batch_county"].tolist() == ["甲县 990101", "乙县 990102"]


def test_a_batch_without_any_report_still_has_its_page(statuses, place):
    html = write_summary(statuses[:1], place, "zh").read_text(encoding="utf-8")
    assert "损坏" in html


def test_a_report_that_was_taken_away_leaves_its_cells_empty(statuses, place):
    (place.reports / "990101-2025-0123abcd" / "run.json").unlink()
    write_summary(statuses, place, "zh")
    assert pd.isna(summary(place)["batch_verdict"][0])


def test_what_a_killed_call_left_of_a_summary_is_swept_away(statuses, place):
    (place.folder / ".summary").mkdir()
    (place.folder / ".summary" / "summary.csv").write_text("hal", encoding="utf-8")
    write_summary(statuses, place, "zh")
    assert [path.name for path in place.folder.glob(".*")] == []
    assert len(summary(place)) == len(statuses)


def test_a_summary_that_cannot_be_written_leaves_the_earlier_one_whole(statuses, place, monkeypatch):
    page = write_summary(statuses, place, "zh").read_bytes()
    monkeypatch.setattr(summary_page, "export_table", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_summary(statuses[:1], place, "zh")
    assert (place.folder / "index.html").read_bytes() == page
    assert len(summary(place)) == len(statuses)
