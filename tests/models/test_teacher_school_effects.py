"""Teacher and school effects: dense algebra, two programs, known truths, invariances and refusals."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.models.mover_panel import dense_decomposition, rows_kept, simulate_movers
from toolkit.errors import DesignError
from toolkit.models.category_effects import remove_category_effects
from toolkit.models.connected_sets import find_linked_sets
from toolkit.models.leave_out_variance import correct_variances, units_left_out
from toolkit.models.leverages import compute_leverages
from toolkit.models.school_system import build_school_system
from toolkit.models.teacher_matches import collapse_to_matches
from toolkit.models.teacher_school_effects import (
    COMPONENTS,
    decompose_teacher_school_variance,
    estimate_teacher_school_effects,
)
from toolkit.vocabulary import label, sentence

ORACLE = Path(__file__).parents[1] / "oracles" / "leave_out"
THREE = [0, 2, 1]
SE_TOLERANCE = 0.05
N_DRAWS = 100


def decompose(panel, **options):
    return decompose_teacher_school_variance(panel.outcome, panel.teacher, panel.school, **options)


def linked_sets(panel, **options):
    return find_linked_sets(collapse_to_matches(panel.outcome, panel.teacher, panel.school), **options)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("options", [{}, {"link": "match"}, {"sets": "all"}])
@pytest.mark.parametrize("leave_out", ["match", "observation"])
def test_equals_dense_algebra_with_blocks_left_out_one_by_one(seed, options, leave_out):
    panel = simulate_movers(seed=seed, far=0.0 if seed == 1 else 0.2)
    found = decompose(panel, leave_out=leave_out, std_errors=False, **options)
    _, plug_in, corrected = dense_decomposition(panel, linked_sets(panel, **options), leave_out)
    assert found.exact_leverages
    assert found.plug_in[THREE] == pytest.approx(plug_in, rel=1e-10)
    assert found.leave_out[THREE] == pytest.approx(corrected, rel=1e-9, abs=1e-12)


def test_effects_equal_dense_least_squares():
    panel = simulate_movers(seed=4)
    linked = linked_sets(panel)
    fit = estimate_teacher_school_effects(linked)
    kept = rows_kept(panel, linked)
    fitted, plug_in, _ = dense_decomposition(panel, linked, "match")
    teacher = np.searchsorted(fit.teachers, panel.teacher[kept])
    school = np.searchsorted(fit.schools, panel.school[kept])
    assert fit.teacher_effects[teacher] + fit.school_effects[school] == pytest.approx(fitted, abs=1e-10)
    assert fit.school_effects[school].mean() == pytest.approx(0, abs=1e-12)
    assert fit.plug_in == pytest.approx(plug_in, rel=1e-10)
    assert list(fit.tidy()["school"]) == list(fit.schools)


@pytest.mark.parametrize("leave_out", ["match", "observation"])
def test_projected_leverages_agree_with_exact_ones(leave_out):
    panel = simulate_movers(200, 5, 12, seed=2)
    linked = linked_sets(panel)
    matches = linked.matches.centred(linked.set_of_school[linked.matches.school])
    found = []
    for largest in (100, 0):
        system = build_school_system(matches, linked.set_of_school, largest)
        units = units_left_out(system, leave_out)
        leverages = compute_leverages(system, units, 4000, np.random.default_rng(1))
        effects = system.fit(matches.total, 1e-12)
        found.append((leverages, *correct_variances(system, *effects, leverages)))
    (exact, plug_in, corrected), (drawn, same, near) = found
    assert same == pytest.approx(plug_in, rel=1e-9)
    assert drawn.inverse_rest == pytest.approx(exact.inverse_rest, rel=0.2)
    assert np.mean(drawn.inverse_rest / exact.inverse_rest) == pytest.approx(1, abs=0.004)
    assert drawn.squared_eigenvalues == pytest.approx(exact.squared_eigenvalues, rel=0.1)
    assert np.abs(near - corrected).max() < 0.02 * np.abs(plug_in - corrected).max()


def test_few_projections_are_not_biased_by_dividing_by_them():
    panel = simulate_movers(60, 4, 12, zone=12, move=0.2, seed=7)
    linked = linked_sets(panel)
    exact, drawn = (build_school_system(linked.matches, linked.set_of_school, largest) for largest in (50, 0))
    units = units_left_out(exact, "match")
    truth = compute_leverages(exact, units, 0, np.random.default_rng(0))
    draws = [compute_leverages(drawn, units, 12, np.random.default_rng(seed)) for seed in range(150)]
    for name in ("inverse_rest", "weight"):
        sample = np.array([getattr(each, name) for each in draws]).sum(axis=1)
        error = sample.std(axis=0) / np.sqrt(len(sample))
        assert (np.abs(sample.mean(axis=0) - getattr(truth, name).sum(axis=0)) < 4 * error).all()


def frozen(program):
    return json.loads((ORACLE / f"{program}.json").read_text(encoding="utf-8"))["results"]


def oracle_decomposition(panel, leave_out, **options):
    table = pd.read_csv(ORACLE / "panels.csv.gz")
    own = table[table["panel"] == panel]
    return decompose_teacher_school_variance(own["y"], own["i"], own["j"], leave_out=leave_out, **options)


@pytest.mark.parametrize("reference", [each for each in frozen("pytwoway") if each["panel"] != "sparse"])
def test_equals_pytwoway_with_exact_leverages_and_traces(reference):
    # In the panel "sparse" pytwoway keeps rows of teachers that this module leaves out: another sample.
    found = oracle_decomposition(reference["panel"], "observation", std_errors=False)
    assert int(found.linked.matches.n.sum()) == reference["rows"]
    assert found.plug_in[-1] == pytest.approx(reference["var(y)"], rel=1e-10)
    assert found.plug_in[1] == pytest.approx(reference["var(psi)_fe"], rel=1e-9)
    assert found.plug_in[2] == pytest.approx(reference["cov(psi, alpha)_fe"], rel=1e-8)
    assert found.leave_out[1] == pytest.approx(reference["var(psi)_he"], rel=1e-9)


@pytest.mark.parametrize("reference", frozen("hdfe_stream"))
def test_agrees_with_hdfe_stream_within_the_error_of_its_projections(reference):
    found = oracle_decomposition(reference["panel"], reference["leave_out"])
    kept = found.linked.matches
    levels = {"i": len(kept.teachers), "j": len(kept.schools)}
    assert levels == reference["levels"]
    names = ("var(alpha)", "var(psi)", "cov(psi, alpha)")
    # It divides by rows less one.
    divisor = reference["rows"] / (reference["rows"] - 1)
    plug_in = np.array([reference["plug_in"][name] for name in names])
    assert found.plug_in[:3] * divisor == pytest.approx(plug_in, rel=1e-9)
    estimate = np.array([reference["estimate"][name] for name in names])
    assert np.abs(found.leave_out[:3] * divisor - estimate).max() < 0.02 * np.abs(estimate - plug_in).max()
    std_error = np.array([reference["std_error"][name] for name in names])
    # In "sparse" few matches carry the estimate, and their own error variances are not those of their class.
    known = np.isfinite(std_error) & (reference["panel"] != "sparse")
    assert found.std_error[:3][known] == pytest.approx(std_error[known], rel=SE_TOLERANCE)
    assert found.largest_eigenvalue_share == pytest.approx(reference["largest_eigenvalue_share"], rel=0.1)


def test_corrects_the_true_variances_without_bias_where_the_plug_in_is_biased():
    panel = simulate_movers(150, 4, 10, zone=10, move=0.25, seed=11)
    linked = linked_sets(panel)
    matches = linked.matches
    signal = panel.teacher_effect[panel.teacher] + panel.school_effect[panel.school]
    rng = np.random.default_rng(5)
    estimates, plug_ins, errors = [], [], []
    for seed in range(N_DRAWS):
        noise = rng.normal(0, 0.4, len(signal)) * (0.5 + (panel.teacher % 3) / 2)
        found = decompose_teacher_school_variance(signal + noise, panel.teacher, panel.school, seed=seed)
        estimates.append(found.leave_out[:3])
        plug_ins.append(found.plug_in[:3])
        errors.append(found.std_error[:3])
    teacher = panel.teacher_effect[matches.teachers[matches.teacher]]
    school = panel.school_effect[matches.schools[matches.school]]
    joint = np.cov(teacher, school, fweights=matches.n.astype(int), bias=True)
    truth = np.array([joint[0, 0], joint[1, 1], joint[0, 1]])
    spread = np.std(estimates, axis=0)
    monte_carlo = spread / np.sqrt(N_DRAWS)
    assert (np.abs(np.mean(estimates, axis=0) - truth) < 4 * monte_carlo).all()
    assert (np.abs(np.mean(plug_ins, axis=0) - truth) > 4 * monte_carlo).all()
    # Classes of error variances make standard errors a little too large where variances differ by teacher.
    ratio = np.sqrt(np.mean(np.square(errors), axis=0)) / spread
    assert ((ratio > 0.85) & (ratio < 1.3)).all()


def test_correlated_errors_of_a_match_need_the_match_left_out():
    panel = simulate_movers(300, 6, 8, zone=8, move=0.2, seed=3)
    rng = np.random.default_rng(8)
    signal = panel.teacher_effect[panel.teacher] + panel.school_effect[panel.school]
    match = np.unique(panel.teacher * 100 + panel.school, return_inverse=True)[1]
    found = {"match": [], "observation": []}
    for _ in range(30):
        errors = rng.normal(0, 0.5, match.max() + 1)[match] + rng.normal(0, 0.2, len(match))
        for leave_out, values in found.items():
            result = decompose_teacher_school_variance(
                signal + errors, panel.teacher, panel.school, leave_out=leave_out, std_errors=False
            )
            values.append(result.leave_out[1])
    truth = np.var(panel.school_effect[panel.school])
    by_match = np.array(found["match"]) - truth
    too_much = np.array(found["observation"]) - found["match"]
    assert abs(by_match.mean()) < 4 * by_match.std() / np.sqrt(30)
    assert too_much.mean() > 8 * too_much.std() / np.sqrt(30)


@pytest.mark.parametrize("leave_out", ["match", "observation"])
def test_does_not_depend_on_labels_order_of_rows_or_a_constant(leave_out):
    panel = simulate_movers(seed=6)
    order = np.random.default_rng(1).permutation(len(panel.outcome))
    names = np.array([f"t{each:03d}" for each in panel.teacher])
    before = panel.outcome.copy()
    found = decompose(panel, leave_out=leave_out)
    moved = decompose_teacher_school_variance(
        3 * panel.outcome[order] + 1000, names[order], panel.school[order], leave_out=leave_out
    )
    scale = np.array([9, 9, 9, 1, 9, 9])
    assert moved.leave_out == pytest.approx(scale * found.leave_out, rel=1e-8)
    assert moved.std_error == pytest.approx(scale * found.std_error, rel=1e-8, nan_ok=True)
    relabelled = decompose_teacher_school_variance(
        panel.outcome, -panel.teacher, 100 - panel.school, leave_out=leave_out, std_errors=False
    )
    assert relabelled.leave_out == pytest.approx(found.leave_out, rel=1e-9)
    assert (panel.outcome == before).all()


def test_each_part_of_the_variance_adds_up():
    table = decompose(simulate_movers(seed=2)).tidy().set_index("component")
    assert tuple(table.index) == COMPONENTS
    share = table["share"].drop(["teacher_school_correlation", "teacher_school_outcome_variance"])
    assert share.sum() == pytest.approx(1)
    assert all(label(name, language) for name in COMPONENTS for language in ("zh", "en"))


def test_separate_sets_give_the_mean_of_their_decompositions():
    first, second = simulate_movers(80, seed=1, far=0.3), simulate_movers(80, seed=2, far=0.3)
    joined = decompose_teacher_school_variance(
        np.concatenate([first.outcome, second.outcome + 5]),
        np.concatenate([first.teacher, second.teacher + 1000]),
        np.concatenate([first.school, second.school + 1000]),
        sets="all",
        std_errors=False,
    )
    own = [decompose(each, std_errors=False) for each in (first, second)]
    rows = [float(each.linked.matches.n.sum()) for each in own]
    expected = np.average([each.leave_out[:3] for each in own], axis=0, weights=rows)
    assert joined.leave_out[:3] == pytest.approx(expected, rel=1e-9)


def test_category_effects_equal_dense_least_squares():
    panel = simulate_movers(seed=9)
    rng = np.random.default_rng(2)
    year, subject = np.tile(np.arange(5), 60), rng.choice(["语文", "数学"], 300)
    outcome = panel.outcome + 0.3 * year + 0.5 * (subject == "数学")
    left = remove_category_effects(outcome, panel.teacher, panel.school, [year, subject])
    design = np.hstack([np.eye(5)[year], (subject == "数学")[:, None].astype(float)])
    effects = np.hstack([np.eye(60)[panel.teacher], np.eye(8)[panel.school]])
    slopes = np.linalg.lstsq(np.hstack([design, effects]), outcome, rcond=None)[0][:6]
    expected = outcome - (design @ slopes - (design @ slopes).mean())
    assert left == pytest.approx(expected, abs=1e-8)


def test_says_when_few_teachers_move_and_when_stayers_are_treated_by_row():
    panel = simulate_movers(40, 6, 8, zone=8, move=0.08, seed=5)
    found = decompose(panel, std_errors=False)
    names = {each.sentence for each in found.advice}
    assert {"teacher_school_few_movers", "teacher_school_stayers_by_row"} <= names
    for each in found.advice:
        assert sentence(each.sentence, "zh", **each.values) != sentence(each.sentence, "en", **each.values)


def test_panels_without_movers_or_without_a_second_link_are_refused():
    with pytest.raises(DesignError, match="没有一名教师在两所学校有记录"):
        decompose_teacher_school_variance([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [1, 1, 2, 2])
    with pytest.raises(DesignError, match="fewer than two schools"):
        decompose_teacher_school_variance([1.0, 2.0, 3.0, 4.0], [1, 1, 2, 2], [1, 2, 2, 2])
    with pytest.raises(ValueError, match="complete and finite"):
        decompose_teacher_school_variance([1.0, np.nan], [1, 1], [1, 2])
    with pytest.raises(ValueError, match="leave_out must be one of"):
        decompose(simulate_movers(), leave_out="teacher")
