"""A simulated county as files."""

import json
from pathlib import Path

import pandas as pd

from toolkit.data.schema import TABLES
from toolkit.data.simulate.county import SimulatedCounty
from toolkit.data.workbook import write_workbook
from toolkit.vocabulary import Language

WORKBOOK = ".xlsx"


def write_county(simulated: SimulatedCounty, path: Path, *, language: Language = "zh") -> None:
    """Write the county as a workbook with a folder beside it, or as a folder of Parquet files.

    Parameters
    ----------
    simulated : SimulatedCounty
        The county.
    path : pathlib.Path
        A name ending in `.xlsx`: the workbook, with the person-level tables and `truth.json` in the
        folder of the same name beside it. Any other name: a folder for all tables and `truth.json`.
    language : {"zh", "en"}, default "zh"
        Language of the workbook.
    """
    county = simulated.county
    as_workbook = path.suffix.lower() == WORKBOOK
    folder = path.with_suffix("") if as_workbook else path
    folder.mkdir(parents=True, exist_ok=True)
    beside = {
        name: table for name, table in county.tables.items() if TABLES[name].outgrows_excel or not as_workbook
    }
    for name, table in beside.items():
        _write_parquet(table, folder / f"{name}.parquet")
    (folder / "truth.json").write_text(_readable(simulated.truth), encoding="utf-8", newline="\n")
    if as_workbook:
        inside = {name: table for name, table in county.tables.items() if name not in beside}
        write_workbook(path, inside, language=language, county_id=county.county_id, county_name=county.name)


def _write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Write the columns that hold something."""
    filled = table.dropna(axis="columns", how="all")
    filled.to_parquet(path, index=False, compression="zstd", compression_level=9)


def _readable(truth: dict) -> str:
    """Write one line per entry and, inside lists, one per item."""
    lines = []
    for key, value in truth.items():
        text = _one_line(value)
        if isinstance(value, list) and value:
            text = "[\n" + ",\n".join(f"  {_one_line(item)}" for item in value) + "\n ]"
        lines.append(f" {_one_line(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _one_line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
