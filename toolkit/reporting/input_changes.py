"""What went into two runs: data, standard, parameters, software; and which notebooks came to their end."""

from collections.abc import Iterable, Iterator, Mapping

from toolkit.reporting.compared_runs import RunResults
from toolkit.reporting.parameters import shown_standard
from toolkit.reporting.record import RunRecord
from toolkit.reporting.run_change import (
    NOTHING,
    Change,
    Section,
    Told,
    changed,
    labelled,
    numbers,
    same,
    told,
)
from toolkit.vocabulary import has_term

SHORT_HASH = 12
# These are told from the fields of the record.
NOT_PARAMETERS = ("standard", "plan", "year")


def input_changes(before: RunResults, after: RunResults) -> Iterator[Change]:
    """Give every difference between the records of two runs."""
    one, other = before.record, after.record
    yield from _standard(one, other)
    yield from _parameters(one, other)
    yield from _files(one, other)
    yield from _rows(one, other)
    yield from _software(one, other)
    yield from _notebooks(one, other)


def _standard(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    """Give standard and local plan where their ids or contents differ."""
    for name in ("standard", "plan"):
        ids, hashes = (
            [getattr(record, field) for record in (one, other)] for field in (name, f"{name}_sha256")
        )
        if ids[0] != ids[1]:
            yield _plain("standard", labelled(f"compare_{name}"), *ids)
        if hashes[0] != hashes[1]:
            subject = told(f"compare_{name}_content")
            yield _plain("standard", subject, *(found[:SHORT_HASH] for found in hashes))


def _parameters(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    """Give parameters that differ, each once when all notebooks agree on it."""
    if one.year != other.year:
        yield _plain("parameter", labelled("report_school_year_label"), str(one.year), str(other.year))
    yield from _of_mappings("parameter", _by_name(one), _by_name(other), prefix="parameter_")


def _by_name(record: RunRecord) -> dict[str, str]:
    """Return the values of every parameter; those of several notebooks joined where they differ."""
    values: dict[str, dict[str, None]] = {}
    for parameters in record.parameters.values():
        for name, value in parameters.items():
            if name not in NOT_PARAMETERS:
                values.setdefault(name, {})[shown_standard(str(value))] = None
    return {name: ", ".join(found) for name, found in values.items()}


def _files(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    """Give input files that differ by content; a file that was only renamed is none."""
    old, new = ({file.name: file.sha256 for file in record.inputs} for record in (one, other))
    gone = {name: sha for name, sha in old.items() if name not in new and sha not in new.values()}
    come = {name: sha for name, sha in new.items() if name not in old and sha not in old.values()}
    for name in sorted(old.keys() & new.keys()):
        if old[name] != new[name]:
            yield _plain("data", same(name), old[name][:SHORT_HASH], new[name][:SHORT_HASH])
    for name, sha in sorted(gone.items()):
        yield _plain("data", same(name), sha[:SHORT_HASH], "")
    for name, sha in sorted(come.items()):
        yield _plain("data", same(name), "", sha[:SHORT_HASH])


def _rows(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    """Give tables of which another number of rows was used or left out."""
    counts = [_row_counts(record) for record in (one, other)]
    for table, kind in sorted(counts[0].keys() | counts[1].keys()):
        before, after = (count.get((table, kind), 0.0) for count in counts)
        if before != after:
            shown = numbers(before, after, 0)
            yield changed("data", "", labelled(f"table_{table}", table), labelled(kind), shown)


def _row_counts(record: RunRecord) -> dict[tuple[str, str], float]:
    counts: dict[tuple[str, str], float] = {}
    for row in record.accounting:
        for kind in ("rows_used", "rows_left_out"):
            if row.get("table") and kind in row:
                key = (str(row["table"]), kind)
                counts[key] = counts.get(key, 0.0) + float(row[kind])
    return counts


def _software(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    yield from _of_mappings("software", {"Python": one.python}, {"Python": other.python})
    yield from _of_mappings("software", one.packages, other.packages)
    commits = [{"report_commit": record.commit, "report_seed": str(record.seed)} for record in (one, other)]
    yield from _of_mappings("software", *commits)


def _notebooks(one: RunRecord, other: RunRecord) -> Iterator[Change]:
    old, new = ({entry.notebook: entry for entry in record.notebooks} for record in (one, other))
    for name in sorted(old.keys() | new.keys()):
        states = [found[name].status if name in found else "absent" for found in (old, new)]
        if states[0] != states[1]:
            reasons = [
                same(found[name].reason) for found in (old, new) if name in found and found[name].reason
            ]
            shown = [labelled(f"compare_notebook_{state}", state) for state in states]
            yield Change("notebook", "", same(name), NOTHING, shown[0], shown[1], tuple(reasons))


def _of_mappings(
    section: Section, old: Mapping[str, str], new: Mapping[str, str], *, prefix: str = ""
) -> Iterator[Change]:
    """Give the entries of two mappings that differ."""
    for name in _in_order(old, new):
        before, after = (_value(name, mapping.get(name, "")) for mapping in (old, new))
        if before != after:
            yield Change(section, "", labelled(f"{prefix}{name}", name), NOTHING, before, after)


def _value(name: str, value: str) -> Told:
    """Return a value in words where the vocabulary knows it as a choice."""
    return labelled(f"{name}_{value}") if has_term(f"{name}_{value}") else same(value)


def _in_order(old: Iterable[str], new: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*old, *new]))


def _plain(section: Section, subject: Told, before: str, after: str) -> Change:
    return Change(section, "", subject, NOTHING, same(before), same(after))
