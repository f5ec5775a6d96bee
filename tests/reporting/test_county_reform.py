"""A reform of whole counties: how its years are given, and what cannot be studied with it."""

import pytest

from toolkit.effects.group_schooling import GroupDesign, trace_group_schooling
from toolkit.errors import ParameterError
from toolkit.reporting.group_study import read_county_years
from toolkit.standards import load_standard


def test_codes_and_years_are_read_with_either_comma():
    assert read_county_years("990101=2021， 990102 = 2022,") == {"990101": 2021, "990102": 2022}
    assert read_county_years("") == {}


@pytest.mark.parametrize("text", ["990101", "990101=21", "=2021", "990101=2021,990101=2022", "990101=2021.5"])
def test_what_is_no_code_and_year_is_refused_with_the_part(text):
    with pytest.raises(ParameterError) as refused:
        read_county_years(text)
    assert text.split(",")[-1] in refused.value.zh


def test_a_county_that_is_not_studied_is_refused_by_its_code():
    with pytest.raises(ParameterError, match="990199"):
        trace_group_schooling(
            [], load_standard("national_2017"), GroupDesign(county_years={"990199": 2021}, outcome="R1")
        )
