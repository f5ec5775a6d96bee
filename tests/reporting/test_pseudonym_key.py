"""The secret of the pseudonyms: made once, never written to again, missed when it is gone."""

import os
import re

import pytest

from toolkit.errors import InputError, RunError
from toolkit.reporting.pseudonym_key import (
    SECRET_NAME,
    create_secret,
    load_secret,
    open_secret,
    secret_fingerprint,
    secret_path,
)
from toolkit.share import WORKSPACE_VARIABLE

SECRET = "0123456789abcdef" * 4


@pytest.fixture(autouse=True)
def workspace(tmp_path, monkeypatch):
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(tmp_path))
    return tmp_path


def written(content):
    path = secret_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_first_call_makes_a_secret_in_the_workspace_and_later_ones_read_it(workspace):
    secret = open_secret()
    assert secret_path() == workspace / "restricted" / SECRET_NAME
    before = secret_path().read_bytes()
    assert secret.encode() in before
    assert [open_secret(), open_secret(workspace / "elsewhere")] == [secret, secret]
    assert secret_path().read_bytes() == before


def test_every_workspace_has_a_secret_of_its_own(workspace, monkeypatch):
    one = open_secret()
    monkeypatch.setenv(WORKSPACE_VARIABLE, str(workspace / "other"))
    other = open_secret()
    assert one != other
    assert re.fullmatch("[0-9a-f]{64}", one)
    assert secret_fingerprint(one) != secret_fingerprint(other)


def test_the_file_says_in_both_languages_what_it_is():
    open_secret()
    remarks = [line for line in secret_path().read_text(encoding="utf-8").splitlines() if line[0] == "#"]
    assert ["密钥" in remarks[0], "secret" in remarks[1]] == [True, True]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_its_owner_may_read_the_file():
    open_secret()
    assert secret_path().stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_a_secret_saved_by_another_editor_is_the_same(ending):
    content = f"\ufeff# 说明{ending or chr(10)}{SECRET}{ending}".encode()
    assert load_secret(written(content)) == SECRET


@pytest.mark.parametrize(
    "content", [b"", b"# remark\n", SECRET[:-1].encode(), f"{SECRET}\n{SECRET}".encode(), b"\xff\xfe\x00"]
)
def test_a_damaged_secret_is_refused_in_both_languages_and_left_as_it_is(content):
    path = written(content)
    with pytest.raises(InputError) as refused:
        open_secret()
    assert str(path) in refused.value.zh
    assert "请从备份恢复" in refused.value.zh
    assert "Put it back from a copy" in refused.value.en
    assert path.read_bytes() == content


@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_secret_that_is_gone_is_not_replaced_while_its_keys_are_there(workspace, elsewhere):
    reports = workspace / ("output" if elsewhere else "reports")
    key = reports / "restricted" / "990101-2025-0a" / "pseudonym_key.csv"
    key.parent.mkdir(parents=True)
    key.write_text("", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        open_secret(reports if elsewhere else None)
    assert all(str(path) in text for path in (key, secret_path()) for text in str(refused.value).splitlines())
    assert not secret_path().exists()
    written(SECRET.encode())
    assert open_secret(reports) == SECRET


def test_a_secret_that_is_there_is_not_made_again():
    path = written(SECRET.encode())
    assert create_secret(path) == SECRET
    assert path.read_bytes() == SECRET.encode()


def test_a_folder_that_cannot_hold_the_secret_is_told(workspace):
    (workspace / "restricted").write_bytes(b"")
    with pytest.raises(RunError, match=r"restricted.*cannot be written"):
        open_secret()
