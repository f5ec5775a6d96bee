"""What a table of the data contract is made of."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["code", "text", "choice", "integer", "number", "share", "boolean", "year", "date"]
"""How the values of a column are read. Shares lie in [0, 1]; codes stay text."""

Period = Literal["point", "school_year", "calendar_year", "fixed", "event"]
"""When a value holds: on 1 September, over the school year before it, over the calendar year,
for as long as the row stands, or at the date in the row."""

Quantity = Literal["", "area", "money"]
"""Quantities that arrive in several units: area (m2, 亩), money (yuan, 万元)."""

COMPULSORY_STAGES = ("primary", "junior")
STAGES = ("primary", "junior", "senior")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table; its label, unit and decimals are in the vocabulary under `name`.

    Attributes
    ----------
    name : str
        Canonical name.
    kind : Kind
        How values are read.
    aliases : tuple of str
        Headers met in practice, besides the label itself.
    required : bool
        Whether every row must fill it.
    minimum, maximum : float or None
        Possible range in the canonical unit.
    choices : tuple of str
        Code names of a closed list; labels and accepted words come from the vocabulary.
    period : Period
        When the value holds.
    at_most : str
        Column of the same row that this one cannot exceed.
    quantity : Quantity
        Whether the value arrives in several units.
    names_school_in : str
        For school codes: the column beside it that holds the school's name.
    may_be_empty : bool
        Whether an empty cell may say that there is nothing to tell: no former name, not closed, still
        running, or told in another column.
    stage : str
        Stage whose schools alone can fill the column; empty when all can.
    """

    name: str
    kind: Kind
    aliases: tuple[str, ...] = ()
    required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    period: Period = "point"
    at_most: str = ""
    quantity: Quantity = ""
    names_school_in: str = ""
    may_be_empty: bool = False
    stage: str = ""

    @property
    def is_numeric(self) -> bool:
        """Whether the column holds quantities (years and dates are not)."""
        return self.kind in ("integer", "number", "share")


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the data contract; its label is in the vocabulary under `table_<name>`.

    Attributes
    ----------
    name : str
        Canonical name.
    columns : tuple of Column
        Columns in the order of the template.
    key : tuple of str
        Columns that together identify a row within a county.
    aliases : tuple of str
        Sheet and file names met in practice, besides the label itself.
    required : bool
        Whether a county without it cannot be analysed.
    outgrows_excel : bool
        Whether the table usually comes as a file beside the workbook.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    required: bool = False
    outgrows_excel: bool = False

    def column(self, name: str) -> Column:
        """Return one column by its canonical name.

        Raises
        ------
        KeyError
            If the table has no such column.
        """
        for candidate in self.columns:
            if candidate.name == name:
                return candidate
        raise KeyError(f"table {self.name!r} has no column {name!r}")

    @property
    def column_names(self) -> tuple[str, ...]:
        """Canonical names in the order of the template."""
        return tuple(column.name for column in self.columns)


SCHOOL_NAME_ALIASES = {
    "school_name": (
        "学校",
        "校名",
        "学校全称",
        "学校（机构）名称",
        "单位名称",
        "所在学校",
        "任教学校",
        "就读学校",
    ),
    "sending_school_name": ("派出学校", "派出单位", "原单位", "原单位名称", "流出学校", "原学校"),
    "receiving_school_name": (
        "接收学校",
        "接收单位",
        "交流轮岗单位",
        "交流轮岗单位名称",
        "流入学校",
        "交流学校",
        "现单位",
    ),
    "supporter_name": ("支援学校", "支援校", "支援单位", "支援方"),
    "receiver_name": ("受援学校", "受援校", "受援方"),
    "from_school_name": ("原学校名称", "变更前学校", "原学校"),
    "to_school_name": ("现学校名称", "变更后学校", "现学校"),
}
"""Headers met in practice above the names that stand in for codes."""


def school_code(name: str = "school_id", *aliases: str, required: bool = True) -> tuple[Column, Column]:
    """Return a school code and the name column that stands in for it when it is empty."""
    name_column = name.removesuffix("_id") + "_name"
    return (
        Column(
            name,
            "code",
            aliases=aliases,
            required=required,
            names_school_in=name_column,
            may_be_empty=not required,
            period="fixed",
        ),
        Column(
            name_column,
            "text",
            aliases=SCHOOL_NAME_ALIASES.get(name_column, ()),
            may_be_empty=True,
            period="fixed",
        ),
    )


def count(
    name: str,
    *aliases: str,
    at_most: str = "",
    period: Period = "point",
    may_be_empty: bool = False,
    stage: str = "",
) -> Column:
    """Return a column of whole persons, classes or rooms."""
    return Column(
        name,
        "integer",
        aliases=aliases,
        minimum=0,
        at_most=at_most,
        period=period,
        may_be_empty=may_be_empty,
        stage=stage,
    )


def area(name: str, *aliases: str, at_most: str = "", may_be_empty: bool = False) -> Column:
    """Return a column of square metres."""
    return Column(
        name,
        "number",
        aliases=aliases,
        minimum=0,
        at_most=at_most,
        quantity="area",
        may_be_empty=may_be_empty,
    )


def money(name: str, *aliases: str, period: Period = "calendar_year", stage: str = "") -> Column:
    """Return a column of yuan."""
    return Column(name, "number", aliases=aliases, minimum=0, quantity="money", period=period, stage=stage)


def choice(
    name: str,
    choices: tuple[str, ...],
    *aliases: str,
    required: bool = False,
    period: Period = "fixed",
    may_be_empty: bool = False,
) -> Column:
    """Return a column with a closed list of values."""
    return Column(
        name,
        "choice",
        aliases=aliases,
        choices=choices,
        required=required,
        period=period,
        may_be_empty=may_be_empty,
    )


YEAR = Column("year", "year", aliases=("年份", "学年度", "统计年度", "年度", "学年（起）"), required=True)
