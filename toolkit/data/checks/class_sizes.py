"""Classes and size bands against enrolment and the number of classes."""

import re

import numpy as np

from toolkit.data.checks.evidence import Evidence, Frame, rows
from toolkit.data.checks.settings import settings
from toolkit.data.problems import Problem
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.county import CLASS_SIZE_BANDS

KEY = ["school_id", "year", "stage"]


def classes_without_size(evidence: Evidence) -> list[Problem]:
    """Find rows that give neither the size of a class nor a band with its number of classes."""
    classes = evidence.table("classes")
    incomplete = classes["class_size"].isna() & (classes["size_band"].isna() | classes["class_count"].isna())
    return [
        evidence.problem("class_without_size", "warning", "classes", index, "class_size")
        for index in rows(incomplete)
    ]


def class_sizes_against_enrolment(evidence: Evidence) -> list[Problem]:
    """Find stages whose class sizes cannot add up to their enrolment.

    Sizes known one by one must give the enrolment within a tolerance; sizes known by band give
    a smallest and a largest possible number of students.
    """
    tolerance = settings("classes")["tolerance"]
    found = []
    for stage, summary in _by_stage(evidence):
        enrolment = summary[f"enrolment_{stage}"]
        slack = enrolment * tolerance
        outside = (summary["fewest"] > enrolment + slack) | (summary["most"] < enrolment - slack)
        for row in rows(outside & summary["complete"]):
            fewest, most = summary.at[row, "fewest"], summary.at[row, "most"]
            exact = fewest == most
            found.append(
                evidence.problem(
                    "class_sizes_differ" if exact else "class_bands_contradict",
                    "warning",
                    "classes",
                    int(summary.at[row, "first"]),
                    "class_size" if exact else "class_count",
                    year=int(summary.at[row, "year"]),
                    stage=f"@{stage}",
                    fewest=fewest,
                    most=most,
                    students=enrolment[row],
                )
            )
    return found


def class_counts_against_school_years(evidence: Evidence) -> list[Problem]:
    """Find stages whose classes are not as many as the school year says."""
    found = []
    for stage, summary in _by_stage(evidence):
        reported = summary[f"classes_{stage}"]
        differs = (summary["count"] != reported) & reported.notna() & summary["complete"]
        found += [
            evidence.problem(
                "class_count_differs",
                "warning",
                "classes",
                int(summary.at[row, "first"]),
                "class_count",
                year=int(summary.at[row, "year"]),
                stage=f"@{stage}",
                listed=summary.at[row, "count"],
                value=reported[row],
            )
            for row in rows(differs)
        ]
    return found


def largest_class_against_classes(evidence: Evidence) -> list[Problem]:
    """Find schools whose largest class is not the largest of the listed classes or bands."""
    classes = _with_bounds(evidence.table("classes"))
    classes = classes[classes["classes"] > 0]
    largest = classes.groupby(["school_id", "year"])[["low", "high"]].max().reset_index()
    years = evidence.school_years.reset_index(names="row")
    joined = years[["row", "school_id", "year", "largest_class_size"]].merge(
        largest, on=["school_id", "year"]
    )
    reported = joined["largest_class_size"]
    wrong = joined[(reported < joined["low"]) | (reported > joined["high"])]
    return [
        evidence.problem(
            "largest_class_differs",
            "warning",
            "school_years",
            int(row["row"]),
            "largest_class_size",
            value=float(row["largest_class_size"]),
            low=float(row["low"]),
            high=float(row["high"]),
        )
        for _, row in wrong.iterrows()
    ]


def band_bounds(band: str) -> tuple[float, float]:
    """Return the smallest and the largest class of a size band."""
    low, high = re.fullmatch(r"band_(\d+)_(\d+|up)", band).groups()  # type: ignore[union-attr]
    return float(low), np.inf if high == "up" else float(high)


def _with_bounds(classes: Frame) -> Frame:
    """Return the classes with their number and the smallest and largest size each can have."""
    bounds = {band: band_bounds(band) for band in CLASS_SIZE_BANDS}
    low = classes["size_band"].map({band: low for band, (low, _) in bounds.items()}).astype("float64")
    high = classes["size_band"].map({band: high for band, (_, high) in bounds.items()}).astype("float64")
    single = classes["class_size"].notna()
    count = classes["class_count"].where(~single, classes["class_count"].fillna(1))
    size = classes["class_size"]
    return classes.assign(classes=count, low=low.where(~single, size), high=high.where(~single, size))


def _by_stage(evidence: Evidence) -> list[tuple[str, Frame]]:
    """Return, by stage, one row per school and year with bounds of its students, beside what is reported."""
    classes = _with_bounds(evidence.table("classes")).dropna(subset=KEY)
    if classes.empty:
        return []
    classes = classes.assign(
        fewest=classes["classes"] * classes["low"],
        # No class of a band is no student, even in the band without an upper end.
        most=(classes["classes"] * classes["high"]).where(classes["classes"] != 0, 0.0),
        complete=classes["classes"].notna() & classes["low"].notna(),
        first=classes.index,
    )
    summary = classes.groupby(KEY, sort=False).agg(
        count=("classes", "sum"),
        fewest=("fewest", "sum"),
        most=("most", "sum"),
        complete=("complete", "all"),
        first=("first", "min"),
    )
    years = evidence.school_years
    found = []
    for stage in COMPULSORY_STAGES:
        of_stage = summary.reset_index()
        of_stage = of_stage[of_stage["stage"] == stage]
        columns = ["school_id", "year", f"enrolment_{stage}", f"classes_{stage}"]
        found.append((stage, of_stage.merge(years[columns], on=["school_id", "year"])))
    return found
