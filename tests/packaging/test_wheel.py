"""What the wheel carries, and what it must never carry."""

import shutil
import subprocess
import sys
import zipfile

import pytest

LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv*", "reports", "junheng-work", "__pycache__", "wheelhouse*", ".*_cache"
)


@pytest.fixture(scope="module")
def project(checkout, tmp_path_factory):
    """Return a copy of the checkout with what a busy office leaves in it."""
    copy = tmp_path_factory.mktemp("项目 copy") / "junheng"
    shutil.copytree(checkout, copy, ignore=LEFT_OUT)
    for name in (
        "data/某区2025.xlsx",
        "data/scores.csv",
        "notebooks/.ipynb_checkpoints/01.ipynb",
        "data/~$demo.xlsx",
    ):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(b"pupils")
    return copy


@pytest.fixture(scope="module")
def wheel(project, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=project, check=True, capture_output=True)
    with zipfile.ZipFile(next(folder.glob("junheng-*-py3-none-any.whl"))) as archive:
        yield archive


def test_every_file_of_the_package_is_in_the_wheel(project, wheel):
    files = {
        path.relative_to(project).as_posix()
        for path in (project / "toolkit").rglob("*")
        if path.is_file() and "_share" not in path.parts
    }
    assert files - set(wheel.namelist()) == set()


def test_the_launcher_stands_beside_the_package_and_is_the_command(wheel):
    assert "junheng_command.py" in wheel.namelist()
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    assert "junheng = junheng_command:main" in wheel.read(entry).decode("utf-8")


def test_notebooks_template_and_demonstration_are_shared(project, wheel):
    shared = [
        *project.glob("notebooks/*.ipynb"),
        *project.glob("data/demo*"),
        *project.glob("data/template*"),
    ]
    expected = {
        f"toolkit/_share/{path.relative_to(project).as_posix()}"
        for start in shared
        for path in (start.rglob("*") if start.is_dir() else [start])
        if path.is_file()
    }
    assert expected - set(wheel.namelist()) == set()


def test_no_data_of_a_county_and_no_checkpoint_is_in_the_wheel(wheel):
    assert [name for name in wheel.namelist() if wheel.read(name) == b"pupils"] == []


def test_the_wheel_holds_no_top_level_name_but_its_own(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"toolkit", "junheng_command.py"}
