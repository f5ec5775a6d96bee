"""A user's own standard file: what it may say, and what is refused."""

import re
import tomllib

import pytest

from toolkit.errors import ParameterError
from toolkit.standards import StandardError, check_columns, hash_standard, load_standard
from toolkit.standards.loading import FOLDER

OWN = """
title = { zh = "本区标准", en = "Own standard" }

[coefficients]
maximum = { primary = 0.5 }

[pass_rule]
minimum_met = 1
floor_ratio = 0.85

[split]
primary = 1.0
junior = 1.1
senior_in_complete_secondary_school = 1.2
senior_in_twelve_year_school = 1.32

[indicators.A1]
name = "books_per_student"
numerator = ["books"]
shared = true
minimum = { primary = 15 }

[targets.T1]
name = { zh = "图书达标校比例", en = "Schools with enough books" }
comparator = ">="
limits = 0.85
unit = "percent"
deadline = "2027"
reference = "A1"
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="own.toml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return _write


def test_own_standard_is_read_with_its_own_numbers(write):
    standard = load_standard(write(OWN))
    assert (standard.id, standard.kind) == ("own", "own")
    assert standard.indicator("A1").minimum == {"primary": 15}
    assert standard.target("T1").limits == (0.85,)


def test_extending_file_overrides_single_values_and_keeps_the_rest(write):
    own = load_standard(
        write(
            'extends = "national_2017"\n'
            'title = { zh = "某省标准", en = "A province" }\n'
            "[indicators.R5]\nminimum = { primary = 8.0 }\n"
            "[exceptions.visiting_teachers]\nenabled = false\n"
            "[items.G07]\nlimits = 8000\n"
        )
    )
    assert own.kind == "own"
    assert own.base == "national_2017"
    assert own.indicator("R5").minimum == {"primary": 8.0, "junior": 10.2}
    assert own.indicator("R1").minimum == {"primary": 4.2, "junior": 5.3}
    assert not own.exception("visiting_teachers").enabled
    assert own.item("G07").limits == (8000,)
    assert load_standard("national_2017").indicator("R5").minimum["primary"] == 7.5
    assert hash_standard(own) != hash_standard(load_standard("national_2017"))


def test_extending_nothing_but_the_title_has_the_same_rules(write):
    own = load_standard(write('extends = "national_2012"\ntitle = { zh = "甲", en = "A" }\n'))
    base = load_standard("national_2012")
    assert own.indicators == base.indicators
    assert own.coefficients == base.coefficients


def test_own_plan_may_refer_to_the_national_standard(write):
    plan = load_standard(
        write(
            'title = { zh = "某县计划", en = "A plan" }\nkind = "local"\nbase = "national_2017"\n'
            '[targets.X-01]\nname = { zh = "骨干", en = "Backbone" }\ncomparator = ">="\nlimits = 1.2\n'
            'unit = "teachers_per_100_students_unit"\nreference = "R2"\n'
        )
    )
    assert plan.target("X-01").reference == "R2"


# what is right, what is written instead, fragments of the message
REFUSALS = [
    ("[pass_rule]", "[pass_rules]", "pass_rules", "pass_rule"),
    ("shared = true", "shard = true", "indicators.A1.shard", "shared"),
    ("floor_ratio = 0.85", "floor_ratio = 85", "pass_rule.floor_ratio", "0.85"),
    ("limits = 0.85", "limits = 85", "targets.T1.limits", "0.85"),
    ("maximum = { primary = 0.5 }", "maximum = { primary = 50 }", "coefficients.maximum.primary", "0.5"),
    ("maximum = { primary = 0.5 }", "maximum = { grade9 = 0.5 }", "coefficients.maximum.grade9"),
    ("minimum = { primary = 15 }", "minimum = { primary = -1 }", "indicators.A1.minimum.primary", "-1"),
    ("minimum = { primary = 15 }", 'minimum = { primary = "15" }', "indicators.A1.minimum.primary", "15"),
    ("minimum_met = 1", "minimum_met = 3", "minimum_met", "3", "1"),
    ("minimum_met = 1", "minimum_met = 0.5", "minimum_met"),
    ("minimum_met = 1\n", "", "pass_rule.minimum_met", "missing"),
    ('comparator = ">="', 'comparator = "=>"', "targets.T1.comparator", ">=, >"),
    ('deadline = "2027"', 'deadline = "2027年"', "targets.T1.deadline", "annual"),
    ('unit = "percent"', 'unit = "per cent"', "targets.T1.unit", "per cent"),
    ('reference = "A1"', 'reference = "R9"', "targets.T1.reference", "R9"),
    ('reference = "A1"', "", "targets.T1", "reference, formula, needs"),
    ('name = "books_per_student"', 'name = "novels_per_student"', "novels_per_student"),
    ('numerator = ["books"]', 'numerator = ["图书"]', "indicators.A1.numerator", "图书"),
    ('numerator = ["books"]', 'numerator = "books"', "indicators.A1.numerator"),
    ('numerator = ["books"]\n', "", "indicators.A1.numerator", "missing"),
    ("[split]\nprimary = 1.0", "[split]\nprimary = 0", "split.primary", "0"),
    ('zh = "本区标准", ', "", "title.zh", "missing"),
    ("[coefficients]", 'base = "national_1999"\n[coefficients]', "in base", "national_1999"),
]


@pytest.mark.parametrize(("right", "wrong", "fragments"), [(row[0], row[1], row[2:]) for row in REFUSALS])
def test_mistake_is_named_with_file_key_and_remedy(write, right, wrong, fragments):
    assert right in OWN
    with pytest.raises(StandardError) as caught:
        load_standard(write(OWN.replace(right, wrong, 1)))
    assert all(fragment in caught.value.en for fragment in ("own.toml", *fragments))
    assert "own.toml" in caught.value.zh
    assert caught.value.exit_code == 3


def test_missing_split_is_refused_when_stocks_are_shared(write):
    start, end = OWN.index("[split]"), OWN.index("[indicators.A1]")
    with pytest.raises(StandardError, match="split is missing"):
        load_standard(write(OWN[:start] + OWN[end:]))


def test_unknown_mark_and_reading_are_refused(write):
    wrong = OWN.replace("shared = true", 'shared = true\nmarks = ["rumour"]') + "\n[readings.hearsay.scope]\n"
    with pytest.raises(StandardError) as caught:
        load_standard(write(wrong))
    assert "rumour" in caught.value.en
    assert "hearsay" in caught.value.en


def test_all_mistakes_of_a_file_are_told_at_once(write):
    wrong = OWN.replace("floor_ratio = 0.85", "floor_ratio = 85").replace("shared", "shard")
    with pytest.raises(StandardError) as caught:
        load_standard(write(wrong))
    assert len(caught.value.problems) == 2
    assert caught.value.zh.count("own.toml") == 2


def test_unknown_id_lists_those_that_ship():
    with pytest.raises(ParameterError, match="national_2017"):
        load_standard("national_2071")


def test_file_that_is_not_toml_or_not_utf8_is_refused(write, tmp_path):
    with pytest.raises(StandardError, match="TOML"):
        load_standard(write("title = 标准\n"))
    path = tmp_path / "gbk.toml"
    path.write_bytes('title = { zh = "标准", en = "x" }\n'.encode("gb18030"))
    with pytest.raises(StandardError, match="UTF-8"):
        load_standard(path)


def test_extending_an_unknown_standard_is_refused(write):
    with pytest.raises(StandardError, match="national_2016"):
        load_standard(write('extends = "national_2016"\ntitle = { zh = "甲", en = "A" }\n'))


def test_own_file_cannot_call_itself_national(write):
    with pytest.raises(StandardError, match="kind"):
        load_standard(write('kind = "national"\n' + OWN))


def test_column_that_the_data_lack_is_refused(write):
    own = load_standard(write(OWN.replace('["books"]', '["paperbacks"]')))
    with pytest.raises(StandardError, match=r"school_years\.paperbacks"):
        check_columns(own, {"school_years": ["books"]})


def test_hash_is_stable_under_reordering_of_keys(write):
    head, *tables = re.split(r"\n(?=\[)", OWN)
    shuffled = "\n".join([head, *reversed(tables)]).replace(
        'zh = "本区标准", en = "Own standard"', 'en = "Own standard", zh = "本区标准"'
    )
    assert tomllib.loads(shuffled) == tomllib.loads(OWN)
    first, second = load_standard(write(OWN)), load_standard(write(shuffled))
    assert hash_standard(first) == hash_standard(second)


def test_hash_changes_with_any_number(write):
    changed = load_standard(write(OWN.replace("minimum = { primary = 15 }", "minimum = { primary = 15.5 }")))
    assert hash_standard(changed) != hash_standard(load_standard(write(OWN)))


def test_shipped_file_read_by_its_path_has_the_same_rules(tmp_path):
    text = (
        (FOLDER / "national_2017.toml")
        .read_text(encoding="utf-8")
        .replace('kind = "national"', 'kind = "own"')
    )
    path = tmp_path / "national_2017.toml"
    path.write_text(text, encoding="utf-8-sig")
    assert load_standard(path).indicators == load_standard("national_2017").indicators
