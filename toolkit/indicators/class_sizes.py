"""The distribution of class sizes: how many classes of which size."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.data.schema.county import CLASS_SIZE_BANDS
from toolkit.data.schema.schools import LOCATIONS, OWNERSHIPS
from toolkit.indicators.formula_rows import band_bounds, counted_schools, formula_rows

UNKNOWN = "class_size_unknown"
ALL = "all_classes"
SPLITS = {"ownership": OWNERSHIPS, "location": LOCATIONS}


@dataclass(frozen=True, slots=True)
class ClassSizes:
    """Numbers of classes by size in one year.

    Attributes
    ----------
    year : int
        School year.
    table : pandas.DataFrame
        One row per stage and kind of school (`all_classes`, then ownership and location): `n_classes` and
        one column for each name in `distribution_columns`, the last for classes of unknown size.
    bands : pandas.DataFrame
        One row per stage and size band of the forms: `n_classes`.
    largest : pandas.DataFrame
        One row per stage: the largest class, as far as single classes are given.
    """

    year: int
    table: pd.DataFrame
    bands: pd.DataFrame
    largest: pd.DataFrame

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage and kind of school."""
        return self.table


@cache
def distribution_columns() -> tuple[str, ...]:
    """Return the columns of the distribution, from small to large classes, the unknown ones last."""
    return (*_merged_bands(), UNKNOWN)


def compute_class_sizes(county: County, *, year: int) -> ClassSizes:
    """Count the classes of one year by size.

    Parameters
    ----------
    county : County
        With `schools` and `school_years`; without `classes` nothing is counted.
    year : int
        School year.

    Notes
    -----
    A class of known size is put into its band; a row of a band counts its classes. A row without
    a number of classes counts none: the item on class sizes leaves such a school open.
    """
    schools = counted_schools(county, None)
    rows = formula_rows(county, "classes", schools[schools["year"] == year].reset_index(drop=True))
    size = rows["classes.class_size"].to_numpy(dtype=float)
    starts, _ = band_bounds(pd.Series(CLASS_SIZE_BANDS))
    by_size = np.array(CLASS_SIZE_BANDS, dtype=object)[
        np.maximum(np.searchsorted(starts, np.nan_to_num(size), side="right") - 1, 0)
    ]
    band = np.where(np.isnan(size), rows["classes.size_band"].astype(object).fillna(""), by_size)
    classes = pd.DataFrame(
        {
            "stage": rows["classes.stage"],
            "band": band,
            "size": size,
            "n": rows["classes.class_count"].fillna(0.0),
            **{name: rows[f"schools.{name}"] for name in SPLITS},
        }
    )
    stages = [stage for stage in COMPULSORY_STAGES if (classes["stage"] == stage).any()]
    parts = [_distribution(classes[classes["stage"] == stage], stage) for stage in stages]
    columns = ["stage", "kind", "n_classes", *distribution_columns()]
    return ClassSizes(
        year=year,
        table=pd.DataFrame([row for part in parts for row in part], columns=columns),
        bands=pd.DataFrame(
            [
                {"stage": stage, "band": name, "n_classes": float(_count(classes, stage, name))}
                for stage in stages
                for name in CLASS_SIZE_BANDS
            ],
            columns=["stage", "band", "n_classes"],
        ),
        largest=pd.DataFrame(
            [
                {"stage": stage, "largest": classes.loc[classes["stage"] == stage, "size"].max()}
                for stage in stages
            ],
            columns=["stage", "largest"],
        ),
    )


def _count(classes: pd.DataFrame, stage: str, band: str) -> float:
    return classes.loc[(classes["stage"] == stage) & (classes["band"] == band), "n"].sum()


def _distribution(classes: pd.DataFrame, stage: str) -> list[dict[str, object]]:
    """Return one row for all schools of a stage, and one for each ownership and location that occurs."""
    kinds = [(ALL, classes)]
    kinds += [
        (name, classes[classes[column] == name])
        for column, names in SPLITS.items()
        for name in names
        if (classes[column] == name).any()
    ]
    rows = []
    for kind, own in kinds:
        counts = own.groupby("band")["n"].sum()
        merged = {
            name: float(sum(counts.get(band, 0.0) for band in bands))
            for name, bands in _merged_bands().items()
        }
        merged[UNKNOWN] = float(counts.get("", 0.0))
        rows.append({"stage": stage, "kind": kind, "n_classes": float(own["n"].sum()), **merged})
    return rows


@cache
def _merged_bands() -> dict[str, tuple[str, ...]]:
    path = Path(__file__).with_name("class_sizes.toml")
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: tuple(bands) for name, bands in content["class_sizes"].items()}
