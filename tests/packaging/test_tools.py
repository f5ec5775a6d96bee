"""The tool behind `run.py wheelhouse`."""

import re

import pytest

from tools import wheelhouse


def names_for(checkout, platform, python):
    environment = wheelhouse.target_environment(wheelhouse.platform_tags(platform), python)
    return wheelhouse.pins(checkout / "requirements.lock", environment)


def test_a_wheelhouse_for_windows_has_what_only_windows_needs(checkout):
    names = {line.split("==")[0] for line in names_for(checkout, "win_amd64", "3.12")}
    assert {"pywinpty", "colorama"} <= names
    assert not {"pexpect", "appnope"} & names


def test_a_wheelhouse_for_macos_has_what_only_macos_needs(checkout):
    names = {line.split("==")[0] for line in names_for(checkout, "macosx_14_0_arm64", "3.12")}
    assert {"appnope", "pexpect"} <= names
    assert "pywinpty" not in names


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_wheelhouse_has_one_numpy_for_its_python(checkout, python):
    numpy = [line for line in names_for(checkout, "win_amd64", python) if line.startswith("numpy==")]
    assert len(numpy) == 1


def test_the_pins_of_a_wheelhouse_carry_no_conditions(checkout):
    lines = names_for(checkout, "manylinux_2_28_x86_64", "3.12")
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)] == []


def test_a_newer_glibc_accepts_the_wheels_of_older_ones():
    tags = wheelhouse.platform_tags("manylinux_2_28_aarch64")
    assert tags[0] == "manylinux_2_28_aarch64"
    assert {"manylinux_2_17_aarch64", "manylinux2014_aarch64"} <= set(tags)


def test_an_unknown_system_is_refused():
    with pytest.raises(SystemExit, match="beos"):
        wheelhouse.target_environment(["beos_x86"], "3.12")
