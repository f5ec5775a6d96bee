"""Parameters: one record from which cell, options and printed table derive."""

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from toolkit.errors import ParameterError
from toolkit.reporting.parameters import (
    NOTEBOOKS,
    PATH_PARAMETERS,
    AnnualReport,
    DataQuality,
    InterSchoolVariation,
    check_parameters,
    parameter_fields,
    parameters_cell,
    printed_parameters,
    require_language,
    shown_standard,
)
from toolkit.vocabulary import has_sentence, has_term

RECORDS = list(NOTEBOOKS.values())


@pytest.mark.parametrize("record", RECORDS)
def test_defaults_are_accepted(record):
    check_parameters(record())


@pytest.mark.parametrize("record", RECORDS)
def test_records_are_frozen(record):
    with pytest.raises(FrozenInstanceError):
        record().year = 2020


def test_every_parameter_has_label_help_and_json_type():
    for entry in parameter_fields():
        assert entry.type in (str, int, float, bool)
        assert has_term(f"parameter_{entry.name}")
        if entry.name not in PATH_PARAMETERS:
            assert has_sentence(f"help_option_{entry.name}")


def test_every_choice_has_a_label():
    closed = [entry for entry in parameter_fields() if "choices" in entry.metadata]
    assert len(closed) == 8
    assert all(has_term(f"{entry.name}_{choice}") for entry in closed for choice in entry.metadata["choices"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"year": "2020"}, "Parameter year must be a whole number, not '2020'"),
        ({"year": True}, "Parameter year must be a whole number, not True"),
        ({"county": 330102}, "Parameter county must be text"),
        ({"reporting_error": 0}, "Parameter reporting_error must be a number"),
        ({"edition": "secret"}, "Choose from: internal, public"),
        ({"reporting_error": 1.0}, "must be at least 0.0 and below 1.0"),
        ({"reporting_error": -0.01}, "must be at least 0.0 and below 1.0"),
        ({"reporting_error": float("nan")}, "must be at least 0.0 and below 1.0"),
    ],
)
def test_a_wrong_value_is_refused(change, told):
    with pytest.raises(ParameterError) as refused:
        check_parameters(replace(InterSchoolVariation(), **change))
    assert told in refused.value.en
    assert next(iter(change)) in refused.value.zh


def test_only_two_languages_are_known():
    assert (require_language("zh"), require_language("en")) == ("zh", "en")
    with pytest.raises(ParameterError, match="zh, en"):
        require_language("fr")


@pytest.mark.parametrize("record", RECORDS)
def test_the_cell_gives_the_defaults_when_it_is_run(record):
    values = {}
    exec(parameters_cell(record), values)
    assert {entry.name: values[entry.name] for entry in fields(record)} == {
        entry.name: entry.default for entry in fields(record)
    }
    assert set(values["__annotations__"]) == {entry.name for entry in fields(record)}


def test_the_page_shows_no_path_and_nothing_that_is_empty():
    given = InterSchoolVariation(
        data_path="/home/wang/a.xlsx", results_dir="/tmp/x", mapping_path="/home/wang/m.toml",
        standard="/home/wang/own.toml", year=2020, reporting_error=0.0,
    )  # fmt: skip
    assert printed_parameters(given, "zh") == [
        ("学年（起始年份）", "2020"),
        ("评估标准", "own.toml"),
        ("一贯制学校未分学段教师的处理", "不予拆分（不予判定）"),
        ("学校名称", "真实校名"),
        ("报告语言", "中文"),
        ("报告版本", "内部版"),
        ("填报误差（占存量的比例）", "0.0"),
    ]


def test_the_page_of_every_notebook_can_print_its_parameters():
    assert ("Edition", "Public edition") in printed_parameters(DataQuality(edition="public"), "en")


def test_standards_that_ship_are_printed_by_their_title():
    rows = dict(printed_parameters(AnnualReport(plan="meizhou"), "zh"))
    assert rows["评估标准"] == "县域义务教育优质均衡发展督导评估办法"
    assert rows["对照的地方规划"] == "梅州市推进义务教育优质均衡发展工作方案"


def test_an_own_standard_is_shown_by_its_file_name():
    assert shown_standard("/a/b/own.toml") == "own.toml"
    assert shown_standard("national_2017") == "national_2017"
