"""Parameters and outputs of an earlier run for other data, and its files found again."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.reporting.pages import record
from toolkit.errors import InputError
from toolkit.reporting.outputs import Outputs
from toolkit.reporting.record import RunLog, file_input, write_log, write_record
from toolkit.reporting.recorded_run import load_recorded_run
from toolkit.reporting.repeat import RunRequest, request_again, request_like
from toolkit.share import WORKSPACE_VARIABLE
from toolkit.standards import hash_standard, load_standard

OWN = 'extends = "national_2017"\n[title]\nzh = "本县标准"\nen = "Own standard"\n'
PARAMETERS = {
    "year": 2024,
    "standard": "national_2017",
    "rules": "visiting_teachers=off",
    "edition": "public",
}
NOTHING = Outputs()


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path / "workspace"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path


def recorded(place, *, files=(), log=None, forms=(), parameters=PARAMETERS, **changes):
    """Return a run that read some files: (path, role)."""
    inputs = tuple(file_input(path, role) for path, role in files)
    values = {"parameters": {"02": parameters, "07": {**parameters, "plan": ""}}, "inputs": inputs, **changes}
    write_record(record(**values), place / "run")
    logged = RunLog(datetime(2025, 1, 1, tzinfo=UTC), 1.0, "host", log or {}, {}, (), tuple(map(str, forms)))
    write_log(logged, place / "run")
    return load_recorded_run(place / "run")


def written(path: Path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def given(data, **parameters):
    return RunRequest({"data_path": str(data), **parameters}, NOTHING, embed_font=False, only=())


def test_everything_but_the_year_is_taken_over_for_other_data(place):
    run = recorded(place, outputs=("schools",), embed_font=True, only=("02",))
    request = request_like(run, given(place / "new.xlsx", mapping_path="", ledger_path=""))
    assert request.parameters == {
        "data_path": str(place / "new.xlsx"),
        "standard": "national_2017",
        "rules": "visiting_teachers=off",
        "edition": "public",
        "plan": "",
    }
    assert request.outputs == Outputs(schools=True)
    assert (request.embed_font, request.only) == (True, ("02",))


def test_what_is_given_goes_first(place):
    run = recorded(place, outputs=("schools",), only=("02",))
    own = RunRequest(
        {"data_path": "new.xlsx", "year": 2025, "edition": "internal"}, Outputs(docx=True), False, ("01",)
    )
    request = request_like(run, own)
    assert request.parameters["year"] == 2025
    assert request.parameters["edition"] == "internal"
    assert request.parameters["rules"] == "visiting_teachers=off"
    assert request.outputs == Outputs(docx=True, schools=True)
    assert request.only == ("01",)


def test_the_mapping_is_taken_over_names_and_ledger_are_not(place):
    files = [(written(place / "old" / f"{role}.toml", role), role) for role in ("mapping", "names", "ledger")]
    log = {f"{role}_path": str(path) for path, role in files}
    request = request_like(recorded(place, files=files, log=log), given(place / "new.xlsx"))
    assert request.parameters["mapping_path"] == str(place / "old" / "mapping.toml")
    assert {"names_path", "ledger_path"}.isdisjoint(request.parameters)


def test_a_file_that_was_moved_is_found_beside_the_new_data(place):
    path = written(place / "old" / "map.toml")
    run = recorded(place, files=[(path, "mapping")], log={"mapping_path": str(path)})
    (place / "new").mkdir()
    path.rename(place / "new" / "map.toml")
    request = request_like(run, given(place / "new" / "county.xlsx"))
    assert request.parameters["mapping_path"] == str(place / "new" / "map.toml")


@pytest.mark.parametrize(("role", "name"), [("mapping", "map.toml"), ("form", "form.xlsx")])
def test_a_file_that_changed_or_is_gone_is_refused_with_a_remedy(place, role, name):
    path = written(place / "old" / name)
    run = recorded(place, files=[(path, role)], log={"mapping_path": str(path)}, forms=(path,))
    written(path, "other")
    with pytest.raises(InputError, match="is not the file") as changed:
        request_like(run, given(place / "new.xlsx"))
    assert str(path) in changed.value.zh
    path.unlink()
    with pytest.raises(InputError, match=r"was not found.*Put it back"):
        request_like(run, given(place / "new.xlsx"))


def own_standard(place):
    path = written(place / "old" / "own.toml", OWN)
    parameters = {**PARAMETERS, "standard": "own.toml", "rules": ""}
    sha = hash_standard(load_standard(path))
    return path, recorded(place, parameters=parameters, standard_sha256=sha, log={"standard": str(path)})


def test_a_standard_of_ones_own_is_known_by_its_content(place):
    path, run = own_standard(place)
    written(path, OWN.replace("本县", "本市"))
    with pytest.raises(InputError, match="is not the file"):
        request_like(run, given(place / "new.xlsx"))
    kept = written(place / "here" / "own.toml", f"# the same, with a remark\n{OWN}")
    assert request_like(run, given(place / "new.xlsx")).parameters["standard"] == str(kept)
    shipped = request_like(run, given(place / "new.xlsx", standard="national_2012"))
    assert shipped.parameters["standard"] == "national_2012"


def test_a_file_that_is_no_standard_any_more_is_refused(place):
    path, run = own_standard(place)
    written(path, "no = [ standard")
    with pytest.raises(InputError, match=r"own\.toml"):
        request_like(run, given(place / "new.xlsx"))


def test_a_repetition_takes_everything_and_files_as_they_are_now(place):
    files = [(written(place / "old" / f"{role}.toml", role), role) for role in ("mapping", "names", "ledger")]
    log = {f"{role}_path": str(path) for path, role in files} | {"data": str(written(place / "county.xlsx"))}
    run = recorded(place, files=files, log=log)
    written(files[1][0], "put right since")
    request = request_again(run)
    assert request.parameters["year"] == 2024
    assert request.parameters["data_path"] == str(place / "county.xlsx")
    assert [request.parameters[f"{role}_path"] for _, role in files] == [str(path) for path, _ in files]


def test_data_that_are_not_found_are_asked_for(place):
    run = recorded(
        place, files=[(written(place / "old" / "county.xlsx"), "data")], log={"data": "/gone/c.xlsx"}
    )
    with pytest.raises(InputError, match=r"county\.xlsx; they were at /gone/c\.xlsx.*--data"):
        request_again(run)


def test_the_fingerprint_of_a_secret_is_no_parameter_to_give(place):
    run = recorded(place, parameters={**PARAMETERS, "pseudonym_key": "12345678"})
    assert "pseudonym_key" not in run.parameters()
