from toolkit.data.checks import RULES


def test_a_clean_county_raises_no_problem(check, clean):
    assert [(p.code, p.table, p.cell, p.message("en")) for p in check(clean)] == []


def test_a_county_with_only_the_required_tables_raises_no_problem(check, clean):
    required = {name: clean[name] for name in ("schools", "school_years")}
    assert check(required) == ()


def test_empty_tables_raise_no_problem(check, clean):
    assert check({name: [] for name in clean}) == ()


def test_each_rule_stands_once_in_the_list():
    assert len(set(RULES)) == len(RULES)
