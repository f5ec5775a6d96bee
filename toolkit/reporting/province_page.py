"""The counties of a pool put together: tables, a workbook and a page."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import toolkit
from toolkit.data.county import County
from toolkit.data.reading.pools import POOL_NAME, Pool, open_pool, read_pool
from toolkit.data.simulate.settings import is_synthetic
from toolkit.exhibits import exhibit_id
from toolkit.figures.exhibit import FigureExhibit, figure_html
from toolkit.figures.province import plot_province
from toolkit.reporting.page import SHORT_HASH, TEMPLATES, PageHeader, shell_resources
from toolkit.reporting.record import file_input
from toolkit.reporting.render import FIGURE_IMAGE, NUMBER_MARK, REFERENCE_MARK, exhibit_numbers, headings_in
from toolkit.standards import Standard, hash_standard, indicator_name
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.export import export_table
from toolkit.tables.html import table_html
from toolkit.tables.province import (
    tabulate_counties_met,
    tabulate_county_values,
    tabulate_inequality,
    tabulate_left_out,
    tabulate_limits,
    tabulate_rows,
    tabulate_staff,
    tabulate_trends,
    write_tables_workbook,
)
from toolkit.variation.province import Province, describe_province
from toolkit.variation.province_staff import describe_staff, load_staff_counts
from toolkit.vocabulary import Language, format_number, label, sentence

if TYPE_CHECKING:
    from jinja2 import Environment

PAGE_NAME = "province.html"
WORKBOOK_NAME = "province.xlsx"
NEEDED = ("schools", "school_years")
# Counties whose tables are read at a time: few enough to be held, many enough to open files seldom.
COUNTIES_AT_A_TIME = 20


@dataclass(frozen=True, slots=True)
class ProvinceReport:
    """Everything that is shown of a pool.

    Attributes
    ----------
    pool : Pool
        The pool.
    province : Province
        Its counties, judged.
    staff : pandas.DataFrame or None
        Teachers by county, year and stage; None without a roll.
    region : str
        Name of the region, empty where nobody said one.
    """

    pool: Pool
    province: Province
    staff: pd.DataFrame | None
    region: str = ""

    @property
    def year(self) -> int:
        """The latest school year."""
        return self.province.years[-1]


def analyse_pool(folder: Path, standard: Standard, *, region: str = "") -> ProvinceReport:
    """Judge the counties of a pool by a standard, a few in memory at a time.

    Raises
    ------
    InputError
        If the folder is no pool, or damaged.
    DesignError
        If no county has a school in scope.
    """
    pool = open_pool(folder)
    province = describe_province(_counties(pool), standard)
    roll = folder / "teachers.parquet"
    staff = describe_staff(load_staff_counts(roll)) if "teachers" in pool.manifest["tables"] else None
    return ProvinceReport(pool, province, staff, region)


def write_province(report: ProvinceReport, folder: Path, language: Language) -> Path:
    """Write ``province.html``, ``province.xlsx`` and a CSV file of each table; return the page."""
    tables = _tables_of_all_years(report, language)
    for table in tables:
        files = export_table(table, folder)
        files.xlsx.unlink()
    write_tables_workbook(tables, folder / WORKBOOK_NAME)
    page = folder / PAGE_NAME
    page.write_text(render_province(report, language), encoding="utf-8", newline="\n")
    return page


def render_province(report: ProvinceReport, language: Language) -> str:
    """Return the page, self-contained."""
    parts = _exhibits(report, language)
    body = "".join(
        f'<section><h2 id="{name}">{escape(label(f"province_heading_{name}", language))}</h2>'
        f"{''.join(_html(exhibit) for exhibit in exhibits)}</section>"
        for name, exhibits in parts.items()
        if exhibits
    )
    numbers = exhibit_numbers(body, language)
    body = NUMBER_MARK.sub(
        lambda found: f'<span class="exhibit-number">{escape(numbers[found["key"]])}</span>', body
    )
    body = REFERENCE_MARK.sub(
        lambda found: (
            f'<a class="exhibit-ref" href="#{exhibit_id(found["key"])}">{escape(numbers[found["key"]])}</a>'
        ),
        body,
    )
    body = FIGURE_IMAGE.sub(r'<div class="figure-box">\g<0></div>', body)
    labels = {
        "overview": label("province_heading_overview", language),
        "files": label("province_files", language),
    }
    csv_files = [f"{table.caption.key}.csv" for table in _tables_of_all_years(report, language)]
    title = sentence("province_page_title", language)
    return (
        _environment()
        .get_template("report/province.html.j2")
        .render(
            shell_values=_shell(report, title, body, language),
            headings=headings_in(f'<h2 id="overview">{escape(labels["overview"])}</h2>{body}'),
            labels=labels,
            summary=_summary(report, language),
            files=[WORKBOOK_NAME, *csv_files],
            body=body,
        )
    )


def _counties(pool: Pool) -> Iterator[County]:
    """Give the counties of a pool; the files are scanned once for a group of them."""
    codes = list(pool.counties)
    for first in range(0, len(codes), COUNTIES_AT_A_TIME):
        for reading in read_pool(pool, codes[first : first + COUNTIES_AT_A_TIME], NEEDED):
            yield reading.county


def _exhibits(report: ProvinceReport, language: Language) -> dict[str, list[TableExhibit | FigureExhibit]]:
    """Return what the page shows, of the latest year."""
    province, year = report.province, report.year
    found: dict[str, list[TableExhibit | FigureExhibit]] = {
        "coefficients": [
            plot_province(province, language, year=year),
            tabulate_limits(province, language, year=year),
        ],
        "inequality": [tabulate_inequality(province, language, year=year)],
        "trends": [tabulate_trends(province, language)] if len(province.trends) else [],
        "counties": [tabulate_counties_met(province, language, year=year)] if len(province.met) else [],
        "staff": [],
        "data": [],
    }
    if report.staff is not None:
        latest = report.staff[report.staff["year"] == report.year]
        found["staff"].append(tabulate_staff(latest, report.pool.counties, language))
    left_out = _left_out(report, language)
    if len(left_out.data):
        found["data"].append(left_out)
    found["data"].append(_rows(report, language))
    return found


def _tables_of_all_years(report: ProvinceReport, language: Language) -> list[TableExhibit]:
    """Return the tables of the files."""
    province = report.province
    tables = [
        tabulate_limits(province, language),
        tabulate_inequality(province, language),
        tabulate_trends(province, language),
        tabulate_counties_met(province, language),
        tabulate_county_values(province, language),
    ]
    if report.staff is not None:
        tables.append(tabulate_staff(report.staff, report.pool.counties, language))
    return [*tables, _left_out(report, language), _rows(report, language)]


def _left_out(report: ProvinceReport, language: Language) -> TableExhibit:
    separator = label("list_separator", language)
    rows = [
        {
            "county_name": entry["county_name"],
            "county_id": entry["county_id"],
            "pool_places": separator.join(entry["places"]),
            "pool_reason": entry["reason"][language],
        }
        for entry in report.pool.manifest["left_out"]
    ]
    return tabulate_left_out(rows, language)


def _rows(report: ProvinceReport, language: Language) -> TableExhibit:
    """Return the account of the rows of all counties."""
    counties = report.pool.manifest["counties"]
    rows = []
    for table in report.pool.manifest["tables"]:
        own = [entry["accounting"][table] for entry in counties if table in entry["accounting"]]
        rows.append(
            {
                "pool_table": f"table_{table}",
                "n_counties": len(own),
                "pool_rows_read": sum(account["rows_read"] for account in own),
                "pool_rows_used": sum(entry["rows"].get(table, 0) for entry in counties),
            }
        )
    return tabulate_rows(pd.DataFrame(rows), language)


def _summary(report: ProvinceReport, language: Language) -> list[str]:
    """Return the headline in sentences."""
    year = sentence("report_school_year", language, year=report.year, next_year=report.year + 1)
    met = report.province.met[report.province.met["year"] == report.year]
    told = []
    if len(met):
        kept = int((met["n_limits_met"] == met["n_limits"]).sum())
        failed = int((met["n_limits_above"] > 0).sum())
        counts = {"counties": len(met), "kept": kept, "failed": failed, "open": len(met) - kept - failed}
        told.append(sentence("province_summary", language, year=year, **counts))
    table = report.province.inequality
    latest = table[table["year"] == report.year].nlargest(1, "theil_between_counties")
    for row in latest.to_dict("records"):
        name = indicator_name(report.province.standard, row["indicator"], language)
        indicator = f"{label(row['stage'], language)} {name}"
        share = f"{format_number(100 * row['theil_between_counties'], 1)}%"
        told.append(sentence("province_summary_theil", language, indicator=indicator, share=share))
    left_out = len(report.pool.manifest["left_out"])
    if left_out:
        told.append(sentence("province_left_out_some", language, count=left_out))
    return told


def _shell(report: ProvinceReport, title: str, text: str, language: Language) -> dict[str, Any]:
    """Return head and foot of the page: of no single county, so the facts are those of the pool."""
    standard = report.province.standard
    region = report.region or label("province_default_region", language)
    standard_title = getattr(standard.title, language)
    digest = file_input(report.pool.folder / POOL_NAME).sha256[:SHORT_HASH]
    header = PageHeader(
        language=language,
        county=region,
        year=report.year,
        standard=standard_title,
        data_hash=digest,
        version=toolkit.__version__,
        edition="internal",
        provenance=(
            (label("province_pool_digest", language), f"{POOL_NAME} (SHA-256 {digest}…)"),
            (
                label("report_standard", language),
                f"{standard_title} (SHA-256 {hash_standard(standard)[:SHORT_HASH]}…)",
            ),
            (label("report_version", language), toolkit.__version__),
        ),
        is_synthetic=any(is_synthetic(code) for code in report.pool.counties),
    )
    years = [sentence("report_school_year", language, year=y, next_year=y + 1) for y in report.province.years]
    facts = (
        (label("province_region", language), region),
        (label("province_years", language), "—".join(dict.fromkeys((years[0], years[-1])))),
        (label("province_counties_in", language), str(len(report.pool.counties))),
        (label("province_counties_out", language), str(len(report.pool.manifest["left_out"]))),
        (label("report_standard", language), standard_title),
        (label("province_pool_digest", language), digest),
        (label("report_version", language), toolkit.__version__),
    )
    return shell_resources(header, title=title, text=text, embed_font=False) | {"facts": facts}


def _html(exhibit: TableExhibit | FigureExhibit) -> str:
    return table_html(exhibit) if isinstance(exhibit, TableExhibit) else figure_html(exhibit)


@cache
def _environment() -> "Environment":
    """Return the template environment, which escapes every value."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader([TEMPLATES, TEMPLATES / "report"])
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
