"""Variance of teachers and schools: planted components recovered, refusals."""

import numpy as np
import pytest

from tests.effects.teacher_samples import draw_pupils, draw_teachers
from toolkit.effects.teacher_variance import study_teacher_variance
from toolkit.indicators.teacher_cells import collect_teacher_cells


def decomposed(seed, *, moving, n_schools=30):
    rng = np.random.default_rng(seed)
    place, added, _ = draw_teachers(rng, n_schools, moving=moving, teacher_sd=0.2)
    of_school = 0.15 * rng.standard_normal(n_schools)
    # Pupils of equal ability: nothing but the planted school effect differs between schools.
    pupils = draw_pupils(rng, place, added, extra=of_school[place], school_sd=0.0, year_sd=0.0)
    return study_teacher_variance(collect_teacher_cells("990100", pupils), "primary")


def test_planted_variances_are_recovered_where_uncorrected_ones_are_too_large():
    found = [decomposed(seed, moving=0.2).table.set_index("component") for seed in range(3)]
    corrected = np.mean([one["leave_out"] for one in found], axis=0)
    plug_in = np.mean([one["plug_in"] for one in found], axis=0)
    assert corrected[0] == pytest.approx(0.04, abs=0.008)
    assert corrected[1] == pytest.approx(0.0225, abs=0.008)
    assert plug_in[0] > corrected[0]
    assert plug_in[1] > corrected[1]


def test_without_movers_nothing_is_decomposed():
    study = decomposed(9, moving=0.0)
    assert study.is_refused
    assert study.guard.codes == ("teacher_school_no_movers",)
    assert study.table.empty


def test_few_teachers_are_refused():
    assert decomposed(10, moving=0.2, n_schools=5).guard.codes == ("variance_few_teachers",)


def test_the_account_of_schools_adds_up():
    account = decomposed(11, moving=0.1).connected.set_index("step")
    losses = account.drop(index=["given", "kept"]).sum()
    assert (account.loc["given", ["rows", "schools"]] - losses[["rows", "schools"]]).tolist() == (
        account.loc["kept", ["rows", "schools"]].tolist()
    )
