"""Check that a demonstration run is complete, with the verdicts that the demonstration county was built for.

    check_demo.py [FOLDER]     FOLDER holds the run somewhere inside; the default is `reports/` here

`truth.json` comes with the demonstration county and is made without the package's indicators. The verdicts of
the run are read from its exported tables: on stages, on indicators and on schools.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from toolkit.share import share_path
from toolkit.tables.export import load_exported_table

SHOWN = 20
RESULTS = ("results", "02_inter_school_variation")
PARTS = ("schools", "coefficients", "overall")


def main(arguments: list[str]) -> int:
    """Compare the newest run with the truth and return the exit code."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "reports"
    run = newest_run(folder)
    truth = planted_verdicts(load_json(share_path("data", "demo_county", "truth.json")))
    problems = failed_notebooks(run) or differences(found_verdicts(run.joinpath(*RESULTS)), truth)
    for line in problems[:SHOWN]:
        print(line)
    told = f"{len(truth)} verdicts equal the truth" if not problems else f"{len(problems)} problems"
    print(f"{run.name}: {told}")
    return 1 if problems else 0


def newest_run(folder: Path) -> Path:
    """Return the folder of the newest run that ended with an index."""
    indexes = sorted(folder.rglob("*/index.html"), key=lambda path: path.stat().st_mtime)
    runs = [index.parent for index in indexes if (index.parent / "run.json").is_file()]
    if not runs:
        raise SystemExit(f"no run with index.html and run.json in {folder}")
    return runs[-1]


def failed_notebooks(run: Path) -> list[str]:
    """Return one line for each notebook of the run that failed."""
    return [
        f"{outcome['notebook']} failed: {outcome['reason']}"
        for outcome in load_json(run / "run.json")["notebooks"]
        if outcome["status"] == "failed"
    ]


def planted_verdicts(truth: Mapping[str, Any]) -> dict[str, str]:
    """Return the verdicts that the county was built for, by a key such as ``school/primary/9901010001``."""
    stages = {name: verdict for name, verdict in truth["verdicts"].items() if isinstance(verdict, dict)}
    planted = {
        f"stage/{stage}/{part}": verdict["verdict" if part == "overall" else part]
        for stage, verdict in stages.items()
        for part in PARTS
    }
    for row in truth["indicators"]:
        planted[f"coefficient/{row['stage']}/{row['indicator']}"] = row["verdict"]
    for row in truth["schools"]:
        planted[f"school/{row['stage']}/{row['school_id']}"] = row["verdict"]
    return planted


def found_verdicts(results: Path) -> dict[str, str]:
    """Return the verdicts of a run from its exported tables, by the same keys."""
    stages = load_exported_table(results / "stage_verdicts.csv")
    coefficients = load_exported_table(results / "coefficients.csv")
    schools = load_exported_table(results / "school_verdicts.csv")
    found = {}
    for part in PARTS:
        found |= keyed(stages, [f"stage/{stage}/{part}" for stage in stages["stage"]], f"{part}_verdict")
    indicators = coefficients["name"].str.split(n=1).str[0]
    names = zip(coefficients["stage"], indicators, strict=True)
    found |= keyed(coefficients, [f"coefficient/{stage}/{name}" for stage, name in names], "verdict")
    names = zip(schools["stage"], schools["school_id"], strict=True)
    found |= keyed(schools, [f"school/{stage}/{name}" for stage, name in names], "verdict")
    return found


def keyed(table: pd.DataFrame, keys: list[str], column: str) -> dict[str, str]:
    """Return a column of verdicts by key, which must be unique."""
    if len(set(keys)) != len(keys):
        raise SystemExit(f"two rows have the same key, such as {max(keys, key=keys.count)}")
    return dict(zip(keys, table[column].fillna("none").astype(str), strict=True))


def differences(found: Mapping[str, str], truth: Mapping[str, str]) -> list[str]:
    """Return one line for each verdict that differs from the truth or is in one of the two only."""
    if not truth:
        raise SystemExit("the truth holds no verdict")
    return [
        f"{key}: {found.get(key, 'absent')}, built to be {truth.get(key, 'absent')}"
        for key in sorted(truth.keys() | found.keys())
        if truth.get(key) != found.get(key)
    ]


def load_json(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
