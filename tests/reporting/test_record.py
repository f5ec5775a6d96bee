import json
import subprocess
from datetime import UTC, datetime

import pytest

from tests.reporting.pages import record
from toolkit.errors import RunError
from toolkit.reporting.record import (
    InputFile,
    NotebookOutcome,
    RunLog,
    checkout_commit,
    file_input,
    inputs_digest,
    load_log,
    load_record,
    package_versions,
    recorded_version,
    run_digest,
    write_log,
    write_record,
)

ONE, OTHER = InputFile("a.xlsx", "11" * 32), InputFile("b.csv", "22" * 32)


def test_a_record_comes_back_as_it_was(tmp_path):
    written = record(notebooks=(NotebookOutcome("03", "not_run", "缺表"),))
    assert load_record(write_record(written, tmp_path)) == written


def test_equal_records_give_equal_bytes_with_sorted_keys_and_lf(tmp_path):
    first = write_record(record(packages={"a": "1", "b": "2"}), tmp_path / "1").read_bytes()
    second = write_record(record(packages={"b": "2", "a": "1"}), tmp_path / "2").read_bytes()
    assert first == second
    assert b"\r" not in first
    assert list(json.loads(first)) == sorted(json.loads(first))


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema_version": 9}', '{"schema_version": 1, "x": 1}']
)
def test_a_record_that_is_not_as_it_should_be_is_refused(tmp_path, content):
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RunError, match=r"run\.json cannot be read"):
        load_record(tmp_path)


def test_the_digest_depends_on_parameters_and_contents_only():
    digest = run_digest({"year": 2024, "standard": "x"}, [ONE, OTHER])
    assert digest == run_digest(
        {"standard": "x", "year": 2024}, [OTHER, InputFile("renamed.xlsx", ONE.sha256)]
    )
    assert digest != run_digest({"year": 2025, "standard": "x"}, [ONE, OTHER])
    assert digest != run_digest({"year": 2024, "standard": "x"}, [ONE])
    assert len(digest) == 8


def test_an_input_has_its_published_hash_and_no_folder(tmp_path):
    (tmp_path / "abc.csv").write_bytes(b"abc")
    # FIPS 180-2, appendix B.1.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_input(tmp_path / "abc.csv") == InputFile("abc.csv", expected)


def test_the_fingerprint_of_the_data_does_not_depend_on_the_order_of_files():
    assert inputs_digest([ONE, OTHER]) == inputs_digest([OTHER, ONE])


def test_only_installed_packages_are_recorded():
    assert list(package_versions(("numpy", "no-such-package-at-all"))) == ["numpy"]


def test_a_folder_without_a_checkout_has_no_commit(tmp_path):
    assert checkout_commit(tmp_path) == ""


def test_a_changed_checkout_is_marked(tmp_path):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    git("init")
    (tmp_path / "file").write_text("1")
    git("add", "file")
    git("commit", "-m", "first")
    clean = checkout_commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("2")
    assert checkout_commit(tmp_path) == f"{clean}+"


def test_what_was_wanted_and_what_each_input_was_for_come_back(tmp_path):
    written = record(
        inputs=(ONE, InputFile("map.toml", "33" * 32, "mapping")),
        only=("01",),
        outputs=("docx",),
        embed_font=True,
        code_sha256="44" * 32,
        notebook_sha256={"01": "55" * 32},
    )
    write_record(written, tmp_path)
    assert load_record(tmp_path) == written
    assert recorded_version(tmp_path) == 2


def test_a_record_of_the_first_version_is_read_without_what_it_did_not_say(tmp_path):
    path = write_record(record(), tmp_path)
    content = json.loads(path.read_text(encoding="utf-8"))
    for name in ("only", "outputs", "embed_font", "code_sha256", "notebook_sha256"):
        del content[name]
    del content["inputs"][0]["role"]
    path.write_text(json.dumps(content | {"schema_version": 1}), encoding="utf-8")
    loaded = load_record(path)
    assert loaded.inputs[0].role == "unknown"
    assert (loaded.only, loaded.outputs, loaded.embed_font) == ((), (), False)
    assert recorded_version(path) == 1


def test_a_log_comes_back_and_one_of_an_older_version_without_what_it_did_not_say(tmp_path):
    started = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    log = RunLog(started, 1.5, "host", {"data": "/x"}, {"01": 1.0}, ("01",), ("/form.xlsx",))
    path = write_log(log, tmp_path)
    assert load_log(tmp_path) == log
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({k: v for k, v in content.items() if k not in ("reused", "forms")}))
    assert load_log(tmp_path) == RunLog(started, 1.5, "host", {"data": "/x"}, {"01": 1.0})
    path.unlink()
    assert load_log(tmp_path) is None
    path.write_text("[]")
    with pytest.raises(RunError, match=r"run-log\.json"):
        load_log(tmp_path)


def test_times_and_paths_go_to_the_log(tmp_path):
    log = RunLog(datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC), 1.5, "host", {"data": "/home/x"}, {"01": 1.0})
    assert json.loads(write_log(log, tmp_path).read_text())["started"] == "2025-01-02T03:04:05+00:00"
