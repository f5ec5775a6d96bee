"""The blocks of a county settled: references, stages, keys; its code and name."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.data.county import Origin
from toolkit.data.reading.blocks import Block
from toolkit.data.reading.corrections import Corrections
from toolkit.data.reading.keys import (
    doubt_lonely_years,
    leave_out_repeated_rows,
    leave_out_rows_without_key,
    refuse_double_keys,
)
from toolkit.data.reading.log import ReadingLog
from toolkit.data.reading.plausibility import doubt_units
from toolkit.data.reading.references import Register, settle_references
from toolkit.data.reading.stacking import Stack, stack_blocks
from toolkit.data.reading.stages import settle_stages
from toolkit.data.schema import TABLES
from toolkit.errors import InputError


def settle(
    blocks: list[Block],
    log: ReadingLog,
    county: str,
    distinct: frozenset[str],
    corrections: Corrections | None = None,
) -> tuple[dict[str, pd.DataFrame], dict[str, Origin]]:
    """Stack the blocks of each table and settle references, stages and keys, the register first."""
    tables: dict[str, pd.DataFrame] = {}
    origins: dict[str, Origin] = {}
    register: Register | None = None
    for name in TABLES:
        own = [block for block in blocks if block.place[0] == name]
        if not own:
            continue
        for block in own:
            _tell_missing_columns(block, log)
        stack = stack_blocks(name, own, log)
        sheets = {block.place[1:] for block in blocks if block.place[0] == "school_years"}
        derived = name == "schools" and any(block.place[1:] in sheets for block in own)
        if name in distinct or derived:
            leave_out_repeated_rows(stack)
        leave_out_rows_without_key(stack, schools=False)
        if name == "schools":
            _keep_county(stack, county)
        elif register is not None:
            if county and "school_id" in stack.frame:
                known = stack.frame["school_id"]
                stack.leave_out(known.notna() & ~known.isin(register.labels.keys()), "other_county")
            settle_references(stack, register)
        settle_stages(stack, register)
        leave_out_rows_without_key(stack, schools=True)
        refuse_double_keys(stack)
        doubt_lonely_years(stack)
        if name == "school_years":
            doubt_units(stack)
        if len(stack.frame):
            tables[name], origins[name] = stack.finished()
        if name == "schools" and "schools" in tables:
            links = [block.frame for block in blocks if block.place[0] == "school_links"]
            if len(tables["schools"].dropna(subset=["school_id"])):
                register = Register(tables["schools"], _links(links), corrections)
    if corrections and register is not None:
        corrections.tell(log, register.written_codes, {block.place[0] for block in blocks})
    return tables, origins


def _links(frames: list[pd.DataFrame]) -> pd.DataFrame | None:
    columns = ["from_school_name", "to_school_id", "link_kind"]
    return pd.concat(frames).reindex(columns=columns).astype("str") if frames else None


def _keep_county(stack: Stack, county: str) -> None:
    """Keep the schools of one county of several; without a choice, several are an error."""
    if "county_id" not in stack.frame:
        return
    codes = stack.frame["county_id"].dropna().unique()
    if county and len(codes):
        if county not in codes:
            raise InputError("county_unknown", county=county, known=", ".join(sorted(codes)[:20]))
        stack.leave_out(stack.frame["county_id"] != county, "other_county")
    elif len(codes) > 1:
        index = stack.frame.index[stack.frame["county_id"].eq(codes[1])][0]
        stack.tell(
            "several_counties",
            "error",
            index,
            "county_id",
            codes=", ".join(sorted(codes)[:10]),
            count=len(codes),
        )


def _tell_missing_columns(block: Block, log: ReadingLog) -> None:
    """Tell required columns that a sheet has in no form."""
    table, file, sheet = block.place
    for column in TABLES[table].columns:
        stands_in = column.names_school_in and column.names_school_in in block.frame and table != "schools"
        later = column.name == "stage" and "school_id" in TABLES[table].column_names
        if column.required and column.name not in block.frame and not stands_in and not later:
            log.add(
                "year_column_missing" if column.name == "year" else "column_missing",
                "error",
                file=file,
                sheet=sheet,
                table=table,
                column=column.name,
                column_label=f"@{column.name}",
            )


def tell_missing_tables(tables: Mapping[str, Any], found: set[str], file: str, log: ReadingLog) -> None:
    """Tell required tables that no sheet holds."""
    for name, table in TABLES.items():
        if table.required and name not in tables:
            code = "table_without_rows" if name in found else "table_missing"
            log.add(code, "error", file=file, table=name, missing=f"@table_{name}")


def latest_names(tables: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of each code in the register, for messages."""
    if "schools" not in tables:
        return {}
    named = tables["schools"].dropna(subset=["school_id", "school_name"])
    return dict(zip(named["school_id"], named["school_name"], strict=True))


def identity(tables: dict[str, pd.DataFrame], path: Path, county: str) -> tuple[str, str]:
    """Return code and name of the county, from the register or the name of the file."""
    stem = re.sub(r"\.\w{1,7}$", "", path.name)
    schools = tables.get("schools")
    codes = schools["county_id"].dropna().unique() if schools is not None else []
    names = schools["county_name"].dropna().unique() if schools is not None else []
    code = (
        str(codes[0])
        if len(codes)
        else county or re.sub(r"[^A-Za-z0-9]+", "-", stem).strip("-").lower() or "county"
    )
    return code, str(names[0]) if len(names) else code if county else stem
