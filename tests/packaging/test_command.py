"""The launcher `junheng`: it knows a foreign package called `toolkit` without importing it."""

import os
import subprocess
import sys

import pytest


def launch(checkout, path, *arguments):
    command = [sys.executable, "-P", str(checkout / "junheng_command.py"), *arguments]
    environment = dict(os.environ, PYTHONPATH=str(path), PYTHONIOENCODING="gbk")
    return subprocess.run(command, env=environment, capture_output=True, check=False)


@pytest.fixture
def foreign(tmp_path):
    package = tmp_path / "别处" / "toolkit"
    package.mkdir(parents=True)
    return package


def test_a_foreign_toolkit_is_reported_by_path_and_not_run(checkout, foreign):
    (foreign / "__init__.py").write_text("print('the stranger ran')\n", encoding="utf-8")
    result = launch(checkout, foreign.parent, "demo")
    told = result.stderr.decode("utf-8")
    assert result.returncode == 1
    assert f"不是均衡的软件包:{foreign / '__init__.py'}" in told
    assert f"is not Junheng's: {foreign / '__init__.py'}" in told
    assert result.stdout == b""


def test_a_toolkit_that_overwrote_ours_is_known_by_its_missing_mark(foreign, monkeypatch):
    import junheng_command

    (foreign / "__init__.py").write_text(
        '__version__ = "1.0"\n__distribution__ = "toolkit"\n', encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(foreign.parent))
    monkeypatch.delitem(sys.modules, "toolkit")
    assert junheng_command.foreign_toolkit() == str(foreign / "__init__.py")


def test_our_own_toolkit_is_accepted():
    import junheng_command

    assert junheng_command.foreign_toolkit() is None
