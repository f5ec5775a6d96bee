"""Small counties written out by hand for tests."""

from collections.abc import Iterable, Mapping

import pandas as pd

from toolkit.data.county import County
from toolkit.data.schema import TABLES, conform


def make_county(
    schools: Iterable[Mapping[str, object]], school_years: Iterable[Mapping[str, object]]
) -> County:
    """Return a county with a register and yearly figures; what is not given is missing."""
    rows = {"schools": list(schools), "school_years": list(school_years)}
    tables = {name: conform(pd.DataFrame(given), TABLES[name]) for name, given in rows.items()}
    return County(county_id="990100", name="测试县", tables=tables)


def with_tables(county: County, **rows: Iterable[Mapping[str, object]]) -> County:
    """Return the county with further tables written out by hand, or with other rows in place of its own."""
    tables = {name: conform(pd.DataFrame(list(given)), TABLES[name]) for name, given in rows.items()}
    return County(county.county_id, county.name, {**county.tables, **tables})
