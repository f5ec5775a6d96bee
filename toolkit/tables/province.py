"""The counties of a province as tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.standards import Standard, indicator_name
from toolkit.tables.exhibit import (
    CellMark,
    ColumnKind,
    TableColumn,
    TableExhibit,
    as_float,
    cell_text,
    is_missing,
    vocabulary_column,
)
from toolkit.tables.export import CREATION_DATE, neutralise
from toolkit.tables.variation import school_year
from toolkit.variation.province import BANDS, QUANTILES, Province
from toolkit.vocabulary import Language, label, sentence

WIDEST_COLUMN = 40
COEFFICIENTS = ("coefficient", "coefficient_low", "coefficient_most", "limit")
BAND_COUNTS = tuple(f"n_{band}" for band in BANDS)
LONGEST_SHEET_NAME = 31
# Years that a page shows of a table that has one row per county.
ROWS_SHOWN = 60


def tabulate_limits(province: Province, language: Language, *, year: int | None = None) -> TableExhibit:
    """Return how the coefficients of the counties lie to their limits: of one year, or of all."""
    table = province.limits if year is None else province.limits[province.limits["year"] == year]
    data = _named(table, province.standard, language)
    columns = (
        *_head(language, with_year=year is None),
        vocabulary_column("n_counties", language),
        *(_column(f"coefficient_{name}", language) for name in QUANTILES),
        vocabulary_column("limit", language),
        *(vocabulary_column(name, language) for name in BAND_COUNTS),
        vocabulary_column("n_counties_pass", language, in_files_only=True),
        vocabulary_column("n_without_value", language, in_files_only=True),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    names = {name: f"coefficient_{name}" for name in QUANTILES} | {"n_pass": "n_counties_pass"}
    data = data.rename(columns=names)
    near = f"{province.standard.near_limit:g}"
    return _exhibit("province_limits", columns, data, language, year=year, near=near)


def tabulate_inequality(province: Province, language: Language, *, year: int | None = None) -> TableExhibit:
    """Return Theil's T between pupils, within and between counties: of one year, or of all."""
    table = province.inequality if year is None else province.inequality[province.inequality["year"] == year]
    data = _named(table, province.standard, language)
    data = data.rename(columns={"mean": "province_mean", "theil": "theil_total"})
    columns = (
        *_head(language, with_year=year is None),
        *(vocabulary_column(name, language) for name in ("n_counties", "n_schools", "n_missing")),
        vocabulary_column("province_mean", language),
        *(_column(name, language) for name in ("theil_total", "theil_within", "theil_between")),
        vocabulary_column("theil_between_counties", language, kind="share"),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    return _exhibit("province_inequality", columns, data, language, year=year)


def tabulate_trends(province: Province, language: Language) -> TableExhibit:
    """Return what changed from the first to the last year in the counties that have all years."""
    data = _named(province.trends, province.standard, language)
    first, last = ([school_year(int(year)) for year in data[name]] for name in ("first_year", "last_year"))
    data = data.assign(first_school_year=first, last_school_year=last)
    columns = (
        *_head(language, with_year=False),
        vocabulary_column("n_counties", language),
        *(vocabulary_column(name, language) for name in ("first_school_year", "last_school_year")),
        *(_column(name, language) for name in ("median_first", "median_last")),
        *(vocabulary_column(name, language) for name in ("n_pass_first", "n_pass_last")),
        *(_column(name, language) for name in ("theil_first", "theil_last")),
        *(vocabulary_column(name, language, kind="share") for name in ("between_first", "between_last")),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    without = province.standard.coefficient_limits == {} or data["n_pass_first"].isna().any()
    marks = _not_applicable(data, ("n_pass_first", "n_pass_last")) if without else ()
    return replace(_exhibit("province_trends", columns, data, language), marks=marks)


def tabulate_counties_met(province: Province, language: Language, *, year: int | None = None) -> TableExhibit:
    """Return how many limits each county meets, in the order of the codes: of one year, or of all."""
    table = province.met if year is None else province.met[province.met["year"] == year]
    data = _with_year(table.reset_index(drop=True))
    columns = (
        vocabulary_column("county_name", language),
        vocabulary_column("county_id", language),
        *((vocabulary_column("province_school_year", language),) if year is None else ()),
        *(
            vocabulary_column(name, language)
            for name in ("n_limits", "n_limits_met", "n_limits_near", "n_limits_above", "n_limits_undecided")
        ),
    )
    return _exhibit("province_met", columns, data, language, year=year)


def tabulate_county_values(province: Province, language: Language) -> TableExhibit:
    """Return every coefficient of every county and year, for the files."""
    data = _named(province.counties, province.standard, language)
    data = data.rename(columns={"theil": "theil_total"})
    data["coefficient_low"], data["coefficient_most"] = data["low"], data["high"].replace(np.inf, np.nan)
    columns = (
        vocabulary_column("county_name", language),
        vocabulary_column("county_id", language),
        *_head(language, with_year=True),
        *(vocabulary_column(name, language) for name in ("n_schools", "n_missing")),
        vocabulary_column("mean", language),
        *(_column(name, language) for name in COEFFICIENTS),
        _column("band", language, kind="code"),
        _column("theil_total", language),
        vocabulary_column("indicator_id", language),
    )
    return _exhibit("province_counties", columns, data, language, rows_shown=ROWS_SHOWN)


def tabulate_staff(staff: pd.DataFrame, names: dict[str, str], language: Language) -> TableExhibit:
    """Return the teachers of every county, year and stage by the roll."""
    data = _with_year(staff.assign(county_name=staff["county_id"].map(names)).reset_index(drop=True))
    columns = (
        vocabulary_column("county_name", language),
        vocabulary_column("county_id", language),
        vocabulary_column("province_school_year", language),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("n_schools", language),
        vocabulary_column("roll_teachers", language),
        *(
            vocabulary_column(name, language, kind="share")
            for name in ("bachelor_share", "senior_share", "established_share")
        ),
    )
    data = data.rename(columns={"n_teachers": "roll_teachers"})
    return _exhibit("province_staff", columns, data, language, rows_shown=ROWS_SHOWN)


def tabulate_left_out(left_out: Sequence[dict[str, str]], language: Language) -> TableExhibit:
    """Return the counties that are not in the tables, and why."""
    names = ("county_name", "county_id", "pool_places", "pool_reason")
    data = pd.DataFrame(list(left_out), columns=list(names)).astype("str")
    columns = tuple(vocabulary_column(name, language) for name in names)
    return _exhibit("province_left_out", columns, data, language)


def tabulate_rows(rows: pd.DataFrame, language: Language) -> TableExhibit:
    """Return the rows read and used of every table, over all counties."""
    columns = (
        vocabulary_column("pool_table", language, kind="code"),
        *(vocabulary_column(name, language) for name in ("n_counties", "pool_rows_read", "pool_rows_used")),
    )
    return _exhibit("province_rows", columns, rows, language)


def write_tables_workbook(exhibits: Sequence[TableExhibit], path: Path) -> None:
    """Write tables as the sheets of one workbook, unrounded, with labels."""
    from xlsxwriter import Workbook

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with Workbook(str(path), options) as workbook:
        workbook.set_properties({"created": CREATION_DATE})
        heading = workbook.add_format({"bold": True, "text_wrap": True, "valign": "top", "bottom": 1})
        for exhibit in exhibits:
            name = label(f"sheet_{exhibit.caption.key}", exhibit.caption.language)
            sheet = workbook.add_worksheet(name[:LONGEST_SHEET_NAME])
            sheet.freeze_panes(1, 1)
            for position, column in enumerate(exhibit.columns):
                text = f"{column.label} ({column.unit})" if column.unit else column.label
                sheet.write_string(0, position, neutralise(text), heading)
                shape = workbook.add_format({"num_format": _number_format(column)})
                widest = len(text)
                for row, value in enumerate(exhibit.data[column.name].tolist(), start=1):
                    if is_missing(value):
                        continue
                    if column.is_numeric:
                        sheet.write_number(row, position, as_float(value), shape)
                    else:
                        shown = neutralise(cell_text(value, column, exhibit.caption.language))
                        widest = max(widest, len(shown))
                        sheet.write_string(row, position, shown)
                sheet.set_column(position, position, min(2 * widest + 2, WIDEST_COLUMN))


def _number_format(column: TableColumn) -> str:
    decimals = f".{'0' * column.decimals}" if column.decimals else ""
    return f"0{decimals}%" if column.kind == "share" else f"#,##0{decimals}"


def _exhibit(
    key: str,
    columns: tuple[TableColumn, ...],
    data: pd.DataFrame,
    language: Language,
    *,
    year: int | None = None,
    rows_shown: int = 0,
    **values: str,
) -> TableExhibit:
    """Return a table, with the school year in its title where it is of one."""
    caption = exhibit_caption(key, language, n="", unit="", notes=(), **values)
    if year is not None:
        shown = sentence("report_school_year", language, year=year, next_year=year + 1)
        caption = replace(caption, title=sentence("title_of_year", language, title=caption.title, year=shown))
    return TableExhibit(caption, columns, data.reset_index(drop=True), rows_shown=rows_shown)


def _head(language: Language, *, with_year: bool) -> tuple[TableColumn, ...]:
    """Return the columns that name a row."""
    year = (vocabulary_column("province_school_year", language),) if with_year else ()
    stage = vocabulary_column("stage", language, kind="code")
    return (TableColumn("name", label("indicator", language)), stage, *year)


def _column(name: str, language: Language, *, kind: ColumnKind = "number") -> TableColumn:
    return vocabulary_column(name, language, kind=kind)


def _named(table: pd.DataFrame, standard: Standard, language: Language) -> pd.DataFrame:
    """Return a table with the names of its indicators and school years."""
    named = table.reset_index(drop=True).assign(
        name=[indicator_name(standard, indicator, language) for indicator in table["indicator"]],
        indicator_id=table["indicator"].to_numpy(),
    )
    return _with_year(named)


def _with_year(table: pd.DataFrame) -> pd.DataFrame:
    if "year" not in table:
        return table
    return table.assign(province_school_year=[school_year(int(year)) for year in table["year"]])


def _not_applicable(data: pd.DataFrame, names: tuple[str, ...]) -> tuple[CellMark, ...]:
    return tuple(
        CellMark(row, name, "not_applicable")
        for name in names
        for row in np.flatnonzero(data[name].isna().to_numpy()).tolist()
    )
