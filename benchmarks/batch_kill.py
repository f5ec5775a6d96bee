"""A batch whose runner, workers and kernels are killed at random moments ends complete, with equal bytes.

    python benchmarks/batch_kill.py [COUNTIES] [KILLS] [CHAPTERS ...]

An undisturbed batch comes first. Then the same counties are run into another folder while processes are
killed with SIGKILL: the runner, a worker or a kernel in turn, each after a random time. When the runner is
gone the same command is given again. At the end the command is given until all but the broken county are
done. Seeds are fixed. The exit code is 1 when a report is missing, differs or is half-written.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from batch_counties import KINDS, command, environment, hashes, process_kind, write_counties

SEED = 20260
LONGEST_WAIT = 20.0
POLL = 0.2
CALLS_AT_MOST = 10
RESULTS = Path(__file__).with_name("batch_kill.json")


def main(arguments: list[str]) -> int:
    """Run both batches, compare, print and write `batch_kill.json`."""
    count = int(arguments[0]) if arguments else 12
    kills = int(arguments[1]) if len(arguments) > 1 else 20
    only = [part for chapter in arguments[2:] or ["01"] for part in ("--only", chapter)]
    draw = random.Random(SEED)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_counties(place / "data", count, broken=1)
        clock = time.monotonic()
        subprocess.run(
            command(place / "data", place / "quiet", *only),
            env=environment(place),
            capture_output=True,
            check=False,
        )
        quiet = time.monotonic() - clock
        done = kill_repeatedly(place, only, kills, draw)
        calls = finish(place, only)
        expected, found = hashes(place / "quiet"), hashes(place / "killed")
        reports = place / "killed"
        left = [path.name for path in reports.iterdir() if path.name.startswith(".")]
        result = {
            "counties": count,
            "kills": done,
            "undisturbed seconds": round(quiet, 1),
            "calls after the last kill": calls,
            "equal": sum(found.get(name) == value for name, value in expected.items()),
            "different or missing": sorted(
                name for name, value in expected.items() if found.get(name) != value
            ),
            "failed in both": sorted(name for name, value in expected.items() if value == "failed"),
            "unfinished folders left": left,
            "reports": sum((path / "run.json").exists() for path in reports.iterdir() if path.is_dir()),
        }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 1 if result["different or missing"] or left else 0


def kill_repeatedly(place: Path, only: list[str], kills: int, draw: random.Random) -> dict[str, int]:
    """Kill processes of the batch, restarting the command when its runner is gone; count the kills."""
    done = dict.fromkeys(KINDS, 0)
    runner: subprocess.Popen | None = None
    tries = 0
    while sum(done.values()) < kills:
        if runner is None or runner.poll() is not None:
            # A batch that came to its end before the kills did begins again.
            again = ["--fresh"] if runner is not None and runner.returncode in (0, 4) else []
            runner = start(place, only + again)
        time.sleep(draw.uniform(0.5, LONGEST_WAIT))
        kind = KINDS[tries % len(KINDS)]
        tries += 1
        victim = choose(runner, kind, draw)
        while victim is None and runner.poll() is None:
            time.sleep(POLL)
            victim = choose(runner, kind, draw)
        if victim is None:
            continue
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
        done[kind] += 1
        print(done, flush=True)
    if runner is not None:
        runner.wait()
    return done


def start(place: Path, options: list[str]) -> subprocess.Popen:
    """Start the command."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        command(place / "data", place / "killed", "--jobs", "2", *options), env=environment(place), **quiet
    )


def choose(runner: subprocess.Popen, kind: str, draw: random.Random) -> psutil.Process | None:
    """Return a process of a kind below the runner, None when there is none."""
    try:
        own = psutil.Process(runner.pid)
        below = own.children(recursive=True)
    except psutil.Error:
        return None
    found = [each for each in (own, *below) if kind_of(each, own) == kind]
    return draw.choice(found) if found else None


def kind_of(process: psutil.Process, runner: psutil.Process) -> str:
    """Return the kind of a process, empty for one that has ended meanwhile."""
    try:
        return process_kind(process, runner)
    except psutil.Error:
        return ""


def finish(place: Path, only: list[str]) -> int:
    """Give the command until every unit but the broken one is done; return how often."""
    for number in range(1, CALLS_AT_MOST + 1):
        start(place, only).wait()
        found = list(hashes(place / "killed").values())
        if found.count("failed") <= 1 and "running" not in found:
            return number
    return CALLS_AT_MOST


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
