"""Notebooks taken from earlier runs: what counts as unchanged, and what is never trusted."""

import json
import os
import time
from dataclasses import replace

import nbformat
import pytest

from tests.end_to_end.annual import small_county, write_county
from tests.reporting.pages import code, html_output, write
from tests.reporting.quick_runs import quick_notebooks
from toolkit.reporting import notebook_cache
from toolkit.reporting.notebook_cache import NotebookCache, Reuse, open_cache, reads_others
from toolkit.reporting.opened import stamp_files
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.reporting.run import run_report
from toolkit.reporting.runfolder import same_content
from toolkit.share import WORKSPACE_VARIABLE
from toolkit.vocabulary import has_sentence

KEY, OTHER, THIRD = "0" * 32, "1" * 32, "2" * 32
TABLE = "学校,值\n甲校,1\n".encode()


@pytest.fixture
def made(tmp_path):
    """Return an executed copy, and the results beside it."""
    shown = code("show()")
    shown.outputs = [html_output("<p>甲校</p>")]
    injected = code('data_path = "/home/office/county.xlsx"', "injected-parameters")
    results = tmp_path / "made" / "results"
    results.mkdir(parents=True)
    (results / "values.csv").write_bytes(TABLE)
    return write(tmp_path / "made" / "01.ipynb", injected, shown), results


@pytest.fixture
def cache(tmp_path):
    return NotebookCache(tmp_path / ".junheng-cache" / "notebooks")


def restored(cache, folder, key=KEY):
    return cache.restore(key, folder / "again" / "01.ipynb", folder / "again" / "results")


def test_what_was_kept_comes_back_as_it_was(cache, made, tmp_path):
    assert not restored(cache, tmp_path)
    cache.keep(KEY, *made)
    assert restored(cache, tmp_path)
    assert (tmp_path / "again" / "results" / "values.csv").read_bytes() == TABLE
    copy = nbformat.read(tmp_path / "again" / "01.ipynb", as_version=4)
    assert copy.cells[1].outputs[0].data["text/html"] == "<p>甲校</p>"


def test_neither_paths_nor_objects_written_out_are_kept(cache, made):
    cache.keep(KEY, *made)
    text = (cache.folder / KEY / "executed.ipynb").read_text(encoding="utf-8")
    assert "/home/office" not in text
    assert "text/plain" not in text


@pytest.mark.parametrize(
    "damage",
    [
        lambda entry: (entry / "results" / "values.csv").write_bytes(TABLE.replace(b"1", b"2")),
        lambda entry: (entry / "results" / "values.csv").unlink(),
        lambda entry: (entry / "results" / "more.csv").write_bytes(b"x"),
        lambda entry: (entry / "executed.ipynb").unlink(),
        lambda entry: (entry / "entry.json").write_text("{", encoding="utf-8"),
        lambda entry: (entry / "entry.json").write_text("[]", encoding="utf-8"),
        lambda entry: (entry / "entry.json").unlink(),
    ],
    ids=["changed", "gone", "added", "no copy", "list cut off", "no list", "list gone"],
)
def test_a_damaged_entry_is_removed_and_not_used(cache, made, tmp_path, damage):
    cache.keep(KEY, *made)
    damage(cache.folder / KEY)
    assert not restored(cache, tmp_path)
    assert not (cache.folder / KEY).exists()
    assert not (tmp_path / "again").exists()


def test_an_entry_of_another_layout_is_not_used(cache, made, tmp_path):
    cache.keep(KEY, *made)
    path = cache.folder / KEY / "entry.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"layout": 0}), encoding="utf-8")
    assert not restored(cache, tmp_path)


def test_of_two_runs_that_keep_the_same_the_first_stays(cache, made, tmp_path):
    cache.keep(KEY, *made)
    before = (cache.folder / KEY / "entry.json").stat().st_mtime_ns
    cache.keep(KEY, *made)
    assert (cache.folder / KEY / "entry.json").stat().st_mtime_ns == before
    assert [path.name for path in cache.folder.iterdir()] == [KEY]


def test_a_fresh_run_uses_nothing_and_leaves_its_own(cache, made, tmp_path):
    cache.keep(KEY, *made)
    (made[1] / "values.csv").write_bytes(b"new")
    fresh = replace(cache, reads=False)
    assert not restored(fresh, tmp_path)
    fresh.keep(KEY, *made)
    assert restored(cache, tmp_path)
    assert (tmp_path / "again" / "results" / "values.csv").read_bytes() == b"new"


def test_a_cache_that_cannot_be_written_stops_no_run(tmp_path, made, caplog):
    (tmp_path / "file").touch()
    NotebookCache(tmp_path / "file" / "notebooks").keep(KEY, *made)
    assert "could not be kept" in caplog.text


@pytest.mark.parametrize("limit", [{"largest_number": 2, "largest_bytes": 10**9}, {"largest_number": 9}])
def test_what_was_used_longest_ago_goes_first(cache, made, tmp_path, monkeypatch, limit):
    for key, age in ((KEY, 30), (OTHER, 20), (THIRD, 10)):
        cache.keep(key, *made)
        os.utime(cache.folder / key, (time.time() - age, time.time() - age))
    assert restored(cache, tmp_path)
    size = json.loads((cache.folder / KEY / "entry.json").read_text())["bytes"]
    monkeypatch.setattr(notebook_cache, "_limits", lambda: {"largest_bytes": 2 * size, **limit})
    cache.prune()
    assert sorted(path.name for path in cache.folder.iterdir()) == [KEY, THIRD]


def test_what_a_killed_run_left_is_removed_after_a_day(cache, made):
    cache.keep(KEY, *made)
    old, young = (cache.folder / f".unfinished-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (0, 0))
    cache.prune()
    assert (old.exists(), young.exists()) == (False, True)


def test_version_control_leaves_the_cache_alone(cache, made):
    cache.keep(KEY, *made)
    assert (cache.folder.parent / ".gitignore").read_text().strip() == "*"


@pytest.fixture
def reuse(cache, tmp_path):
    (tmp_path / "county.csv").write_bytes(b"1")
    files = (tmp_path / "county.csv",)
    decisive = {name: {"parameters": {"year": 2025, "edition": "internal"}} for name in NOTEBOOKS}
    return Reuse(cache, decisive, files, stamp_files(files))


@pytest.mark.parametrize(
    "changed", [{"year": 2024, "edition": "internal"}, {"year": 2025, "edition": "public"}], ids=str
)
def test_another_year_and_another_edition_have_other_keys(reuse, tmp_path, changed):
    other = replace(reuse, decisive={"01_data_quality": {"parameters": changed}})
    assert other.key("01_data_quality", tmp_path) != reuse.key("01_data_quality", tmp_path)


@pytest.mark.parametrize("name", ["code_digest", "notebook_digest"])
def test_other_code_and_another_notebook_have_other_keys(reuse, tmp_path, monkeypatch, name):
    before = reuse.key("01_data_quality", tmp_path)
    monkeypatch.setattr(notebook_cache, name, lambda *_: "other")
    assert reuse.key("01_data_quality", tmp_path) != before


def test_only_a_notebook_that_shows_others_depends_on_them(reuse, tmp_path):
    assert [name for name in NOTEBOOKS if reads_others(name)] == ["07_annual_report"]
    results = tmp_path / "all"
    (results / "02_inter_school_variation").mkdir(parents=True)
    before = {name: reuse.key(name, results) for name in NOTEBOOKS}
    (results / "02_inter_school_variation" / "findings.json").write_text("{}", encoding="utf-8")
    changed = [name for name in NOTEBOOKS if reuse.key(name, results) != before[name]]
    assert changed == ["07_annual_report"]


def test_what_ran_while_its_data_changed_is_not_kept(reuse, made, tmp_path):
    key = reuse.key("01_data_quality", tmp_path)
    (tmp_path / "county.csv").write_bytes(b"other")
    reuse.keep("01_data_quality", key, *made)
    assert not reuse.cache.folder.exists()


@pytest.fixture(scope="module")
def county(tmp_path_factory):
    """Return the workbook of a county whose runs are made in this process."""
    folder = tmp_path_factory.mktemp("cached")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(WORKSPACE_VARIABLE, str(folder))
        yield write_county(small_county(years=(2024, 2025)), folder / "county.xlsx")


def run(county, name, *, failing=(), cache=None, only=("01", "07"), **parameters):
    """Return where a run was put, and the steps that were told."""
    steps = []
    with quick_notebooks(failing):
        outcome = run_report(
            {"data_path": str(county), **parameters},
            reports=county.parent / name,
            only=only,
            progress=steps.append,
            cache=cache,
        )
    return outcome.placement.path, steps


def reused(folder):
    return json.loads((folder / "run-log.json").read_text(encoding="utf-8"))["reused"]


def test_a_run_that_changed_nothing_runs_nothing_and_leaves_the_same_bytes(county):
    first, steps = run(county, "first", cache=open_cache())
    assert "unchanged" not in steps
    assert reused(first) == []
    again, steps = run(county, "again", cache=open_cache())
    assert steps.count("unchanged") == 2
    assert reused(again) == ["01_data_quality", "07_annual_report"]
    plain, _ = run(county, "plain")
    assert same_content(first, again)
    assert same_content(first, plain)
    fresh, _ = run(county, "fresh", cache=open_cache(fresh=True))
    assert reused(fresh) == []


@pytest.mark.slow
def test_the_annual_report_is_run_again_when_a_notebook_it_shows_is_new(county):
    run(county, "alone", cache=open_cache(), only=("07",))
    folder, _ = run(county, "both", cache=open_cache(), only=("01", "07"), language="en")
    assert reused(folder) == []
    folder, _ = run(county, "one", cache=open_cache(), only=("07",), language="en")
    assert reused(folder) == []


@pytest.mark.slow
def test_a_notebook_that_failed_is_run_again(county):
    folder, _ = run(county, "failed", cache=open_cache(), failing=("01_data_quality",), edition="public")
    assert reused(folder) == []
    folder, _ = run(county, "mended", cache=open_cache(), edition="public")
    assert reused(folder) == []


@pytest.mark.slow
def test_a_file_that_is_only_named_in_a_table_counts(county, tmp_path):
    folder = tmp_path / "county"
    folder.mkdir()
    path = write_county(small_county(), folder / "county.xlsx")
    run(path, "before", cache=open_cache(), only=("01",))
    (folder / "county").mkdir()
    (folder / "county" / "truth.json").write_text("{}", encoding="utf-8")
    after, _ = run(path, "after", cache=open_cache(), only=("01",))
    assert reused(after) == []


def test_progress_has_words_for_every_step_of_repeating():
    assert all(has_sentence(f"step_{name}") for name in ("unchanged", "comparing"))
