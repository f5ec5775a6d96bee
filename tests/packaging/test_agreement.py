"""`pyproject.toml`, the locks and `environment.yml` agree, and name no place to fetch packages from."""

import importlib.metadata
import re
import tomllib
from itertools import product

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCKS = ("requirements.lock", "requirements-test.lock")
PIN = re.compile(r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [a-zA-Z0-9_'.*<>=!() ]+)?")
SYSTEMS = {"linux": ("posix", "Linux"), "win32": ("nt", "Windows"), "darwin": ("posix", "Darwin")}
TARGETS = list(product(("3.11.9", "3.12.4", "3.13.5", "3.14.0"), SYSTEMS))
COPYLEFT = re.compile(r"\b[AL]?GPL|General Public|EUPL|CC-BY-SA", re.IGNORECASE)


@pytest.fixture(scope="module")
def project(checkout):
    return tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def locks(checkout):
    return {name: (checkout / name).read_text(encoding="utf-8").splitlines() for name in LOCKS}


@pytest.fixture(scope="module")
def environment(checkout):
    return yaml.safe_load((checkout / "environment.yml").read_text(encoding="utf-8"))


def pinned(lines, python, system):
    """Return {name: [versions]} of the lines that hold for one target."""
    os_name, platform = SYSTEMS[system]
    target = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "os_name": os_name,
        "sys_platform": system,
        "platform_system": platform,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found = {}
    for line in lines:
        pin = Requirement(line)
        if pin.marker is None or pin.marker.evaluate(target):
            found.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    return found


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_nothing_but_pins(locks, name):
    assert [line for line in locks[name] if not PIN.fullmatch(line)] == []


@pytest.mark.parametrize(("python", "system"), TARGETS)
def test_a_lock_pins_each_package_once_for_every_python_and_system(locks, python, system):
    for lines in locks.values():
        assert {name: found for name, found in pinned(lines, python, system).items() if len(found) > 1} == {}


@pytest.mark.parametrize(("python", "system"), TARGETS)
def test_what_the_project_asks_for_is_locked_at_a_version_it_accepts(project, locks, python, system):
    asked = {
        LOCKS[0]: project["project"]["dependencies"],
        LOCKS[1]: project["dependency-groups"]["test"],
    }
    for lock, requirements in asked.items():
        found = pinned(locks[lock], python, system)
        for requirement in map(Requirement, requirements):
            assert requirement.specifier.contains(found[canonicalize_name(requirement.name)][0]), requirement


@pytest.mark.parametrize(("python", "system"), TARGETS)
def test_the_test_lock_repeats_the_versions_of_the_lock(locks, python, system):
    base, tests = (pinned(locks[name], python, system) for name in LOCKS)
    assert {name: tests[name] for name in base.keys() & tests.keys()} == {
        name: base[name] for name in base.keys() & tests.keys()
    }


def test_no_package_of_the_lock_that_is_installed_here_is_copyleft(locks):
    names = {Requirement(line).name for line in locks["requirements.lock"]}
    installed = [
        found for found in importlib.metadata.distributions() if canonicalize_name(found.name) in names
    ]
    assert len(installed) > 100
    licences = {
        found.name: [
            found.metadata.get("License-Expression", ""),
            *(line for line in found.metadata.get_all("Classifier", []) if line.startswith("License")),
        ]
        for found in installed
    }
    assert {name: said for name, said in licences.items() if any(map(COPYLEFT.search, said))} == {}


def test_the_conda_environment_is_the_project_on_a_fixed_minor_python(project, environment):
    assert environment["name"] == project["project"]["name"]
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    python, pip, section = environment["dependencies"]
    assert pip == "pip"
    assert section == {"pip": ["-r requirements.lock", "-e ."]}
    minor = re.fullmatch(r"python=(3\.\d+)", python)
    assert minor is not None
    assert Requirement(f"python{project['project']['requires-python']}").specifier.contains(minor[1])


def test_run_and_project_need_the_same_python(project, checkout):
    needed = re.search(r"^NEEDED = \((\d+), (\d+)\)$", (checkout / "run.py").read_text("utf-8"), re.MULTILINE)
    assert project["project"]["requires-python"] == f">={needed[1]}.{needed[2]}"


def test_the_package_has_the_version_of_the_project(project):
    import toolkit

    assert toolkit.__version__ == project["project"]["version"]
    assert toolkit.__distribution__ == project["project"]["name"]
