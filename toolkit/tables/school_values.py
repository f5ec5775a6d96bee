"""Every indicator of every school with what it is made of: the table by which two runs are compared."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from toolkit.data.schema import STAGES
from toolkit.exhibits import exhibit_caption, schools_counted
from toolkit.indicators.resources import ResourceIndicators, indicator_terms
from toolkit.tables.exhibit import TableColumn, TableExhibit, vocabulary_column
from toolkit.variation.compliance import Compliance
from toolkit.vocabulary import Language, label

# The page shows how the table looks; its files hold all of it.
ROWS_SHOWN = 10
KEY = ["school_id", "stage", "indicator"]
DECIMALS = 2


def tabulate_school_values(
    compliance: Compliance, resources: ResourceIndicators, language: Language
) -> TableExhibit:
    """Return stock, students, value, minimum, floor and what is met, by school, stage and indicator.

    `special_case` names the special cases that count for the value, as one switches them; `missing` is the
    column of the first cell that the value lacks.
    """
    values = compliance.indicator_values.merge(
        _composition(resources, compliance.year), on=KEY, how="left", validate="one_to_one"
    )
    names = {indicator.id: indicator.name for indicator in compliance.standard.indicators}
    data = values.assign(
        indicator_name=values["indicator"].map(names),
        met=values["met"].replace("", pd.NA),
        above_floor=values["above_floor"].replace("", pd.NA),
    )
    columns = (
        vocabulary_column("school_name", language),
        vocabulary_column("stage", language, kind="code"),
        TableColumn("indicator", label("indicator_number", language)),
        vocabulary_column("indicator_name", language, kind="code"),
        vocabulary_column("stock", language, kind="number", decimals=DECIMALS),
        vocabulary_column("enrolment", language),
        *(
            vocabulary_column(name, language, kind="number", decimals=DECIMALS)
            for name in ("value", "minimum", "floor")
        ),
        vocabulary_column("met", language, kind="met"),
        vocabulary_column("above_floor", language, kind="met"),
        vocabulary_column("special_case", language, kind="code"),
        vocabulary_column("missing_cell", language, kind="code"),
        vocabulary_column("school_id", language),
    )
    count = schools_counted(len(data.drop_duplicates(["school_id", "stage"])), language)
    caption = exhibit_caption("school_values", language, n=count)
    return TableExhibit(caption, columns, data, rows_shown=ROWS_SHOWN)


def _composition(resources: ResourceIndicators, year: int) -> pd.DataFrame:
    """Return stock, special cases and first missing cell of each unit and indicator of a year."""
    parts = []
    for stage in resources.stages:
        units = resources.select(year=year, stage=stage)
        for k, indicator in enumerate(resources.standard.indicators):
            missing, cases = np.full((2, len(units)), "", dtype=object)
            for column, case, counts in _cells(resources, units, stage, k):
                lacks = counts & resources.rows[column].iloc[units].isna().to_numpy()
                missing = np.where(lacks & (missing == ""), column, missing)
                if case:
                    cases = np.where(
                        counts & (cases != case), cases + np.where(cases == "", "", "+") + case, cases
                    )
            parts.append(
                pd.DataFrame(
                    {
                        "school_id": resources.units["school_id"].iloc[units].to_numpy(),
                        "stage": stage,
                        "indicator": indicator.id,
                        "stock": resources.amount[units, k],
                        "special_case": cases,
                        "missing_cell": missing,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def _cells(
    resources: ResourceIndicators, units: NDArray[np.intp], stage: str, k: int
) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Give the columns behind a value: each with its special case, and in which units it counts."""
    indicator = resources.standard.indicators[k]
    everywhere = np.ones(len(units), dtype=bool)
    for column, _, case in indicator_terms(resources.standard, indicator, stage):
        yield column, case, resources.holds[case][units] if case else everywhere
    for at, name in enumerate(STAGES):
        if indicator.shared:
            yield f"enrolment_{name}", "", resources.taught[units, at]
        elif name == stage:
            yield f"enrolment_{name}", "", everywhere
