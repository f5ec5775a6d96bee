"""One unit: a status whatever happens, never an exception, and a log that says why."""

import json
import logging

import pytest

from tests.batch.stand_ins import calls, make_report, planned, write_orders
from toolkit.batch.run_unit import run_unit
from toolkit.batch.status import load_status, report_content, running_status, save_status
from toolkit.data.problems import Problem
from toolkit.reporting.refusal import DataError


@pytest.fixture
def job(data, reports):
    def made(order):
        write_orders(data, a=order)
        return planned(data, reports, fresh=True)[0].jobs[0]

    return made


def log_of(job):
    return (job.folder / "unit.log").read_text(encoding="utf-8")


def test_a_unit_whose_report_is_made_tells_where_it_is_and_of_whom(job, reports):
    one = job("good")
    status = run_unit(one, make_report)
    assert (status.state, status.county_name, status.year) == ("done", "a县", 2024)
    assert status.report == "a-2024-0123abcd"
    assert status.content == report_content(reports / status.report)
    assert load_status(one.folder) == status
    assert "reading" in log_of(one)


def test_a_refusal_becomes_its_plain_text_on_one_line(job):
    status = run_unit(job("refuse"), make_report)
    assert status.state == "failed"
    assert [("a.txt" in reason.zh, "a.txt" in reason.en) for reason in status.reasons] == [(True, True)]
    assert "\n" not in status.reasons[0].zh + status.reasons[0].en


def test_an_unexpected_error_is_named_and_its_traceback_is_in_the_log(job):
    one = job("crash")
    (reason,) = run_unit(one, make_report).reasons
    assert "ZeroDivisionError" in reason.en
    assert "\n" not in reason.zh + reason.en
    assert str(one.folder / "unit.log") in reason.en
    assert "Traceback" in log_of(one)


def test_a_report_with_a_failed_notebook_is_kept_and_counted_as_in_part_failed(job, reports):
    status = run_unit(job("part"), make_report)
    assert status.state == "incomplete"
    assert (reports / status.report / "index.html").is_file()
    assert status.reasons[0].en == "Notebook '02' failed at '结论' / KeyError: x"


def test_a_complete_report_takes_the_place_of_the_incomplete_one_of_an_earlier_call(job, reports):
    run_unit(job("part"), make_report)
    status = run_unit(job("good"), make_report)
    assert (status.state, status.report) == ("done", "a-2024-0123abcd")
    assert [path.name for path in reports.glob("*a-2024-*")] == ["a-2024-0123abcd"]
    assert (reports / status.report / "index.html").read_text(encoding="utf-8") == "a good"
    assert status.content == report_content(reports / status.report)


def test_a_killed_call_passes_on_which_incomplete_report_is_to_be_replaced(job, reports):
    run_unit(job("part"), make_report)
    killed = job("good")
    save_status(running_status(killed, load_status(killed.folder)), killed.folder)
    assert run_unit(job("good"), make_report).report == "a-2024-0123abcd"
    assert [path.name for path in reports.glob("*a-2024-*")] == ["a-2024-0123abcd"]


def test_an_incomplete_report_that_somebody_changed_since_is_left_alone(job, reports):
    run_unit(job("part"), make_report)
    (reports / "a-2024-0123abcd" / "note.txt").write_text("mine", encoding="utf-8")
    assert run_unit(job("good"), make_report).report == "a-2024-0123abcd-2"
    assert (reports / "a-2024-0123abcd" / "note.txt").is_file()


def test_a_complete_report_of_an_earlier_call_is_never_replaced(job, reports):
    run_unit(job("good"), make_report)
    assert run_unit(job("better"), make_report).report == "a-2024-0123abcd-2"
    assert (reports / "a-2024-0123abcd" / "index.html").read_text(encoding="utf-8") == "a good"


def test_incomplete_reports_beside_a_complete_one_do_not_pile_up(job, reports):
    run_unit(job("good"), make_report)
    run_unit(job("part"), make_report)
    assert run_unit(job("part"), make_report).state == "incomplete"
    assert run_unit(job("good"), make_report).report == "a-2024-0123abcd"
    assert [path.name for path in reports.glob("*a-2024-*")] == ["a-2024-0123abcd"]


def test_errors_in_the_data_name_the_first_and_list_all_in_the_log(job):
    values = (("column_label", "@year"), ("header", "学年"))
    place = ("county.xlsx", "学校年度", "D4", "school_years", "year", "甲校")
    problem = Problem("value_missing", "error", *place, values)

    def refuse(*_, **__):
        raise DataError((problem,) * 3)

    one = job("good")
    (reason,) = run_unit(one, refuse).reasons
    assert "3 处错误" in reason.zh
    assert "学校年度 D4 甲校" in reason.zh
    assert log_of(one).count("county.xlsx 学校年度 D4") == 3


def test_an_interrupt_passes_and_leaves_the_unit_to_be_run_again(job):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    one = job("good")
    with pytest.raises(KeyboardInterrupt):
        run_unit(one, interrupt)
    assert load_status(one.folder).state == "running"


def test_a_unit_given_twice_in_one_call_is_run_once(job, data):
    one = job("good")
    assert run_unit(one, make_report) == run_unit(one, make_report)
    assert calls(data) == ["a"]


def test_a_place_that_cannot_be_written_is_a_failure_with_its_reason(job):
    one = job("good")
    one.folder.parent.mkdir(parents=True, exist_ok=True)
    one.folder.touch()
    status = run_unit(one, make_report)
    assert status.state == "failed"
    assert str(one.folder) in status.reasons[0].zh


def test_a_damaged_status_counts_as_none(job):
    one = job("good")
    run_unit(one, make_report)
    for text in ("", "{", "[]", '{"schema_version": 0}', json.dumps({"schema_version": 1, "reasons": [{}]})):
        (one.folder / "status.json").write_text(text, encoding="utf-8")
        assert load_status(one.folder) is None


def test_traces_of_a_killed_writer_are_swept_away(job):
    one = job("good")
    one.folder.mkdir(parents=True)
    (one.folder / ".status.json-1").touch()
    run_unit(one, make_report)
    assert sorted(path.name for path in one.folder.iterdir()) == ["status.json", "unit.log"]


def test_logging_is_left_as_it_was(job):
    handlers, level = list(logging.getLogger().handlers), logging.getLogger("toolkit.batch.run_unit").level
    run_unit(job("good"), make_report)
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger("toolkit.batch.run_unit").level == level
