"""Check that a demonstration run is complete, with the verdicts that the demonstration county was built for.

    check_demo.py [FOLDER]     FOLDER holds the run somewhere inside; the default is `reports/` here

`truth.json` comes with the demonstration county and is made without the package's indicators. Its `verdicts`
are one flat mapping from a key (`school/1204`, `coefficient/primary/R5`) to "pass", "fail" or "undecided"; a
run writes the same mapping as `results/verdicts.json`.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from toolkit.share import share_path

SHOWN = 20


def main(arguments: list[str]) -> int:
    """Compare the newest run with the truth and return the exit code."""
    folder = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent / "reports"
    run = newest_run(folder)
    problems = failed_notebooks(run) + wrong_verdicts(run)
    for line in problems[:SHOWN]:
        print(line)
    print(f"{run.name}: {'verdicts equal the truth' if not problems else f'{len(problems)} problems'}")
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
    record = json.loads((run / "run.json").read_text(encoding="utf-8"))
    return [
        f"{outcome['notebook']} failed: {outcome['reason']}"
        for outcome in record["notebooks"]
        if outcome["status"] == "failed"
    ]


def wrong_verdicts(run: Path) -> list[str]:
    """Return one line for each verdict that differs from the truth or is in one of the two only."""
    truth = verdicts(share_path("data", "demo", "truth.json"), "verdicts")
    found = verdicts(run / "results" / "verdicts.json", None)
    return [
        f"{key}: {found.get(key, 'absent')}, built to be {truth.get(key, 'absent')}"
        for key in sorted(truth.keys() | found.keys())
        if truth.get(key) != found.get(key)
    ]


def verdicts(path: Path, key: str | None) -> Mapping[str, str]:
    """Return a mapping of verdicts, which must not be empty."""
    content = json.loads(path.read_text(encoding="utf-8"))
    mapping = content if key is None else content[key]
    if not mapping:
        raise SystemExit(f"{path} holds no verdict")
    return mapping


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
