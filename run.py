# -*- coding: utf-8 -*-
"""Start Junheng with nothing but Python installed. 只需装有 Python 即可启动均衡。

    python run.py                      演示县,全部分析    the demonstration county, all notebooks
    python run.py COMMAND ...          均衡的任一命令      any command of junheng, such as `check county.xlsx`
    python run.py test [ARGUMENTS]     运行测试            the tests
    python run.py check                代码检查            the linters (with a file it is `junheng check`)
    python run.py wheelhouse DIR       制作离线安装文件夹  collect what a machine without network needs

    --wheelhouse DIR                   只从该文件夹安装    install from that folder only
    --uv                               用 uv 安装          install with uv

This file makes `.venv` beside itself, once. It uses the standard library only, and the syntax that Python 2.7
reads too, so that an old Python can say that it is too old.
"""

from __future__ import print_function

import contextlib
import errno
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
STAMP = os.path.join(VENV, "junheng-stamp.json")
START_LOCK = os.path.join(HERE, ".venv.lock")
NEEDED = (3, 11)
POLL_SECONDS = 0.5
TAIL_LINES = 15
# pip compiles on one core; this uses all of them. A file that no Python can compile is skipped, as pip does.
COMPILE = (
    "import compileall, sysconfig; compileall.compile_dir(sysconfig.get_path('purelib'), quiet=2, workers=0)"
)


class SetupError(Exception):
    """The environment cannot be made; the two texts say why and what to do."""

    def __init__(self, zh, en):
        Exception.__init__(self, zh + "\n" + en)
        self.zh = zh
        self.en = en


def say(zh, en=""):
    """Write to the error stream in UTF-8, whatever the console's own encoding is."""
    text = zh + "\n" + (en + "\n" if en else "")
    stream = getattr(sys.stderr, "buffer", sys.stderr)
    stream.write(text if isinstance(text, bytes) else text.encode("utf-8"))
    stream.flush()


def unsuitable_python():
    """Return why this Python cannot run Junheng, or None."""
    found = "{0}.{1}.{2}".format(*sys.version_info[:3])
    if sys.version_info < NEEDED:
        return SetupError(
            "均衡需要 Python 3.11 或更高版本,当前为 {0}({1})。请安装后用新版本启动,例如:"
            "python3.12 run.py;Windows:py -3.12 run.py".format(found, sys.executable),
            "Junheng needs Python 3.11 or newer; this is {0} ({1}). Install one and start with it, "
            "for example: python3.12 run.py; on Windows: py -3.12 run.py".format(found, sys.executable),
        )
    if sys.maxsize < 2**32:
        return SetupError(
            "均衡需要 64 位 Python,当前为 32 位({0})。".format(sys.executable),
            "Junheng needs a 64-bit Python; this one has 32 bits ({0}).".format(sys.executable),
        )
    return None


# ---- what is wanted and what is there -------------------------------------------------------------------


def fingerprint(*names):
    """Return the hash of project files, independent of line endings."""
    digest = hashlib.sha256()
    for name in names:
        with io.open(os.path.join(HERE, name), "rb") as handle:
            digest.update(handle.read().replace(b"\r\n", b"\n") + b"\0")
    return digest.hexdigest()


def wanted_stamp(tests, wheelhouse):
    """Return what the stamp must say before a command may start; None means: does not matter."""
    return {
        "place": HERE,
        "base": fingerprint("requirements.lock", "pyproject.toml"),
        "tests": fingerprint("requirements-test.lock") if tests else None,
        "wheel": file_hash(own_wheel(wheelhouse)) if wheelhouse else None,
    }


def file_hash(path):
    """Return the hash of one file."""
    with io.open(path, "rb") as handle:
        return hashlib.sha256(handle.read()).hexdigest()


def read_stamp():
    """Return the stamp of `.venv`, or None when there is none that can be read."""
    try:
        with io.open(STAMP, encoding="utf-8") as handle:
            stamp = json.load(handle)
    except (IOError, OSError, ValueError):
        return None
    return stamp if isinstance(stamp, dict) else None


def write_stamp(stamp):
    """Put the stamp in place in one step."""
    with io.open(STAMP + ".new", "w", encoding="utf-8") as handle:
        handle.write(json.dumps(stamp, indent=1))
    os.replace(STAMP + ".new", STAMP)


def venv_python():
    """Return the path of the Python in `.venv`."""
    return os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def is_ready(wanted):
    """Tell whether `.venv` is finished and holds what is wanted."""
    stamp = read_stamp()
    return (
        stamp is not None
        and os.path.exists(venv_python())
        and all(value is None or stamp.get(key) == value for key, value in wanted.items())
    )


def own_wheel(wheelhouse):
    """Return the project's own wheel in a wheelhouse."""
    import tomllib

    with io.open(os.path.join(HERE, "pyproject.toml"), "rb") as handle:
        version = tomllib.load(handle)["project"]["version"]
    wheel = os.path.join(wheelhouse, "junheng-{0}-py3-none-any.whl".format(version))
    if not os.path.isfile(wheel):
        raise SetupError(
            "离线安装文件夹中没有 {0}。请在联网的机器上重新生成:python run.py wheelhouse 文件夹".format(
                wheel
            ),
            "The wheelhouse has no {0}. Make it again on a machine with network: "
            "python run.py wheelhouse DIR".format(wheel),
        )
    return wheel


# ---- making the environment -----------------------------------------------------------------------------


def try_lock(handle):
    """Lock an open file if nobody else holds it; the system frees it however the process ends."""
    try:
        if os.name == "nt":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (IOError, OSError) as error:
        if error.errno in (errno.EACCES, errno.EAGAIN, errno.EDEADLK):
            return False
        raise
    return True


@contextlib.contextmanager
def one_at_a_time():
    """Hold the start lock; a second start waits for the first and says so."""
    with io.open(START_LOCK, "a+b") as handle:
        if not try_lock(handle):
            say(
                "另一个 run.py 正在准备运行环境,请稍候……",
                "Another run.py is preparing the environment; waiting ...",
            )
            while not try_lock(handle):
                time.sleep(POLL_SECONDS)
        yield


def child_environment():
    """Return the environment of every child: UTF-8, and no other Python's home."""
    environment = dict(os.environ, PYTHONUTF8="1")
    for name in ("PYTHONHOME", "PYTHONIOENCODING", "__PYVENV_LAUNCHER__"):
        environment.pop(name, None)
    return environment


def offline_environment():
    """Return an environment in which no setting of pip or uv can bring in another source of packages."""
    environment = {
        name: value
        for name, value in child_environment().items()
        if not name.upper().startswith(("PIP_", "UV_"))
    }
    environment["PIP_CONFIG_FILE"] = os.devnull
    return environment


def installer_command(wheelhouse, uv):
    """Return the beginning of every install command, without any index of its own."""
    if uv:
        command = ["uv", "pip", "install", "--python", venv_python()]
        return command + (["--offline", "--no-config", "--no-index", "-f", wheelhouse] if wheelhouse else [])
    command = [venv_python(), "-I", "-X", "utf8", "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-compile"]
    return command + (["--no-index", "-f", wheelhouse] if wheelhouse else [])


def run_step(command, environment, total):
    """Run one installation step; show the packages passing by; raise with its last lines when it fails."""
    lines = []
    try:
        process = subprocess.Popen(
            command, env=environment, cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
    except OSError as error:
        raise SetupError(
            "无法启动 {0}:{1}".format(command[0], error), "Cannot start {0}: {1}".format(command[0], error)
        )
    try:
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            lines.append(line)
            if sys.stderr.isatty() and line.startswith(("Collecting ", "Installing collected")):
                seen = sum(1 for other in lines if other.startswith("Collecting "))
                sys.stderr.write("\r  {0:3d}/{1} {2:<60.60}".format(seen, total, line))
                sys.stderr.flush()
        code = process.wait()
    except KeyboardInterrupt:
        process.kill()
        raise
    if sys.stderr.isatty():
        sys.stderr.write("\r" + " " * 75 + "\r")
    if code != 0:
        raise SetupError(
            "安装没有完成:\n  {0}\n请检查网络或 pip 的镜像设置,然后重新启动;没有网络时请使用 "
            "--wheelhouse 文件夹。".format("\n  ".join(lines[-TAIL_LINES:])),
            "The installation did not finish; its last lines stand above. Can the network, or the mirror in "
            "pip's settings, be reached? Then start again. Without network: --wheelhouse DIR.",
        )


def make_way():
    """Remove a `.venv` that an earlier start left half-made; set aside one that run.py did not make."""
    stamp = read_stamp()
    if not os.path.lexists(VENV):
        return
    if stamp is None and os.path.isdir(VENV) and os.listdir(VENV):
        aside = next(
            path
            for path in (VENV + "-old-{0}".format(number) for number in range(1, 1000))
            if not os.path.lexists(path)
        )
        os.rename(VENV, aside)
        say(
            "已有的 .venv 不是(或未能)由 run.py 建成,已改名为 {0}。".format(aside),
            "The .venv found here was not made by run.py; it is now {0}.".format(aside),
        )
    elif os.path.isdir(VENV) and not os.path.islink(VENV):
        finished = stamp is not None and "base" in stamp
        if not (finished and stamp.get("place") == HERE and os.path.exists(venv_python())):
            shutil.rmtree(VENV)
    else:
        os.remove(VENV)


def make_venv(step):
    """Make `.venv` with pip unless it is there, mark it as unfinished, and return the stamp it had."""
    stamp = read_stamp() or {}
    if not os.path.isdir(VENV):
        os.mkdir(VENV)
    write_stamp({"place": HERE})
    if not os.path.exists(venv_python()):
        base = getattr(sys, "_base_executable", None) or sys.executable
        say("正在建立运行环境 .venv …", "Making the environment .venv ...")
        try:
            step([base, "-I", "-m", "venv", VENV], child_environment(), 0)
        except SetupError as error:
            raise SetupError(
                error.zh + "\n无法建立虚拟环境。Debian/Ubuntu 请先安装 python3-venv。",
                "Python cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv.",
            )
    return stamp


def prepare(wanted, wheelhouse, uv, step):
    """Bring `.venv` to what is wanted; the stamp is written last."""
    make_way()
    stamp = make_venv(step)
    install = installer_command(wheelhouse, uv) + ["--no-deps"]
    environment = offline_environment() if wheelhouse else child_environment()
    steps = []
    if stamp.get("base") != wanted["base"] or wanted["wheel"] not in (None, stamp.get("wheel")):
        say(
            "正在安装所需的软件包(首次约 1–3 分钟,视网速而定)…",
            "Installing the packages (the first time 1 to 3 minutes, depending on the network) ...",
        )
        steps += [["-r", "requirements.lock"], project_arguments(wheelhouse, uv)]
        stamp = {"base": wanted["base"], "wheel": wanted["wheel"], "tests": None}
    if wanted["tests"] not in (None, stamp.get("tests")):
        say("正在安装测试工具…", "Installing the tools for the tests ...")
        steps += [["-r", "requirements-test.lock"]]
        stamp["tests"] = wanted["tests"]
    for arguments in steps:
        step(install + arguments, environment, count_pins(arguments[-1]))
    step([venv_python(), "-I", "-c", COMPILE], child_environment(), 0)
    write_stamp(dict(stamp, place=HERE))


def project_arguments(wheelhouse, uv):
    """Return how the project is installed: this checkout, or offline its wheel, which needs no build."""
    if wheelhouse:
        return ["--reinstall" if uv else "--force-reinstall", own_wheel(wheelhouse)]
    return ["--editable", HERE]


def count_pins(name):
    """Return the number of packages that a lock names, 1 for a wheel or a folder."""
    if not name.endswith(".lock"):
        return 1
    with io.open(os.path.join(HERE, name), encoding="utf-8") as handle:
        return sum(1 for line in handle if "==" in line)


def ensure_environment(tests=False, wheelhouse=None, uv=False, step=run_step):
    """Make sure that `.venv` is finished and up to date."""
    wanted = wanted_stamp(tests, wheelhouse)
    if is_ready(wanted):
        return
    with one_at_a_time():
        if not is_ready(wanted):
            prepare(wanted, wheelhouse, uv, step)


# ---- what to start --------------------------------------------------------------------------------------


def split_options(arguments):
    """Return (the wheelhouse or None, whether to use uv, the other arguments)."""
    wheelhouse, uv, rest = None, False, []
    remaining = list(arguments)
    while remaining:
        argument = remaining.pop(0)
        is_option = argument == "--wheelhouse" or argument.startswith("--wheelhouse=")
        if argument == "--":
            rest += [argument] + remaining
            break
        if argument == "--uv":
            uv = True
        elif is_option:
            value = argument[len("--wheelhouse=") :] or (remaining.pop(0) if remaining else "")
            if not os.path.isdir(value):
                raise SetupError(
                    "--wheelhouse 后应为一个已有的文件夹,而不是“{0}”。".format(value),
                    "--wheelhouse needs an existing folder, not '{0}'.".format(value),
                )
            wheelhouse = os.path.abspath(value)
        else:
            rest.append(argument)
    return wheelhouse, uv, rest


def test_command(arguments):
    """Return the command of the tests, on several processes unless something else was said."""
    command = [venv_python(), "-m", "pytest"]
    chosen = any(argument.startswith(("-n", "--numprocesses", "--pdb")) for argument in arguments)
    if not chosen and (os.cpu_count() or 1) > 1:
        command += ["-n", str(min(os.cpu_count(), 4)), "--dist", "loadfile"]
    return command + arguments


def check_commands():
    """Return the linters as (name, command)."""
    python = venv_python()
    folder = os.path.join(HERE, "notebooks")
    names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    notebooks = [os.path.join("notebooks", name) for name in names if name.endswith(".ipynb")]
    imports = "import sys; from importlinter.cli import lint_imports_command; lint_imports_command()"
    commands = [
        ("ruff format", [python, "-m", "ruff", "format", "--check", "."]),
        ("ruff check", [python, "-m", "ruff", "check", "."]),
        ("pyright", [python, "-m", "pyright", "--pythonpath", python]),
        ("import-linter", [python, "-c", imports, "--no-cache"]),
    ]
    return commands + (
        [("nbstripout", [python, "-m", "nbstripout", "--verify"] + notebooks)] if notebooks else []
    )


def run_checks():
    """Run every linter, also after one that failed, and return the exit code."""
    failed = []
    for name, command in check_commands():
        say("== " + name)
        if subprocess.call(command, env=child_environment(), cwd=HERE) != 0:
            failed.append(name)
    if failed:
        say("未通过:" + ", ".join(failed), "Failed: " + ", ".join(failed))
    return 1 if failed else 0


def hand_over(command, folder=None):
    """Become the command (on Windows: wait for it) and return its exit code."""
    if folder is not None:
        os.chdir(folder)
    if os.name != "nt":
        sys.stderr.flush()
        os.execve(command[0], command, child_environment())
    process = subprocess.Popen(command, env=child_environment())
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # The console sends Ctrl-C to the child as well, which ends in its own way.
            continue


def start(arguments):
    """Prepare what the arguments need and start it; return the exit code."""
    wheelhouse, uv, rest = split_options(arguments)
    if rest in (["-h"], ["--help"]):
        say(__doc__)
        if not is_ready(wanted_stamp(False, None)):
            return 0
    rest = rest or ["demo"]
    linters = rest == ["check"]
    ensure_environment(tests=linters or rest[0] == "test", wheelhouse=wheelhouse, uv=uv)
    if linters:
        return run_checks()
    if rest[0] == "test":
        return hand_over(test_command(rest[1:]), HERE)
    if rest[0] == "wheelhouse":
        return hand_over([venv_python(), "-P", os.path.join(HERE, "tools", "wheelhouse.py")] + rest[1:])
    return hand_over([venv_python(), "-P", "-m", "junheng_command"] + rest)


def main():
    """Return the exit code of the program."""
    unsuitable = unsuitable_python()
    if unsuitable is not None:
        say(unsuitable.zh, unsuitable.en)
        return 1
    try:
        return start(sys.argv[1:])
    except SetupError as error:
        say(error.zh, error.en)
    except KeyboardInterrupt:
        say("已中断;再次启动即可继续。", "Stopped; start again to go on.")
        return 130
    except OSError as error:
        say("运行环境准备失败:{0}".format(error), "The environment could not be prepared: {0}".format(error))
    return 1


if __name__ == "__main__":
    sys.exit(main())
