"""The command that compares two runs: what it prints, what it writes, how it ends."""

import pytest

from tests.reporting.compared import county, make_run


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return two runs: in the later one the second school has no teachers of arts."""
    folder = tmp_path_factory.mktemp("runs")
    changed = county((2, "arts_teachers_primary", 0))
    return make_run(folder / "before", county()), make_run(folder / "after", changed)


def test_differences_are_printed_in_both_languages_with_their_causes(junheng, place, runs):
    code, out, err = junheng("compare", *runs)
    assert code == 1
    assert err == ""
    lines = out.splitlines()
    assert lines[:2] == ["比较：before → after", "Compared: before → after"]
    at = lines.index("小学·第2小学·学校结论：通过 → 不通过")
    assert lines[at + 1] == "Primary, 第2小学, Verdict on the school: pass → fail"
    assert lines[at + 2].endswith("1.20→0.60（体育、艺术教师 12→6）")
    assert lines[at + 3].endswith("1.20→0.60 (PE and arts teachers 12→6)")
    assert list(place.iterdir()) == []


def test_equal_runs_end_with_zero(junheng, runs):
    code, out, _ = junheng("compare", runs[0], runs[0])
    assert code == 0
    assert "两次运行没有差异。\nThe two runs do not differ." in out


def test_page_and_tables_are_written_where_one_says(junheng, place, runs):
    code, out, _ = junheng("compare", *runs, "--output", "difference", "--language", "en")
    assert code == 1
    assert sorted(path.name for path in (place / "difference").iterdir()) == [
        "changes.csv",
        "changes.xlsx",
        "compare.html",
    ]
    assert str(place / "difference" / "compare.html") in out
    assert "Two runs compared" in (place / "difference" / "compare.html").read_text(encoding="utf-8")
    code, _, err = junheng("compare", *runs, "--output", "difference")
    assert code == 2
    assert "compare.html" in err


def test_a_folder_that_is_no_run_is_told_by_name(junheng, place, runs):
    code, _, err = junheng("compare", runs[0], place / "nothing")
    assert code == 3
    assert "nothing" in err
    assert "run.json" in err


def test_a_language_that_is_none_is_refused_before_anything_is_read(junheng, runs):
    code, _, err = junheng("compare", "x", "y", "--language", "fr")
    assert code == 2
    assert "fr" in err
