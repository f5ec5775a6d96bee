"""Exhibits and findings on pupils linked to teachers: numbers traced, few persons withheld, refusals told."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.teacher_samples import draw_pupils, draw_teachers
from tests.reporting.traced import astray, untold
from toolkit.effects.rotation_movers import study_rotation_movers
from toolkit.effects.teacher_switch import study_teacher_switch
from toolkit.effects.teacher_variance import study_teacher_variance
from toolkit.figures.teacher_switch import plot_rotation_movers, plot_teacher_switch
from toolkit.indicators.teacher_cells import collect_teacher_cells
from toolkit.reporting.teacher_switch_findings import find_teachers
from toolkit.tables.export import export_table, load_exported_table, table_csv
from toolkit.tables.teacher_switch import (
    tabulate_rotation_movers,
    tabulate_teacher_linked_schools,
    tabulate_teacher_links,
    tabulate_teacher_persistence,
    tabulate_teacher_switch,
    tabulate_teacher_switch_design,
    tabulate_teacher_variance,
)

LEVEL = 0.95


def studied(*, linked=True):
    rng = np.random.default_rng(5)
    place, added, placed = draw_teachers(rng, 30, spells=True, moving=0.08)
    pupils = draw_pupils(rng, place, added)
    cells = collect_teacher_cells("990100", pupils if linked else pupils.assign(teacher=None))
    switch = study_teacher_switch(cells, placed)
    return cells, [switch], study_rotation_movers(cells, placed), [study_teacher_variance(cells, "primary")]


@pytest.fixture(scope="module")
def made():
    return studied()


@pytest.fixture(scope="module")
def refused():
    return studied(linked=False)


def tables(made, language):
    cells, switches, movers, variances = made
    return [
        tabulate_teacher_links(cells, language),
        tabulate_teacher_switch_design(switches, movers, language),
        tabulate_teacher_persistence(switches[0], language),
        tabulate_teacher_switch(switches, language),
        tabulate_rotation_movers(movers, language),
        tabulate_teacher_variance(variances, language),
        tabulate_teacher_linked_schools(variances, language),
    ]


def test_every_number_of_a_finding_stands_in_its_table_and_no_other_is_printed(made, tmp_path):
    for exhibit in tables(made, "zh"):
        export_table(exhibit, tmp_path)
    findings = find_teachers(*made[1:])
    assert {finding.id for finding in findings} == {
        "teacher_switch_primary",
        "teacher_switch_rotation_primary",
        "rotation_movers",
        "teacher_variance_primary",
    }
    path = {table.caption.key: tmp_path / f"{table.caption.key}.csv" for table in tables(made, "zh")}
    assert astray(findings, path.__getitem__) == []
    assert untold(findings, path.__getitem__, rules=(LEVEL,)) == []


def test_findings_say_that_predictions_hold_and_that_the_placebo_is_sound(made):
    found = {finding.id: finding for finding in find_teachers(*made[1:])}
    text = found["teacher_switch_primary"]
    assert "agrees with unbiased predictions" in text.en
    assert "前测成绩没有可辨别的变化" in text.zh
    assert "not told apart" in found["rotation_movers"].en


def test_a_placebo_that_moves_and_a_biased_slope_are_named(made):
    study = made[1][0]
    biased = study.table.assign(p_one=0.001, p_zero=0.001)
    changed = type(study)(
        study.stage, study.guard, biased, study.points, study.variances, study.coverage, LEVEL
    )
    text = find_teachers([changed], made[2], made[3])[0]
    assert "predictions are biased" in text.en
    assert "生源变化" in text.zh


def test_refusals_are_told_in_both_languages_and_tables_and_figures_say_so(refused):
    findings = find_teachers(*refused[1:])
    assert {finding.kind for finding in findings} == {"not_judged"}
    for finding in findings:
        assert "{" not in finding.zh + finding.en
        assert "任课教师" in finding.zh
    for language in ("zh", "en"):
        for exhibit in tables(refused, language):
            assert exhibit._repr_html_()
        assert plot_teacher_switch(refused[1][0], language).alt
        assert plot_rotation_movers(refused[2], language).alt
    design = tabulate_teacher_switch_design(refused[1], refused[2], "en")
    assert design.data["remark"].str.contains("carries the number of a teacher").any()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_exhibit_names_a_teacher_or_counts_a_few(made, language):
    for exhibit in tables(made, language):
        text = table_csv(exhibit)
        assert "T0" not in text
        assert "nan" not in text
    for figure in (plot_teacher_switch(made[1][0], language), plot_rotation_movers(made[2], language)):
        assert "nan" not in figure.alt
        assert figure.png if language == "zh" else figure.alt


def test_counts_of_persons_are_withheld_below_ten(made, tmp_path):
    cells, switches, movers, variances = made
    for exhibit, names in (
        (tabulate_teacher_switch(switches, "en"), ("n_moves", "n_teachers")),
        (tabulate_rotation_movers(movers, "en"), ("n_movers", "n_stayers")),
        (tabulate_teacher_persistence(switches[0], "en"), ("n_seen",)),
        (tabulate_teacher_linked_schools(variances, "en"), ("linked_teachers", "linked_movers")),
    ):
        file = export_table(exhibit, tmp_path)
        counts = load_exported_table(file.csv)[list(names)].to_numpy(dtype=float)
        assert not ((counts > 0) & (counts < 10)).any()
    assert cells.refusal is None


def test_a_small_loss_of_teachers_is_not_counted_out_nor_given_away(made):
    one = made[3][0]
    account = pd.DataFrame(
        {
            "step": ["given", "not_linked", "cut_teachers", "kept"],
            "rows": [400, 60, 12, 328],
            "teachers": [200, 30, 4, 166],
            "schools": [20, 3, 0, 17],
            "movers": [50, 0, 4, 46],
        }
    )
    changed = type(one)(one.stage, one.guard, one.table, account, one.advice, one.movers_per_school)
    data = tabulate_teacher_linked_schools([changed], "en").data
    assert np.isnan(data["linked_teachers"]).tolist() == [False, True, True, False]
    assert np.isnan(data["linked_movers"]).tolist() == [False, False, True, True]
