"""Dates as school years: year Y begins on 1 September Y."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd


def school_year_of_start(dates: pd.Series) -> pd.Series:
    """Return the first school year of spells that start on given dates; missing dates stay missing.

    A start in the last month before the school year belongs to the year that follows.
    """
    late = dates.dt.month >= exposure_settings("school_year")["first_month_of_start"]
    return (dates.dt.year - 1 + late).astype("Float64").astype("Int64").where(dates.notna())


def school_year_of_end(dates: pd.Series) -> pd.Series:
    """Return the last school year of spells that end on given dates; missing dates stay missing.

    An end on the first day of a school year closes the year before.
    """
    eve = dates - pd.Timedelta(days=1)
    in_year = eve.dt.month >= exposure_settings("school_year")["statistic_month"]
    return (eve.dt.year - 1 + in_year).astype("Float64").astype("Int64").where(dates.notna())


def school_year_counting_from(date: pd.Timestamp) -> int:
    """Return the first school year whose statistic date is not before a date."""
    rule = exposure_settings("school_year")
    this = pd.Timestamp(date.year, rule["statistic_month"], rule["statistic_day"])
    return date.year if date <= this else date.year + 1


@cache
def exposure_settings(section: str) -> dict[str, Any]:
    """Return one section of the settings of programmes and rotations."""
    path = Path(__file__).with_name("exposure.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))[section]
