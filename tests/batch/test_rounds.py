"""Workers that die: the others' units are finished, and the unit that kills them fails with a reason."""

from functools import partial

from tests.batch.stand_ins import make_report, planned, write_orders
from toolkit.batch.engines import WorkersLostError
from toolkit.batch.rounds import run_all
from toolkit.batch.run_unit import run_unit
from toolkit.batch.status import running_status, save_status

WORK = partial(run_unit, make=make_report)


class Pool:
    """An engine with two workers at a time; a unit called a deadly name takes both down."""

    def __init__(self, *deadly, at_once=2, times=99):
        self.deadly, self.at_once, self.times = set(deadly), at_once, times
        self.calls = []

    def run(self, work, jobs, *, alone):
        self.calls.append(([job.unit.county for job in jobs], alone))
        step = 1 if alone else self.at_once
        for start in range(0, len(jobs), step):
            under_way = jobs[start : start + step]
            for job in under_way:
                save_status(running_status(job), job.folder)
            if self.times and self.deadly & {job.unit.county for job in under_way}:
                self.times -= 1
                raise WorkersLostError
            for job in under_way:
                yield work(job)


def ended(data, reports, pool, **orders):
    write_orders(data, **orders)
    plan, _ = planned(data, reports, fresh=True)
    return {status.county_id: status for status in run_all(plan.jobs, pool, WORK)}


def test_a_unit_that_two_workers_do_not_survive_fails_and_its_company_is_done(data, reports):
    pool = Pool("b")
    found = ended(data, reports, pool, a="good", b="good", c="good", d="good")
    assert {name: status.state for name, status in found.items()} == {
        "a": "done", "b": "failed", "c": "done", "d": "done"
    }  # fmt: skip
    assert "--jobs" in found["b"].reasons[0].zh
    assert pool.calls == [(["a", "b", "c", "d"], False), (["c", "d"], False), (["a"], True), (["b"], True)]


def test_a_worker_that_dies_once_costs_no_unit(data, reports):
    found = ended(data, reports, Pool("b", times=1), a="good", b="good", c="good")
    assert {status.state for status in found.values()} == {"done"}


def test_two_units_that_died_together_are_tried_one_by_one(data, reports):
    pool = Pool("a", "b", times=2)
    found = ended(data, reports, pool, a="good", b="good")
    assert {name: status.state for name, status in found.items()} == {"a": "failed", "b": "done"}


def test_every_unit_may_be_deadly_and_the_batch_still_ends(data, reports):
    found = ended(data, reports, Pool("a", "b", "c"), a="good", b="good", c="good")
    assert {status.state for status in found.values()} == {"failed"}
    assert len(found) == 3


def test_workers_that_die_before_they_begin_a_unit_do_not_go_on_for_ever(data, reports):
    class Stillborn:
        def run(self, work, jobs, *, alone):
            raise WorkersLostError
            yield

    found = ended(data, reports, Stillborn(), a="good", b="good")
    assert {status.state for status in found.values()} == {"failed"}


def test_a_result_lost_on_its_way_is_read_from_the_units_status(data, reports):
    class Forgetful:
        def run(self, work, jobs, *, alone):
            for job in jobs:
                work(job)
            raise WorkersLostError
            yield

    found = ended(data, reports, Forgetful(), a="good", b="refuse")
    assert {name: status.state for name, status in found.items()} == {"a": "done", "b": "failed"}
