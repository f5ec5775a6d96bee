import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from toolkit.data.reading.cells import CellError
from toolkit.data.reading.each import PLACEHOLDER, convert_different
from toolkit.data.reading.textfiles import read_parquet
from toolkit.data.text import visible


def test_each_different_cell_is_converted_once_and_stands_everywhere():
    asked = []

    def outcome(value):
        asked.append(value)
        return str(value), "", "written" if value == "甲" else ""

    found = convert_different(["甲", "乙", "", "甲", None, "甲"], outcome, "str")
    assert asked == ["甲", "乙"]
    assert found.series.fillna("–").tolist() == ["甲", "乙", "–", "甲", "–", "甲"]
    assert dict(found.conversions) == {"written": 3}


def test_equal_numbers_of_different_types_are_different_cells():
    cells = [1, 1.0, True, "1"]
    found = convert_different(cells, lambda value: (type(value).__name__, "", ""), "str")
    assert found.series.tolist() == ["int", "float", "bool", "str"]


def test_issues_and_placeholders_keep_the_positions_of_their_cells():
    cells = ["-", "bad", CellError("#REF!"), CellError(""), "bad", "-"]

    def outcome(value):
        return (None, "", PLACEHOLDER) if value == "-" else (None, "unreadable", "")

    found = convert_different(cells, outcome, "str")
    assert found.placeholders == [0, 5]
    assert [(issue.position, issue.code) for issue in found.issues] == [
        (1, "unreadable"),
        (2, "cell_error"),
        (3, "formula_uncached"),
        (4, "unreadable"),
    ]
    assert not found.conversions


def test_a_list_in_a_parquet_file_is_read_as_its_text(tmp_path):
    path = tmp_path / "scores.parquet"
    pq.write_table(pa.table({"class": [["一班"], None], "score": [80.0, float("nan")]}), path)
    assert read_parquet(path).rows == (("class", "score"), ("['一班']", 80.0), ("", ""))


def test_what_cannot_be_seen_is_taken_out_of_a_text():
    assert visible("\ufeff红星\u200b 小学\xa0\u3000\r\n") == "红星小学"
    assert visible("  第一\t小学  A 1 ") == "第一小学 A 1"
    assert pd.isna(convert_different([""], lambda value: (value, "", ""), "str").series[0])
