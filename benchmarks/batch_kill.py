"""A batch whose processes are killed at random moments ends complete, with equal bytes.

    python benchmarks/batch_kill.py [COUNTIES] [KILLS] [MINUTES]

An undisturbed batch of tiny counties, the last a broken workbook, comes first. Then the same counties are run
while processes are killed with SIGKILL after random times: the runner, a worker, the server that a worker's
kernels are forked from, or a kernel. The kind is drawn evenly among those that exist at that moment, then the
process among those of the kind. While a call starts and looks into the files there is little but its runner,
and that takes longer than the work of a tiny county: so three waits of four begin when there is a kernel, and
the others at once. When the runner is gone the same command is given again; so it is when a call ended by
itself with units that are not done. Once all but the broken one are done, the next round begins in an empty
folder. Every call that ended by itself is checked. Waits and draws have fixed seeds; what exists at a moment
depends on the machine. The exit code is 1 when a check failed.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from batch_counties import KINDS, batch_processes, command, environment, hashes, statuses

from tests.batch.tiny import write_tiny

SEED = 20260
LONGEST_WAIT = 4.0
AT_WORK = 0.75
POLL = 0.05
CALLS_AT_MOST = 10
HASH_LENGTH = 64
ORPHAN_SECONDS = 60.0
OPTIONS = ("--jobs", "2", "--only", "01")
BROKEN = "broken.xlsx"
RESULTS = Path(__file__).with_name("batch_kill.json")


@dataclass(slots=True)
class Trial:
    """The disturbed batch: what was done to it, and what was found wrong."""

    place: Path
    expected: dict[str, str]
    draw: random.Random
    round: int = 1
    kills: list[dict[str, Any]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    orphans: list[psutil.Process] = field(default_factory=list)

    @property
    def reports(self) -> Path:
        """Folder of this round."""
        return self.place / f"round{self.round}"


def main(arguments: list[str]) -> int:
    """Run both batches, compare, print and write `batch_kill.json`."""
    count = int(arguments[0]) if arguments else 8
    kills = int(arguments[1]) if len(arguments) > 1 else 20
    minutes = float(arguments[2]) if len(arguments) > 2 else 12.0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        data = place / "data"
        data.mkdir()
        for number in range(count - 1):
            write_tiny(data, number)
        (data / BROKEN).write_text("this is no workbook", encoding="utf-8")
        clock = time.monotonic()
        subprocess.run(
            command(data, place / "quiet", *OPTIONS), env=environment(place), capture_output=True, check=False
        )
        quiet = time.monotonic() - clock
        trial = Trial(place, hashes(place / "quiet"), random.Random(SEED))
        disturb(trial, kills, clock + 60 * minutes)
        finish(trial)
        seconds = time.monotonic() - clock
    not_done = sum(bool(call["not done"]) for call in trial.calls)
    states = Counter("done" if len(value) == HASH_LENGTH else value for value in trial.expected.values())
    result = {
        "counties": count,
        "kills": len(trial.kills),
        "kills by kind": {kind: sum(kill["kind"] == kind for kill in trial.kills) for kind in KINDS},
        "rounds": trial.round,
        "calls": len(trial.calls),
        "calls that lost their runner": sum(call["exit code"] < 0 for call in trial.calls),
        "calls that ended by themselves with units not done": not_done,
        "undisturbed seconds": round(quiet, 1),
        "seconds": round(seconds),
        "expected": dict(states),
        "wrong": trial.wrong,
        "each kill": trial.kills,
        "each call": trial.calls,
    }
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1, ensure_ascii=False))
    return 1 if trial.wrong else 0


def disturb(trial: Trial, kills: int, until: float) -> None:
    """Give the command again and again while its processes are killed, until there were enough kills."""
    while len(trial.kills) < kills and time.monotonic() < until:
        with started(trial) as runner:
            while runner.poll() is None and len(trial.kills) < kills and time.monotonic() < until:
                if trial.draw.random() < AT_WORK:
                    wait_for_kernel(runner)
                wait(runner, trial.draw.uniform(0.0, LONGEST_WAIT))
                kill_one(trial, runner)


def finish(trial: Trial) -> None:
    """Give the command undisturbed until every unit of the last round but the broken one is done."""
    last = trial.round
    for _ in range(CALLS_AT_MOST):
        with started(trial):
            pass
        if trial.round > last:
            trial.round = last
            break
    else:
        trial.wrong.append(f"not complete after {CALLS_AT_MOST} undisturbed calls")
    alive = psutil.wait_procs(trial.orphans, timeout=ORPHAN_SECONDS)[1]
    if alive:
        trial.wrong.append(f"{len(alive)} processes of killed runners still run")
        for process in alive:
            process.kill()
    for number in range(1, last + 1):
        reports = trial.place / f"round{number}"
        trial.wrong += [f"round {number}: {name} is left" for name in leftovers(reports)]


class started:  # noqa: N801
    """One call of the command; looked at when it has ended."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial
        self.told = trial.place / f"call{len(trial.calls) + 1}.txt"

    def __enter__(self) -> subprocess.Popen:
        place = self.trial.place
        with self.told.open("wb") as told:
            self.runner = subprocess.Popen(
                command(place / "data", self.trial.reports, *OPTIONS),
                env=environment(place),
                stdout=told,
                stderr=subprocess.STDOUT,
            )
        return self.runner

    def __exit__(self, *_: object) -> None:
        self.runner.wait()
        look_at(self.trial, self.runner.returncode, self.told.read_text(encoding="utf-8"))


def wait(runner: subprocess.Popen, seconds: float) -> None:
    """Wait, no longer than the runner runs."""
    until = time.monotonic() + seconds
    while runner.poll() is None and time.monotonic() < until:
        time.sleep(POLL)


def wait_for_kernel(runner: subprocess.Popen) -> None:
    """Wait until the batch is at work, no longer than the runner runs."""
    while runner.poll() is None and "kernel" not in (kind for _, kind in batch_processes(runner.pid)):
        time.sleep(POLL)


def kill_one(trial: Trial, runner: subprocess.Popen) -> None:
    """Kill a process of the batch, if the runner still runs."""
    if runner.poll() is not None:
        return
    by_kind: dict[str, list[psutil.Process]] = {}
    for process, kind in batch_processes(runner.pid):
        by_kind.setdefault(kind, []).append(process)
    if "runner" not in by_kind:
        return
    kind = trial.draw.choice([kind for kind in KINDS if kind in by_kind])
    victim = trial.draw.choice(by_kind[kind])
    if kind == "runner":
        trial.orphans += [each for kind, found in by_kind.items() if kind != "runner" for each in found]
    try:
        victim.kill()
    except psutil.NoSuchProcess:
        return
    among = sorted(by_kind, key=KINDS.index)
    trial.kills.append({"kind": kind, "among": among, "call": len(trial.calls) + 1})
    print(trial.kills[-1], flush=True)
    if kind == "runner":
        runner.wait()


def look_at(trial: Trial, code: int, told: str) -> None:
    """Check what a call left behind; once the round is complete, let the next begin."""
    killed = Counter(kill["kind"] for kill in trial.kills if kill["call"] == len(trial.calls) + 1)
    call = {"round": trial.round, "exit code": code, "killed": dict(killed), "not done": {}}
    trial.calls.append(call)
    problems = list(problems_of(trial, told))
    if not killed["runner"]:
        found = hashes(trial.reports)
        call["not done"] = {
            name: found.get(name, "missing")
            for name, value in trial.expected.items()
            if found.get(name) != value
        }
        problems += problems_at_the_end(trial, code, call["not done"], sum(killed.values()))
        if not call["not done"]:
            trial.round += 1
    print(call, problems, flush=True)
    trial.wrong += [f"call {len(trial.calls)}: {problem}" for problem in problems]


def problems_of(trial: Trial, told: str) -> Iterator[str]:
    """Give what no call may leave behind, not even one whose runner was killed."""
    if "Traceback" in told:
        yield told[told.index("Traceback") :]
    try:
        found = statuses(trial.reports)
    except ValueError as error:
        yield f"a status cannot be read: {error}"
        return
    for status in found:
        report = trial.reports / status["report"]
        if status["state"] == "done" and not (report / "run.json").is_file():
            yield f"{status['data']} is done and has no record"


def problems_at_the_end(trial: Trial, code: int, not_done: dict[str, str], kills: int) -> Iterator[str]:
    """Give what a call that ended by itself may not leave behind."""
    if code not in (0, 4):
        yield f"exit code {code}"
    for name, state in not_done.items():
        if state not in ("incomplete", "failed"):
            yield f"{name}: {state}"
    # A server takes its kernel along, and a worker its unit: no kill costs more than one unit.
    if len(not_done) > kills:
        yield f"{len(not_done)} units not done after {kills} kills"
    for page in trial.reports.glob("batch/*/index.html"):
        text = page.read_text(encoding="utf-8")
        if not text.rstrip().endswith("</html>"):
            yield "index.html is not complete"
        yield from (
            f"index.html does not name {status['report'] or status['data']}"
            for status in statuses(trial.reports)
            if (status["report"] or status["data"]) not in text
        )
    if not list(trial.reports.glob("batch/*/index.html")):
        yield "no index.html"
    if not any(process.is_running() for process in trial.orphans):
        yield from (f"{name} is left" for name in leftovers(trial.reports))


def leftovers(reports: Path) -> list[str]:
    """Return unfinished files and folders, and reports that no unit claims."""
    hidden = [path.name for path in (*reports.glob(".*"), *reports.glob("batch/**/.*"))]
    own = {status["report"] for status in statuses(reports)} | {"batch"}
    return hidden + [path.name for path in reports.iterdir() if path.name not in own and path.is_dir()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
