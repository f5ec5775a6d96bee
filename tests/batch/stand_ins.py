"""Stand-ins for the slow parts of a batch: a maker of reports that does what its data file says."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from tests.reporting.pages import record
from toolkit.batch.batch import batch_place, plan_batch
from toolkit.batch.units import Options, make_unit
from toolkit.errors import InputError, RunError
from toolkit.reporting.record import write_record
from toolkit.reporting.run import RunOutcome
from toolkit.reporting.runfolder import place_run, scratch_folder

PAGE = "index.html"


def make_report(parameters, *, reports, progress, **_):
    """Make a report of one page that repeats the data file, or fail as that file says."""
    source = Path(parameters["data_path"])
    if not source.exists():
        raise InputError("unreadable_file_missing", file=source.name)
    order = source.read_text(encoding="utf-8")
    progress("reading")
    with (source.parent / "calls.txt").open("a", encoding="utf-8") as calls:
        calls.write(f"{source.stem}\n")
    if order == "refuse":
        raise InputError("unreadable_file_missing", file=source.name)
    if order == "crash":
        raise ZeroDivisionError("a\nb")
    if order == "die" or (order == "die once" and _first(source)):
        os._exit(1)
    if order == "kill once" and _first(source):
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    if order.startswith("sleep "):
        time.sleep(float(order.split()[1]))
    county = source.stem
    with scratch_folder(reports, f"{county}-2024-0123abcd") as scratch:
        (scratch / PAGE).write_text(f"{county} {order}", encoding="utf-8")
        write_record(record(county_id=county, county_name=f"{county}县"), scratch)
        placement = place_run(scratch, reports / f"{county}-2024-0123abcd")
    values = {"notebook": "02", "section": "结论", "error": "KeyError", "detail": "x", "path": "p"}
    failures = (RunError("report_notebook_failed", **values),) if order == "part" else ()
    return RunOutcome(placement, failures, ())


def _first(source):
    mark = source.with_suffix(".died")
    if mark.exists():
        return False
    mark.touch()
    return True


@dataclass(frozen=True)
class InProcess:
    """An engine without workers."""

    def run(self, work, jobs, *, alone):
        for job in jobs:
            yield work(job)


def write_orders(folder, **orders):
    """Write one data file a unit; what stands in it is what its maker does."""
    folder.mkdir(exist_ok=True)
    for name, order in orders.items():
        (folder / f"{name}.txt").write_text(order, encoding="utf-8")


def units_of(folder, **parameters):
    """Return a unit for each data file."""
    return [
        make_unit(path.name, path.stem, {"data_path": str(path), **parameters}, {})
        for path in sorted(folder.glob("*.txt"))
        if path.stem != "calls"
    ]


def planned(folder, reports, *, options=None, parameters=None, **choices):
    """Return plan and place of a batch of all data files of a folder."""
    place = batch_place(reports, "counties")
    return plan_batch(units_of(folder, **(parameters or {})), place, options or Options(), **choices), place


def calls(folder):
    """Return which units were run, in order, and forget them."""
    path = folder / "calls.txt"
    found = path.read_text(encoding="utf-8").split() if path.exists() else []
    path.unlink(missing_ok=True)
    return found
