"""Rooms, grounds and equipment that contradict each other."""

from typing import Any

from toolkit.data.checks.evidence import Evidence, rows
from toolkit.data.problems import Problem
from toolkit.data.schema.school_years import ART_ROOM_BANDS, MUSIC_ROOM_BANDS

EQUIPPED = (
    "multimedia_rooms",
    "computers",
    *(f"music_rooms_{band}" for band in MUSIC_ROOM_BANDS),
    *(f"art_rooms_{band}" for band in ART_ROOM_BANDS),
)


def gymnasium_counted_twice(evidence: Evidence) -> list[Problem]:
    """Find schools whose gymnasium seems to stand in the teaching area as well."""
    years = evidence.school_years
    inside, alone = years["indoor_sports_area"], years["gymnasium_area"]
    return _found(evidence, "gymnasium_twice", "gymnasium_area", (alone > 0) & (inside == alone), value=alone)


def equipment_missing_its_value(evidence: Evidence) -> list[Problem]:
    """Find schools with equipped rooms or computers, but equipment worth nothing."""
    years = evidence.school_years
    equipped = (years[list(EQUIPPED)] > 0).any(axis=1)
    return _found(
        evidence, "equipment_without_value", "equipment_value", equipped & (years["equipment_value"] == 0)
    )


def network_without_bandwidth(evidence: Evidence) -> list[Problem]:
    """Find schools with networked classrooms whose connection has no bandwidth."""
    years = evidence.school_years
    networked = (years["multimedia_rooms"] > 0) & (years["bandwidth_mbps"] == 0)
    return _found(evidence, "network_without_bandwidth", "bandwidth_mbps", networked)


def rented_without_distance(evidence: Evidence) -> list[Problem]:
    """Find rented venues whose walking distance, on which their counting depends, is missing."""
    years = evidence.school_years
    unknown = (years["rented_sports_area"] > 0) & years["rented_sports_minutes"].isna()
    return _found(evidence, "rented_without_distance", "rented_sports_minutes", unknown)


def retention_above_one(evidence: Evidence) -> list[Problem]:
    """Find schools with more graduates than students who could have graduated."""
    years = evidence.school_years
    candidates = (
        years["grade7_enrolment_at_entry"]
        + years["transferred_in"].fillna(0)
        - years["transferred_out"].fillna(0)
        - years["deceased"].fillna(0)
    )
    return _found(
        evidence,
        "retention_above_one",
        "graduates_junior",
        years["graduates_junior"] > candidates,
        value=years["graduates_junior"],
        limit=candidates,
    )


def _found(evidence: Evidence, code: str, column: str, flagged: Any, **values: Any) -> list[Problem]:
    return [
        evidence.problem(
            code,
            "warning",
            "school_years",
            index,
            column,
            **{key: series[index] for key, series in values.items()},
        )
        for index in rows(flagged)
    ]
