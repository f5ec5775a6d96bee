import pytest

from toolkit.errors import RunError
from toolkit.reporting.narrative import create_narrative, narrative_path, read_narrative


def test_the_file_has_a_place_per_county_year_and_notebook(tmp_path):
    assert narrative_path(tmp_path, "东湖区", 2024, "02_x") == tmp_path / "donghuqu-2024" / "02_x.md"


def test_a_new_file_has_headings_and_nothing_to_print(tmp_path):
    path = tmp_path / "a" / "02.md"
    assert create_narrative(path, "zh")
    assert "## 工作举措" in path.read_text("utf-8")
    assert read_narrative(path) == ""


def test_a_file_that_is_there_is_never_written(tmp_path):
    path = tmp_path / "02.md"
    path.write_text("我们的话", "utf-8")
    assert not create_narrative(path, "zh")
    assert path.read_text("utf-8") == "我们的话"


def test_headings_left_empty_and_comments_are_not_printed(tmp_path):
    path = tmp_path / "02.md"
    path.write_text("<!-- 提示 -->\n## 工作举措\n\n已建两所。\n\n## 问题原因\n\n\n## 下一步打算\n", "utf-8")
    assert read_narrative(path) == "## 工作举措\n\n已建两所。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_text_is_read_in_the_encodings_of_offices(tmp_path, encoding):
    path = tmp_path / "02.md"
    path.write_bytes("犍为县已建两所。\r\n".encode(encoding))
    assert read_narrative(path) == "犍为县已建两所。"


def test_a_file_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "02.md").write_bytes(b"\xff\xfe\xff\x00\xff")
    with pytest.raises(RunError, match="neither UTF-8 nor GB18030"):
        read_narrative(tmp_path / "02.md")


def test_no_file_is_no_text(tmp_path):
    assert read_narrative(tmp_path / "02.md") == ""
