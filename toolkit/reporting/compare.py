"""Two runs of one county compared: what went in, what came out, and why each verdict turned."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.reporting.compared_runs import RunResults, load_run, require_comparable
from toolkit.reporting.input_changes import input_changes
from toolkit.reporting.result_changes import (
    coefficient_verdict_changes,
    county_verdict_changes,
    stage_verdict_changes,
)
from toolkit.reporting.run_change import SECTIONS, Change, Section, Told, told
from toolkit.reporting.school_changes import (
    MatchedSchools,
    Schools,
    match_schools_of,
    school_changes,
    school_verdict_changes,
)
from toolkit.reporting.table_changes import item_verdict_changes, limit_changes, number_changes

# What two runs may differ in and still be compared, with what the comparison then leaves out.
REMARKED = ("language", "edition", "school_names", "pseudonym_key")
REAL_NAMES = "real"
NO_SCHOOLS = Schools({}, {}, {})


@dataclass(frozen=True, slots=True)
class RunComparison:
    """What differs between two runs of one county.

    Attributes
    ----------
    before, after : RunResults
        The two runs.
    changes : tuple of Change
        Every difference: verdicts first, in the order of `SECTIONS`.
    remarks : tuple of Told
        What could not be compared, and why.
    """

    before: RunResults
    after: RunResults
    changes: tuple[Change, ...]
    remarks: tuple[Told, ...]

    def of(self, section: Section) -> tuple[Change, ...]:
        """Return the differences of one kind."""
        return tuple(change for change in self.changes if change.section == section)


def compare_runs(before: Path, after: Path) -> RunComparison:
    """Compare two runs from their folders alone.

    Parameters
    ----------
    before, after : pathlib.Path
        Folders of an earlier and a later run: of the same year with corrected data, or of two years.

    Raises
    ------
    InputError
        If a folder is none of a run, or one of its files is absent or damaged.
    ParameterError
        If the runs are of two counties.
    """
    one, other = load_run(before), load_run(after)
    require_comparable(one, other)
    same_names = _names(one) == _names(other) and _key(one) == _key(other)
    matched = match_schools_of(one, other) if same_names else MatchedSchools(NO_SCHOOLS, NO_SCHOOLS, {})
    turned = (
        *coefficient_verdict_changes(matched, one, other),
        *school_verdict_changes(matched, one, other),
    )
    changes = [
        *county_verdict_changes(one, other),
        *stage_verdict_changes(one, other, turned),
        *turned,
        *item_verdict_changes(one, other),
        *school_changes(matched),
        *limit_changes(one, other),
        *input_changes(one, other),
        *number_changes(one, other),
    ]
    changes.sort(key=lambda change: SECTIONS.index(change.section))
    return RunComparison(one, other, tuple(changes), tuple(_remarks(one, other)))


def _remarks(one: RunResults, other: RunResults) -> Sequence[Told]:
    """Return what the comparison leaves out."""
    differing = {
        "language": one.record.language != other.record.language,
        "edition": one.record.edition != other.record.edition,
        "school_names": _names(one) != _names(other),
        "pseudonym_key": _names(one) == _names(other) and _key(one) != _key(other),
    }
    remarks = [told(f"compare_remark_{name}") for name in REMARKED if differing[name]]
    for run in (one, other):
        if not any(key == "school_values" for _, key in run.tables):
            remarks.append(told("compare_remark_no_values", run=run.name))
    return remarks


def _names(run: RunResults) -> object:
    """Return whether a run names schools or gives pseudonyms."""
    return run.parameter("school_names") or REAL_NAMES


def _key(run: RunResults) -> object:
    """Return which secret the pseudonyms of a run come from; None where schools have their names."""
    return run.parameter("pseudonym_key")
