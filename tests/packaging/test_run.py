"""`run.py`: old Pythons, the making of `.venv`, and what each argument starts."""

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROJECT_FILES = ("run.py", "pyproject.toml", "requirements.lock", "requirements-test.lock")


def load(path):
    spec = importlib.util.spec_from_file_location("run_under_test", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def run(checkout, tmp_path):
    """Return `run.py` as a module, in a project folder of its own with a space and Chinese characters."""
    folder = tmp_path / "均衡 office"
    folder.mkdir()
    for name in PROJECT_FILES:
        shutil.copy(checkout / name, folder)
    return load(folder / "run.py")


class Installer:
    """A stand-in for the installation steps: notes them and makes the Python that `venv` would make."""

    def __init__(self, run, fail_at=None):
        self.run = run
        self.fail_at = fail_at
        self.commands = []

    def __call__(self, command, environment, total):
        self.commands.append(command)
        if self.fail_at is not None and self.fail_at in command:
            raise self.run.SetupError("失败", "failed")
        if "venv" in command:
            python = Path(self.run.venv_python())
            python.parent.mkdir(parents=True, exist_ok=True)
            python.touch()

    def installed(self):
        words = ("requirements.lock", "requirements-test.lock", "--editable", "venv", "--force-reinstall")
        return [word for command in self.commands for word in words if word in command]


# ---- old Pythons ---------------------------------------------------------------------------------------


def test_has_only_syntax_that_python_2_7_reads(checkout):
    source = (checkout / "run.py").read_text(encoding="utf-8")
    assert source.startswith("# -*- coding: utf-8 -*-\n")
    newer = (
        ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.Nonlocal, ast.AsyncFunctionDef, ast.Await,
        ast.YieldFrom, ast.MatMult, ast.Match,
    )  # fmt: skip
    for node in ast.walk(ast.parse(source, feature_version=(3, 4))):
        where = f"line {getattr(node, 'lineno', 0)}"
        assert not isinstance(node, newer), where
        if isinstance(node, ast.FunctionDef):
            assert node.returns is None, where
            assert node.args.kwonlyargs + node.args.posonlyargs == [], where
        if isinstance(node, ast.arg):
            assert node.annotation is None, where
        if isinstance(node, ast.Raise):
            assert node.cause is None, where
        if isinstance(node, ast.Dict):
            assert None not in node.keys, where
        if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
            assert not any(isinstance(part, ast.Starred) for part in node.elts), where


def test_imports_nothing_at_its_top_that_python_2_7_lacks(checkout):
    tree = ast.parse((checkout / "run.py").read_text(encoding="utf-8"))
    names = {alias.name for node in tree.body if isinstance(node, ast.Import) for alias in node.names}
    assert names == {
        "contextlib", "errno", "hashlib", "io", "json", "os", "shutil", "subprocess", "sys", "time",
    }  # fmt: skip


def test_refuses_an_old_python_in_both_languages(run, monkeypatch, capfdbinary):
    monkeypatch.setattr(run, "NEEDED", (99, 0))
    assert run.main() == 1
    told = capfdbinary.readouterr().err.decode("utf-8")
    assert "均衡需要 Python 3.11" in told
    assert "Junheng needs Python 3.11" in told


# ---- making the environment ----------------------------------------------------------------------------


def test_first_start_installs_the_lock_then_the_project_and_the_second_does_nothing(run):
    installer = Installer(run)
    run.ensure_environment(step=installer)
    assert installer.installed() == ["venv", "requirements.lock", "--editable"]
    again = Installer(run)
    run.ensure_environment(step=again)
    assert again.commands == []


def test_no_command_names_an_index(run):
    installer = Installer(run)
    run.ensure_environment(tests=True, step=installer)
    words = {word for command in installer.commands for word in command}
    assert not words & {"-i", "-f", "--no-index"}
    assert not [word for word in words if word.startswith(("--index", "--extra-index")) or "://" in word]


def test_the_tests_add_only_their_own_lock(run):
    run.ensure_environment(step=Installer(run))
    installer = Installer(run)
    run.ensure_environment(tests=True, step=installer)
    assert installer.installed() == ["requirements-test.lock"]


def test_a_start_without_tests_keeps_an_environment_that_has_them(run):
    run.ensure_environment(tests=True, step=Installer(run))
    installer = Installer(run)
    run.ensure_environment(step=installer)
    run.ensure_environment(tests=True, step=installer)
    assert installer.commands == []


def test_a_changed_lock_is_installed_into_the_same_environment(run):
    run.ensure_environment(step=Installer(run))
    lock = Path(run.HERE, "requirements.lock")
    lock.write_bytes(lock.read_bytes() + b"extra==1.0\n")
    installer = Installer(run)
    run.ensure_environment(step=installer)
    assert installer.installed() == ["requirements.lock", "--editable"]


def test_line_endings_do_not_change_the_fingerprint(run):
    before = run.fingerprint("requirements.lock")
    lock = Path(run.HERE, "requirements.lock")
    lock.write_bytes(lock.read_bytes().replace(b"\n", b"\r\n"))
    assert run.fingerprint("requirements.lock") == before


@pytest.mark.parametrize("word", ["venv", "requirements.lock", "--editable"])
def test_an_interrupted_installation_is_made_anew(run, word):
    with pytest.raises(run.SetupError):
        run.ensure_environment(step=Installer(run, fail_at=word))
    assert not run.is_ready(run.wanted_stamp(False, None))
    leftover = Path(run.VENV, "leftover")
    leftover.touch()
    installer = Installer(run)
    run.ensure_environment(step=installer)
    assert installer.installed() == ["venv", "requirements.lock", "--editable"]
    assert not leftover.exists()


def test_an_environment_of_someone_else_is_set_aside_and_not_deleted(run):
    Path(run.VENV).mkdir()
    Path(run.VENV, "mine.txt").touch()
    run.ensure_environment(step=Installer(run))
    assert Path(run.VENV + "-old-1", "mine.txt").exists()
    assert run.is_ready(run.wanted_stamp(False, None))


def test_a_checkout_that_was_moved_gets_a_new_environment(run):
    run.ensure_environment(step=Installer(run))
    stamp = run.read_stamp()
    run.write_stamp(dict(stamp, place="/elsewhere"))
    installer = Installer(run)
    run.ensure_environment(step=installer)
    assert installer.installed() == ["venv", "requirements.lock", "--editable"]


def test_a_stamp_that_cannot_be_read_counts_as_none(run):
    run.ensure_environment(step=Installer(run))
    Path(run.STAMP).write_bytes(b"\xff{")
    assert not run.is_ready(run.wanted_stamp(False, None))


def test_of_two_starts_at_once_the_second_waits_and_installs_nothing(run):
    script = (
        "import importlib.util, sys, time, os\n"
        "spec = importlib.util.spec_from_file_location('run', sys.argv[1])\n"
        "run = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(run)\n"
        "run.POLL_SECONDS = 0.02\n"
        "def step(command, environment, total):\n"
        "    with open(os.path.join(run.HERE, 'steps.log'), 'a') as log: log.write('%d\\n' % os.getpid())\n"
        "    python = run.venv_python()\n"
        "    os.makedirs(os.path.dirname(python), exist_ok=True)\n"
        "    open(python, 'w').close()\n"
        "    time.sleep(0.15)\n"
        "run.ensure_environment(step=step)\n"
    )
    path = Path(run.HERE, "run.py")
    starts = [
        subprocess.Popen([sys.executable, "-c", script, path], stderr=subprocess.PIPE) for _ in range(2)
    ]
    told = b"".join(start.communicate(timeout=60)[1] for start in starts).decode("utf-8")
    assert [start.returncode for start in starts] == [0, 0]
    assert told.count("Another run.py is preparing the environment") == 1
    steps = Path(run.HERE, "steps.log").read_text(encoding="utf-8").split()
    assert len(set(steps)) == 1


def test_a_killed_start_leaves_no_lock_behind(run):
    script = (
        "import importlib.util, sys, time\n"
        "spec = importlib.util.spec_from_file_location('run', sys.argv[1])\n"
        "run = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(run)\n"
        "with run.one_at_a_time():\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    start = subprocess.Popen([sys.executable, "-c", script, Path(run.HERE, "run.py")], stdout=subprocess.PIPE)
    assert start.stdout.readline().strip() == b"held"
    start.kill()
    start.communicate()
    begun = time.monotonic()
    run.ensure_environment(step=Installer(run))
    assert time.monotonic() - begun < 5


# ---- without network ------------------------------------------------------------------------------------


@pytest.fixture
def wheelhouse(run, tmp_path):
    folder = tmp_path / "轮子 house"
    folder.mkdir()
    (folder / "junheng-0.1.0-py3-none-any.whl").write_bytes(b"a wheel")
    Path(run.HERE, "pyproject.toml").write_text('[project]\nversion = "0.1.0"\n', encoding="utf-8")
    return folder


def test_a_wheelhouse_brings_the_project_as_its_wheel(run, wheelhouse):
    installer = Installer(run)
    run.ensure_environment(wheelhouse=str(wheelhouse), step=installer)
    assert installer.installed() == ["venv", "requirements.lock", "--force-reinstall"]
    pip = [command for command in installer.commands if "install" in command]
    assert all("--no-index" in command and str(wheelhouse) in command for command in pip)
    assert pip[-1][-1] == str(wheelhouse / "junheng-0.1.0-py3-none-any.whl")


def test_a_later_start_needs_the_wheelhouse_no_more_but_a_new_wheel_is_installed(run, wheelhouse):
    run.ensure_environment(wheelhouse=str(wheelhouse), step=Installer(run))
    installer = Installer(run)
    run.ensure_environment(step=installer)
    run.ensure_environment(wheelhouse=str(wheelhouse), step=installer)
    assert installer.commands == []
    (wheelhouse / "junheng-0.1.0-py3-none-any.whl").write_bytes(b"another wheel")
    run.ensure_environment(wheelhouse=str(wheelhouse), step=installer)
    assert installer.installed() == ["requirements.lock", "--force-reinstall"]


def test_a_wheelhouse_without_the_projects_wheel_is_refused_before_anything_is_made(run, tmp_path):
    with pytest.raises(run.SetupError, match="junheng-"):
        run.ensure_environment(wheelhouse=str(tmp_path), step=Installer(run))
    assert not Path(run.VENV).exists()


def test_no_setting_of_pip_reaches_an_offline_installation(run, tmp_path, monkeypatch):
    settings = tmp_path / "pip.conf"
    settings.write_text("[global]\nextra-index-url = file:///nowhere/simple\n", encoding="utf-8")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    command = [sys.executable, "-I", "-m", "pip", "config", "list"]
    assert b"nowhere" in subprocess.run(command, capture_output=True, check=True).stdout
    shown = subprocess.run(command, env=run.offline_environment(), capture_output=True, check=True).stdout
    assert b"nowhere" not in shown
    assert b"index" not in shown


def test_a_failed_step_shows_its_last_lines(run):
    command = [sys.executable, "-c", "print('no matching distribution'); raise SystemExit(1)"]
    with pytest.raises(run.SetupError, match="no matching distribution"):
        run.run_step(command, run.child_environment(), 0)


# ---- what is started ------------------------------------------------------------------------------------


@pytest.fixture
def started(run, monkeypatch):
    """Return a function from arguments to (tests wanted, command started)."""
    seen = {}
    monkeypatch.setattr(run, "ensure_environment", lambda **options: seen.update(options))
    monkeypatch.setattr(run, "hand_over", lambda command, folder=None: seen.update(command=command) or 0)
    monkeypatch.setattr(run, "run_checks", lambda: seen.update(command=["linters"]) or 0)

    def begin(*arguments):
        assert run.start(list(arguments)) == 0
        return seen["tests"], seen["command"]

    return begin


def test_nothing_means_the_demonstration(started):
    tests, command = started()
    assert (tests, command[1:]) == (False, ["-P", "-m", "junheng_command", "demo"])


def test_a_command_of_junheng_is_passed_on_with_its_arguments(started):
    tests, command = started("run", "某 区.xlsx", "--year", "2025")
    assert (tests, command[-4:]) == (False, ["run", "某 区.xlsx", "--year", "2025"])


def test_check_alone_means_the_linters_and_with_a_file_the_check_of_that_file(started):
    assert started("check") == (True, ["linters"])
    tests, command = started("check", "某区.xlsx")
    assert (tests, command[-3:]) == (False, ["junheng_command", "check", "某区.xlsx"])


def test_test_starts_pytest_with_its_arguments(started):
    tests, command = started("test", "-n0", "-k", "share")
    assert tests is True
    assert command[1:] == ["-m", "pytest", "-n0", "-k", "share"]


def test_options_of_the_start_are_taken_out_wherever_they_stand(run, tmp_path):
    assert run.split_options(["demo", "--wheelhouse", str(tmp_path), "-x"]) == (
        str(tmp_path),
        False,
        ["demo", "-x"],
    )
    assert run.split_options(["--uv", f"--wheelhouse={tmp_path}"]) == (str(tmp_path), True, [])
    assert run.split_options(["demo", "--", "--uv"]) == (None, False, ["demo", "--", "--uv"])


def test_a_wheelhouse_that_is_no_folder_is_refused(run):
    with pytest.raises(run.SetupError, match="existing folder"):
        run.split_options(["--wheelhouse", "/no/such/folder"])


def test_children_speak_utf_8(run, monkeypatch):
    monkeypatch.setenv("PYTHONIOENCODING", "gbk")
    environment = run.child_environment()
    assert environment["PYTHONUTF8"] == "1"
    assert "PYTHONIOENCODING" not in environment


def test_the_stamp_is_readable_text(run):
    run.ensure_environment(step=Installer(run))
    stamp = json.loads(Path(run.STAMP).read_text(encoding="utf-8"))
    assert set(stamp) == {"place", "base", "tests", "wheel"}
