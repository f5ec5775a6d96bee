"""Movers beside matched stayers: regression to the mean, planted effects, small counts withheld."""

import numpy as np
import pandas as pd
import pytest

from tests.effects.teacher_samples import YEARS, draw_pupils, draw_teachers
from toolkit.effects.guard import guard_sentence
from toolkit.effects.rotation_movers import _without_small_rests, study_rotation_movers
from toolkit.effects.teacher_residuals import compute_teacher_residuals
from toolkit.indicators.teacher_cells import collect_teacher_cells
from toolkit.models.matched_stayers import match_stayers

MOVE = 3
"""Position of the year in which all movers move."""


def chosen_for_good_years(seed, *, effect=0.0, n_schools=60, n_movers=60, last=None):
    """Return cells and spells of those who had done best, who move once; the move changes what they add."""
    rng = np.random.default_rng(seed)
    place, added, _ = draw_teachers(rng, n_schools, moving=0.0, teacher_sd=0.1)
    luck = 0.25 * rng.standard_normal(place.shape)
    score = added + luck[:MOVE].mean(axis=0)
    movers = np.argsort(-score)[: 2 * n_movers : 2]
    place = place.copy()
    place[MOVE:, movers] = place[MOVE:, np.roll(movers, 1)]
    extra = luck.copy()
    extra[MOVE:, movers] += effect
    pupils = draw_pupils(rng, place, added, year_sd=0.0, extra=extra)
    placed = pd.DataFrame(
        {
            "teacher_id": [f"T{number:03d}" for number in movers],
            "stage": "primary",
            "sending": "",
            "receiving": "",
            "first_year": pd.array([YEARS[MOVE]] * n_movers, dtype="Int64"),
            "last_year": pd.array([YEARS[-1] if last is None else last] * n_movers, dtype="Int64"),
            "share": 1.0,
            "reason": "rotation_used",
            "direction": np.where(np.arange(n_movers) % 2 == 0, "down", "up"),
        }
    )
    return collect_teacher_cells("990100", pupils), placed


def row_of(study, period, *, direction="all_directions", since=np.nan):
    own = study.table[(study.table["direction"] == direction) & (study.table["period"] == period)]
    own = own[own["since"].isna()] if np.isnan(since) else own[own["since"] == since]
    return own.iloc[0]


def test_those_chosen_for_good_years_fall_back_and_so_do_the_stayers_who_did_as_well():
    cells, placed = chosen_for_good_years(1)
    study = study_rotation_movers(cells, placed)
    before, after = row_of(study, "before"), row_of(study, "after")
    assert before["movers"] > after["movers"] + 0.03
    assert before["stayers"] > after["stayers"] + 0.03
    assert abs(before["difference"]) < 0.02
    assert abs(after["difference"]) < 4 * after["std_error"]
    assert after["std_error"] < 0.06


def test_what_the_move_changes_is_the_difference():
    cells, placed = chosen_for_good_years(2, effect=-0.2)
    study = study_rotation_movers(cells, placed)
    after = row_of(study, "after")
    assert abs(after["difference"] + 0.2) < 4 * after["std_error"]
    assert after["conf_high"] < 0
    down, up = (row_of(study, "after", direction=name) for name in ("down", "up"))
    assert down["n_movers"] + up["n_movers"] == after["n_movers"]
    mean = np.average([down["difference"], up["difference"]], weights=[down["n_movers"], up["n_movers"]])
    assert mean == pytest.approx(after["difference"])


@pytest.mark.slow
def test_differences_of_a_draw_vary_as_their_standard_errors_say():
    found = []
    for seed in range(60):
        after = row_of(
            study_rotation_movers(*chosen_for_good_years(50 + seed, n_schools=40, n_movers=30)), "after"
        )
        found.append((after["difference"], after["std_error"]))
    differences, errors = np.array(found).T
    assert abs(differences.mean()) < 4 * errors.mean() / np.sqrt(len(found))
    assert 0.8 < errors.mean() / differences.std(ddof=1) < 1.25


def test_years_after_the_spell_has_ended_do_not_count():
    study = study_rotation_movers(*chosen_for_good_years(3, last=YEARS[MOVE]))
    assert row_of(study, "after", since=0)["refusal"] == ""
    assert row_of(study, "after", since=1)["refusal"] == "movers_row_few"


def test_means_of_one_year_equal_those_of_the_matched_sets_by_hand():
    cells, placed = chosen_for_good_years(4, n_schools=40, n_movers=20)
    residuals = compute_teacher_residuals(cells)
    values = residuals.means.residuals
    teachers = residuals.posts["teacher"].tolist()
    movers = [teachers.index(name) for name in placed["teacher_id"]]
    stayers = [row for row, name in enumerate(teachers) if name not in set(placed["teacher_id"])]
    pupils = residuals.means.pupils
    level = (values * pupils)[:, :MOVE].sum(axis=1) / pupils[:, :MOVE].sum(axis=1)
    reach = 0.25 * level[stayers].std()
    pairs = []
    for mover in movers:
        near = sorted(stayers, key=lambda row: abs(level[row] - level[mover]))[:5]
        near = [row for row in near if abs(level[row] - level[mover]) <= reach]
        if near:
            pairs.append((values[mover, MOVE + 1], values[near, MOVE + 1].mean()))
    study = study_rotation_movers(cells, placed)
    row = row_of(study, "after", since=1)
    assert row["n_movers"] == len(pairs) >= 10
    assert [row["movers"], row["stayers"]] == pytest.approx(np.mean(pairs, axis=0).tolist(), rel=1e-10)


def test_stayers_are_of_the_same_kind_and_seen_in_as_many_years():
    values = np.full((5, 5), 0.1)
    values[2, 0] = np.nan
    sets = match_stayers(
        values + np.arange(5)[:, None] / 100,
        np.ones((5, 5)),
        first=np.array([3.0, np.nan, np.nan, np.nan, np.nan]),
        last=np.full(5, np.nan),
        stays=np.array([False, True, True, True, True]),
        kind=np.array([0, 0, 0, 1, 0]),
        before=3,
        after=2,
        matches=5,
        caliper=10.0,
    )
    assert sets.stayers[0][sets.is_match[0]].tolist() == [1, 4]
    assert np.isnan(sets.values[0, 3:]).all()


def test_a_count_that_would_follow_from_the_others_is_withheld_too():
    counts = {"all_directions": 40, "down": 20, "level": 15, "up": 5}
    table = pd.DataFrame(
        {
            "direction": list(counts),
            "period": "after",
            "since": 0.0,
            **dict.fromkeys(["movers", "stayers", "difference", "std_error", "degrees"], 0.1),
            **dict.fromkeys(["conf_low", "conf_high", "p_value"], 0.1),
            "n_movers": list(counts.values()),
            "n_stayers": 30,
            "refusal": ["", "", "", "movers_row_few"],
        }
    )
    found = _without_small_rests(table).set_index("direction")
    assert found["refusal"].tolist() == ["", "", "movers_row_few", "movers_row_few"]
    assert np.isnan(found.loc["level", "movers"])


def test_without_spells_or_with_few_movers_nothing_is_compared():
    cells, placed = chosen_for_good_years(5, n_schools=20, n_movers=12)
    nothing = study_rotation_movers(cells, placed.head(0))
    assert nothing.guard.codes == ("movers_no_spells",)
    few = study_rotation_movers(cells, placed.head(4))
    assert few.guard.codes == ("movers_few",)
    assert few.table.empty
    assert f"Only {few.n_matched} movers" in guard_sentence(few.guard.findings[0], "en")


def test_neither_row_order_nor_labels_matter():
    cells, placed = chosen_for_good_years(6, n_schools=30, n_movers=20)
    first = study_rotation_movers(cells, placed)
    mixed = cells.cells.sample(frac=1, random_state=3).reset_index(drop=True)
    mixed = mixed.assign(school="Z" + mixed["school"])
    again = study_rotation_movers(
        type(cells)(cells.county_id, mixed, cells.coverage), placed.sample(frac=1, random_state=1)
    )
    numbers = ["movers", "stayers", "difference", "std_error"]
    np.testing.assert_allclose(again.table[numbers].to_numpy(), first.table[numbers].to_numpy(), atol=1e-10)
