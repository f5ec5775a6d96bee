"""Help, and command lines that are not understood."""

import re

import pytest

COMMANDS = (
    "demo",
    "run",
    "lab",
    "template",
    "check",
    "names",
    "simulate",
    "standards",
    "compare",
    "verify",
    "batch",
    "pool",
)
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("command", [(), *[(name,) for name in COMMANDS]], ids=" ".join)
def test_help_is_in_chinese_and_in_english(junheng, command):
    code, out, err = junheng(*command, "--help")
    assert code == 0
    assert err == ""
    assert CHINESE.search(out)
    assert re.search(r"[A-Z][a-z]+ [a-z]+ [a-z]+", out)
    assert "[/" not in out
    assert "\x1b" not in out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_explained(junheng, command):
    _, out, _ = junheng(command, "--help")
    described = out.split("Options:")[1].split("-h, --help")[0]
    blocks = re.split(r"\n(?=  -)", described)[1:]
    assert blocks or command == "lab"
    assert [block for block in blocks if not CHINESE.search(block)] == []


def test_without_a_command_the_help_is_printed(junheng):
    code, out, _ = junheng()
    assert code == 0
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize(
    ("arguments", "zh", "en"),
    [
        (("nosuch",), "命令有误", "The command is not understood"),
        (("run",), "缺少 FILE。用 junheng run --help", "FILE is missing. junheng run --help"),
        (("run", "x", "--nosuch", "1"), "没有选项 --nosuch", "There is no option --nosuch"),
        (("run", "x", "--year", "abc"), "--year 应为整数", "--year should be a whole number"),
        (("batch", "x", "-j", "abc"), "--jobs 应为整数", "--jobs should be a whole number"),
        (("simulate", "x", "--schools", "3"), "--schools 不能小于 20", "--schools must be 20 or more"),
        (("simulate", "x", "--years", "99"), "--years 不能大于 20", "--years must be 20 or less"),
        (("template", "--language", "fr"), "language 的值“fr”", "language cannot be"),
    ],
)
def test_a_wrong_command_line_is_told_in_both_languages(junheng, place, arguments, zh, en):
    code, out, err = junheng(*arguments)
    assert code == 2
    assert zh in err
    assert en in err
    assert out == ""
    assert list(place.iterdir()) == []
