"""Collect in one folder everything that `python run.py --wheelhouse DIR` needs on a machine without network.

The locks are universal: their lines carry conditions on the system and on the version of Python. pip reads
such conditions for the machine it runs on; here they are evaluated for the machine the folder is meant for.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ("requirements.lock", "requirements-test.lock")
PIP = (sys.executable, "-I", "-X", "utf8", "-m", "pip", "--disable-pip-version-check", "-qq")
GLIBC_OLDEST = 5


def main(arguments: Sequence[str] | None = None) -> int:
    """Fill the folder named on the command line."""
    options = parse(arguments)
    folder = Path(options.folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    tags = platform_tags(options.platform)
    environment = target_environment(tags, options.python_version)
    locks = LOCKS if options.tests else LOCKS[:1]
    lines = sorted({line for lock in locks for line in pins(ROOT / lock, environment)})
    print(f"正在下载 {len(lines)} 个软件包到 {folder} …\nDownloading {len(lines)} packages to {folder} ...")
    download(lines, folder, tags, options.python_version)
    for old in folder.glob("junheng-*.whl"):
        old.unlink()
    subprocess.run([*PIP, "wheel", "--no-deps", "--wheel-dir", folder, ROOT], check=True)
    size = sum(path.stat().st_size for path in folder.glob("*.whl")) / 1e6
    print(f"完成:{size:.0f} MB。离线机器上运行:python run.py --wheelhouse 文件夹")
    print(f"Done: {size:.0f} MB. On the machine without network: python run.py --wheelhouse DIR")
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser(prog="run.py wheelhouse", description=__doc__)
    parser.add_argument("folder")
    parser.add_argument(
        "--platform",
        help="the system there, by default as here: win_amd64, manylinux_2_28_x86_64, macosx_14_0_arm64 …",
    )
    parser.add_argument(
        "--python-version",
        default=f"{sys.version_info.major}.{sys.version_info.minor}",
        help="the Python there, for instance 3.12",
    )
    parser.add_argument("--tests", action="store_true", help="also what `python run.py test` needs")
    return parser.parse_args(arguments)


def platform_tags(platform: str | None) -> list[str]:
    """Return the wheel platforms a system accepts: a newer glibc accepts wheels of every older one."""
    if platform is None:
        return []
    if not platform.startswith("manylinux_2_"):
        return [platform]
    newest, machine = platform.removeprefix("manylinux_2_").split("_", 1)
    versions = range(int(newest), GLIBC_OLDEST - 1, -1)
    legacy = [f"manylinux2014_{machine}"] if int(newest) >= 17 else []
    return [f"manylinux_2_{version}_{machine}" for version in versions] + legacy


def target_environment(tags: Sequence[str], python_version: str) -> Mapping[str, str]:
    """Return the values that conditions in the locks are compared with; empty entries mean this machine."""
    full = python_version if python_version.count(".") == 2 else f"{python_version}.99"
    environment = {
        "python_version": ".".join(python_version.split(".")[:2]),
        "python_full_version": full,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    systems = {
        "win": ("nt", "win32", "Windows"),
        "macosx": ("posix", "darwin", "Darwin"),
        "manylinux": ("posix", "linux", "Linux"),
        "musllinux": ("posix", "linux", "Linux"),
    }
    if tags:
        found = [values for prefix, values in systems.items() if tags[0].startswith(prefix)]
        if not found:
            raise SystemExit(f"--platform: {tags[0]}? ({', '.join(systems)} …)")
        names = ("os_name", "sys_platform", "platform_system")
        environment |= dict(zip(names, found[0], strict=True))
    return environment


def pins(lock: Path, environment: Mapping[str, str]) -> list[str]:
    """Return the lines of a lock that hold on the target, without their conditions."""
    requirements = [
        Requirement(line) for line in lock.read_text(encoding="utf-8").splitlines() if "==" in line
    ]
    return [
        f"{requirement.name}{requirement.specifier}"
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(dict(environment))
    ]


def download(lines: Sequence[str], folder: Path, tags: Sequence[str], python_version: str) -> None:
    """Download the wheels of these pins for the target."""
    target = [argument for tag in tags for argument in ("--platform", tag)]
    if tags or python_version != f"{sys.version_info.major}.{sys.version_info.minor}":
        target += ["--python-version", python_version, "--implementation", "cp"]
    with tempfile.TemporaryDirectory() as scratch:
        listed = Path(scratch, "requirements.txt")
        listed.write_text("\n".join(lines), encoding="utf-8")
        command = [*PIP, "download", "--no-deps", "--only-binary=:all:", *target, "-d", folder, "-r", listed]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    sys.exit(main())
