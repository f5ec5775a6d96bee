"""Counties that are not in a pool, and why."""

from dataclasses import dataclass
from typing import Any

from toolkit.data.county import Reading
from toolkit.data.problems import Problem
from toolkit.vocabulary import sentence

PROBLEMS_LISTED = 20
"""Errors of a county that the manifest tells, the first ones."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A county, or an input whose county is not known, that is not in the pool.

    Attributes
    ----------
    county_id, county_name : str
        The county, empty where it is not known.
    places : tuple of str
        Inputs concerned.
    zh, en : str
        The reason.
    problems : tuple of Problem
        Its first errors.
    """

    county_id: str
    county_name: str
    places: tuple[str, ...]
    zh: str
    en: str
    problems: tuple[Problem, ...] = ()

    def as_entry(self) -> dict[str, Any]:
        """Return what the manifest says."""
        return {
            "county_id": self.county_id,
            "county_name": self.county_name,
            "places": list(self.places),
            "reason": {"zh": self.zh, "en": self.en},
            "problems": [
                {
                    "place": " ".join(part for part in (found.file, found.sheet, found.cell) if part),
                    "zh": found.message("zh"),
                    "en": found.message("en"),
                }
                for found in self.problems
            ],
        }


def left_out_for_errors(reading: Reading, places: tuple[str, ...], errors: tuple[Problem, ...]) -> LeftOut:
    """Return a county that is left out for the errors in its data."""
    first = errors[0]
    place = " ".join(part for part in (first.file, first.sheet, first.cell) if part)
    told = "pool_county_with_errors"
    return LeftOut(
        reading.county.county_id,
        reading.county.name,
        places,
        sentence(told, "zh", count=len(errors), place=place, first=first.message("zh")),
        sentence(told, "en", count=len(errors), place=place, first=first.message("en")),
        errors[:PROBLEMS_LISTED],
    )


def left_out_for_failure(county: str, name: str, places: tuple[str, ...], error: Exception) -> LeftOut:
    """Return a county whose reading broke off for a reason that nobody thought of."""
    values = {"kind": type(error).__name__, "reason": str(error)[:200]}
    told = "pool_county_failed"
    return LeftOut(county, name, places, sentence(told, "zh", **values), sentence(told, "en", **values))
