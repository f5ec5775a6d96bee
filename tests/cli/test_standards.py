"""The command that prints standards fits a terminal of 80 columns."""

import pytest
from rich.cells import cell_len

from toolkit.standards import available_standards


def test_the_list_names_every_standard(junheng):
    code, out, _ = junheng("standards")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(available_standards())


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", available_standards())
def test_a_standard_is_printed_within_80_columns(junheng, name, language):
    code, out, _ = junheng("standards", name, "--language", language)
    assert code == 0
    table = [line for line in out.splitlines()[1:] if not line.startswith("(")]
    assert len(table) > 8
    assert [line for line in table if cell_len(line.rstrip()) > 80] == []


def test_the_limits_of_the_national_standard_are_printed_as_they_are(junheng):
    _, out, _ = junheng("standards", "national_2017")
    first = next(line for line in out.splitlines() if line.startswith("R1"))
    assert first.split()[-4:] == ["小学", "4.2", "3.57", "0.5"]


def test_a_doubt_is_printed_once_below_the_tables(junheng):
    _, out, _ = junheng("standards", "national_2017")
    doubts = [line for line in out.splitlines() if line.startswith("(")]
    assert [line.split()[0] for line in doubts] == [f"({number})" for number in range(1, len(doubts) + 1)]
    assert len({line.split(maxsplit=1)[1] for line in doubts}) == len(doubts) > 3


def test_an_unknown_standard_is_refused_with_those_there_are(junheng):
    code, _, err = junheng("standards", "002")
    assert code == 2
    assert "national_2017" in err
