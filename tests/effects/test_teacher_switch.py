"""Teacher-switch design: known value added recovered, sorting shown, leave-out means by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.effects.teacher_samples import YEARS, draw_pupils, draw_teachers, make_cells
from toolkit.effects.guard import guard_sentence
from toolkit.effects.switch_changes import compute_switch_changes
from toolkit.effects.teacher_residuals import compute_teacher_residuals
from toolkit.effects.teacher_switch import study_teacher_switch
from toolkit.indicators.teacher_cells import collect_teacher_cells
from toolkit.models.blocked_regression import estimate_blocked_regression
from toolkit.models.teacher_value_added import predict_value_added

WINDOWS = {"compared": (-1, 0)}


@pytest.fixture(scope="module")
def switched():
    cells, added, placed = make_cells(3, n_schools=40, spells=True)
    return cells, added, placed, study_teacher_switch(cells, placed)


@pytest.mark.parametrize("window", ["compared", "neighbours_too"])
@pytest.mark.parametrize("source", ["all_moves", "rotation_moves"])
def test_scores_follow_real_value_added_one_to_one_and_earlier_scores_do_not(switched, window, source):
    study = switched[3]
    score, prior = (study.row(source, outcome, window=window) for outcome in ("score", "prior"))
    if source == "rotation_moves":
        assert abs(score["estimate"] - 1) < 0.4
        assert abs(prior["estimate"]) < 0.4
        assert np.isnan([score["std_error"], score["conf_low"], score["p_zero"]]).all()
        return
    assert abs(score["estimate"] - 1) < 4 * score["std_error"]
    assert score["p_zero"] < 0.001
    assert abs(prior["estimate"]) < 4 * prior["std_error"]
    assert score["std_error"] < 0.2


def test_a_prediction_that_uses_the_years_compared_is_not_unbiased():
    cells, _, _ = make_cells(4, n_schools=40, year_sd=0.2)
    residuals = compute_teacher_residuals(cells)
    found = compute_switch_changes(cells, residuals, windows={"none": (), "compared": (-1, 0)})
    slopes = {}
    for window, own in found.changes.groupby("window"):
        blocks = own.groupby(["year", "grade"]).ngroup().to_numpy()
        slopes[window] = estimate_blocked_regression(
            own["score"].to_numpy(), own["value_added"].to_numpy(), own["pupils"].to_numpy(), blocks
        ).estimate
    assert slopes["none"] > slopes["compared"] + 0.15


def test_sorting_of_better_pupils_to_better_teachers_shows_in_the_placebo():
    cells, _, _ = make_cells(5, n_schools=40, sorting=2.0)
    study = study_teacher_switch(cells)
    row = study.row("all_moves", "prior", window="compared")
    assert row["p_zero"] < 0.01
    assert row["estimate"] > 0.4


def test_teachers_who_follow_their_pupils_move_the_placebo_unless_those_of_the_year_before_are_held_fixed():
    rng = np.random.default_rng(32)
    place, added, _ = draw_teachers(rng, 50, moving=0.05, teacher_sd=0.3)
    pupils = draw_pupils(rng, place, added)
    number = pupils["teacher"].str[1:].astype(int).to_numpy()
    # Each year the two pairs of teachers of a school change grades or stay, at random.
    turned = rng.random((len(YEARS), 50)) < 0.5
    fifth = (number % 2 == 0) ^ turned[pupils["year"].to_numpy() - YEARS[0], number // 4]
    pupils = pupils.assign(grade=np.where(fifth, 5.0, 6.0), added=added[number])
    # Who taught grade 5 the year before is in the earlier scores of grade 6.
    below = pupils[fifth].groupby(["school", "year"])["added"].mean().rename("below").reset_index()
    joined = pupils.merge(below.assign(year=below["year"] + 1), on=["school", "year"], how="left")
    pupils["prior"] += np.where(fifth, np.nan, joined["below"].fillna(0.0).to_numpy())
    study = study_teacher_switch(collect_teacher_cells("990100", pupils))
    plain, given = (
        study.row("all_moves", outcome, window="compared") for outcome in ("prior", "prior_given")
    )
    assert plain["p_zero"] < 0.01
    assert abs(given["estimate"]) < 3 * given["std_error"]
    assert abs(given["estimate"]) < abs(plain["estimate"]) / 2


def test_rotation_alone_is_free_of_what_comes_with_other_moves():
    rng = np.random.default_rng(6)
    place, added, placed = draw_teachers(rng, 50, spells=True, moving=0.3)
    # Half of the moves are no rotation; what they bring is hidden by a worse class each time.
    rotating = placed["teacher_id"].str[1:].astype(int) % 2 == 0
    home = place[0]
    away = place != home
    extra = np.where(away & (np.arange(len(added)) % 2 == 1), -added, 0.0)
    pupils = draw_pupils(rng, place, added, extra=extra)
    cells = collect_teacher_cells("990100", pupils)
    study = study_teacher_switch(cells, placed[rotating])
    every, rotated = (study.row(source, "score") for source in ("all_moves", "rotation_moves"))
    assert every["estimate"] < 0.9
    assert rotated["estimate"] > every["estimate"] + 0.1
    assert rotated["n_moves"] < every["n_moves"]


def test_changes_and_leave_out_predictions_equal_those_by_hand():
    cells, _, placed = make_cells(7, n_schools=12, spells=True, moving=0.3)
    residuals = compute_teacher_residuals(cells)
    found = compute_switch_changes(cells, residuals, windows=WINDOWS, placed=placed)
    persistence = residuals.persistence["primary", "mathematics"]
    turned = {
        (row.teacher_id, school, year)
        for row in placed.itertuples()
        for school in (row.sending, row.receiving)
        for year in (row.first_year, row.last_year + 1)
    }
    rows = residuals.cells

    def predicted(teacher, year):
        own = rows[(rows["teacher"] == teacher) & ~rows["year"].isin([year - 1, year])]
        top = bottom = 0.0
        for _, of_year in own.groupby("year"):
            count = of_year["pupils"].sum()
            mean = (of_year["pupils"] * of_year["residual"]).sum() / count
            weight = 1 / (persistence.year_variance + persistence.pupil_variance / count)
            top, bottom = top + weight * mean, bottom + weight
        return top / (bottom + 1 / persistence.teacher_variance)

    checked = 0
    for change in found.changes.sample(12, random_state=1).to_dict("records"):
        year, sides = change["year"], []
        for when, other in ((year, year - 1), (year - 1, year)):
            school = cells.cells[cells.cells["school"] == change["school"]]
            own = school[(school["grade"] == change["grade"]) & (school["year"] == when)]
            there = set(school.loc[school["year"] == other, "teacher"])
            share = own["weight"] / own["weight"].sum()
            values = [predicted(teacher, year) for teacher in own["teacher"]]
            by_rotation = [
                teacher not in there and (teacher, change["school"], year) in turned
                for teacher in own["teacher"]
            ]
            sides.append(
                (
                    (share * own["score"]).sum(),
                    (own["prior_weight"] * own["prior"]).sum() / own["prior_weight"].sum(),
                    (share * values).sum(),
                    (share * values * by_rotation).sum(),
                )
            )
        below = cells.cells[(cells.cells["school"] == change["school"]) & (cells.cells["grade"] == 5)]
        means = []
        for when in (year - 1, year - 2):
            own = below[below["year"] == when]
            values = np.array([predicted(teacher, year) for teacher in own["teacher"]])
            means.append((own["weight"] * values).sum() / own["weight"].sum() if len(own) else np.nan)
        previous = means[0] - means[1] if change["grade"] == 6 else np.nan
        np.testing.assert_allclose(change["previous"], previous, rtol=1e-9, atol=1e-13)
        expected = np.subtract(*sides)
        names = ["score", "prior", "value_added", "rotated"]
        np.testing.assert_allclose([change[name] for name in names], expected, rtol=1e-10, atol=1e-13)
        checked += change["rotated"] != 0
    assert checked > 0


def test_shrinkage_makes_predictions_right_on_average_and_as_reliable_as_it_says():
    slopes, factors, variances = [], [], []
    for seed in range(2):
        cells, added, _ = make_cells(20 + seed, n_schools=40, teacher_sd=0.2, year_sd=0.1)
        residuals = compute_teacher_residuals(cells)
        persistence = residuals.persistence["primary", "mathematics"]
        predicted, known = predict_value_added(residuals.means, persistence, np.zeros(len(YEARS), dtype=bool))
        truth = added[residuals.posts["teacher"].str[1:].astype(int)]
        assert known.all()
        slopes.append(np.polyfit(predicted, truth, 1)[0])
        factors.append(
            (np.corrcoef(predicted, truth)[0, 1] ** 2, persistence.reliability(residuals.means.pupils).mean())
        )
        variances.append((persistence.teacher_variance / added.var(), np.sqrt(persistence.year_variance)))
    assert np.mean(slopes) == pytest.approx(1, abs=0.06)
    assert np.diff(np.mean(factors, axis=0))[0] == pytest.approx(0, abs=0.05)
    assert np.mean(variances, axis=0) == pytest.approx([1, 0.1], abs=0.1)


def test_neither_row_order_nor_labels_nor_the_level_of_a_test_matter_and_inputs_stay():
    cells, _, placed = make_cells(8, n_schools=14, spells=True)
    first = study_teacher_switch(cells, placed)
    rng = np.random.default_rng(0)
    changed = cells.cells.sample(frac=1, random_state=2).reset_index(drop=True)
    changed = changed.assign(
        teacher="X" + changed["teacher"].str[::-1],
        school="Q" + changed["school"].str[::-1],
    )
    level = dict(zip(YEARS, rng.normal(size=len(YEARS)), strict=True))
    for name in ("score", "prior_known_score"):
        changed[name] = changed[name] + changed["year"].map(level)
    relabelled = placed.assign(
        teacher_id="X" + placed["teacher_id"].str[::-1],
        sending="Q" + placed["sending"].str[::-1],
        receiving="Q" + placed["receiving"].str[::-1],
    )
    copy = cells.cells.copy()
    again = study_teacher_switch(type(cells)(cells.county_id, changed, cells.coverage), relabelled)
    pd.testing.assert_frame_equal(cells.cells, copy)
    numbers = first.table.columns.drop(["window", "source", "outcome", "refusal"])
    np.testing.assert_allclose(
        again.table[numbers].to_numpy(float), first.table[numbers].to_numpy(float), rtol=1e-8, atol=1e-10
    )


def test_the_regression_in_blocks_equals_that_on_dummies():
    rng = np.random.default_rng(9)
    n, blocks = 60, np.arange(60) % 5
    z, weights = rng.normal(size=n), rng.uniform(1, 5, n)
    x = z + rng.normal(size=n) + blocks
    y = 0.7 * x + blocks + rng.normal(size=n)
    root, held = np.sqrt(weights)[:, None], rng.normal(size=n) + x / 2
    for instrument, control in ((None, None), (z, None), (None, held), (z, held)):
        dummies = np.column_stack([np.eye(5)[blocks], *([] if control is None else [control])])
        inside = np.column_stack([x if instrument is None else z, dummies])
        design = np.column_stack([x, dummies])
        expected = np.linalg.solve((root * inside).T @ (root * design), (root * inside).T @ (root[:, 0] * y))
        found = estimate_blocked_regression(y, x, weights, blocks, instrument, control)
        assert found.estimate == pytest.approx(expected[0], rel=1e-10)
        assert found.loads @ y == pytest.approx(found.estimate)
        residual = y - design @ expected
        np.testing.assert_allclose(found.contributions, found.loads * residual, atol=1e-12)


def test_standard_errors_are_those_of_the_sandwich_by_school_and_shared_mover():
    cells, _, _ = make_cells(16, n_schools=15)
    both = compute_switch_changes(cells, compute_teacher_residuals(cells), windows=WINDOWS)
    own = both.changes[both.changes["known_share"] >= 0.75].reset_index(drop=True)
    dummies = pd.get_dummies(own["year"].astype(str) + own["grade"].astype(str)).to_numpy(dtype=float)
    design = np.column_stack([own["value_added"], dummies])
    weights = own["pupils"].to_numpy()
    bread = np.linalg.inv(design.T @ (weights[:, None] * design))
    slopes = bread @ design.T @ (weights * own["score"].to_numpy())
    scores = design * (weights * (own["score"].to_numpy() - design @ slopes))[:, None]
    sums = pd.DataFrame(scores).groupby(own["school"]).sum().to_numpy()
    variance = (bread @ sums.T @ sums @ bread)[0, 0] * len(sums) / (len(sums) - 1)
    keys = own[["school", "grade", "year"]].apply(tuple, axis=1).tolist()
    movers = both.moves.groupby(["school", "grade", "year"])["teacher"].agg(set).to_dict()
    added = (scores @ bread)[:, 0]
    crossed = sum(
        added[one] * added[other]
        for one, key in enumerate(keys)
        for other, second in enumerate(keys)
        if key[0] != second[0] and movers.get(key, set()) & movers.get(second, set())
    )
    variance += max(crossed, 0)
    row = study_teacher_switch(cells).row("all_moves", "score", window="compared")
    assert row["estimate"] == pytest.approx(slopes[0], rel=1e-9)
    assert row["std_error"] == pytest.approx(np.sqrt(variance), rel=1e-9)
    half = stats.t.ppf(0.975, row["degrees"]) * row["std_error"]
    assert row["conf_high"] - row["estimate"] == pytest.approx(half)
    assert row["p_one"] == pytest.approx(
        2 * stats.t.sf(abs(row["estimate"] - 1) / row["std_error"], row["degrees"])
    )


@pytest.mark.slow
def test_intervals_cover_one_in_nineteen_of_twenty_draws():
    inside = []
    for seed in range(150):
        cells, _, _ = make_cells(1000 + seed, n_schools=30)
        row = study_teacher_switch(cells).row("all_moves", "score")
        inside.append(row["conf_low"] <= 1 <= row["conf_high"])
    # Three Monte Carlo standard errors of 150 draws.
    assert abs(np.mean(inside) - 0.95) <= 3 * np.sqrt(0.95 * 0.05 / len(inside))


def test_a_grade_tested_in_one_year_alone_cannot_be_used():
    rng = np.random.default_rng(10)
    place, added, _ = draw_teachers(rng, 12)
    pupils = draw_pupils(rng, place, added)
    single = pupils[(pupils["grade"] == 5) | (pupils["year"] == YEARS[3])]
    cells = collect_teacher_cells("990100", single)
    found = compute_switch_changes(cells, compute_teacher_residuals(cells), windows=WINDOWS)
    assert set(found.changes["grade"]) == {5.0}


def test_scores_without_earlier_ones_are_outcomes_and_give_no_value_added():
    rng = np.random.default_rng(11)
    place, added, _ = draw_teachers(rng, 20)
    pupils = draw_pupils(rng, place, added)
    without = pupils.assign(prior=pupils["prior"].mask(pupils["grade"] == 5))
    cells = collect_teacher_cells("990100", without)
    residuals = compute_teacher_residuals(cells)
    assert set(residuals.cells["grade"]) == {6.0}
    study = study_teacher_switch(cells)
    score, prior = (study.row("all_moves", outcome) for outcome in ("score", "prior"))
    assert score["n_changes"] > prior["n_changes"] > 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"teacher": None}, "teacher_links_none"),
        ({"prior": np.nan}, "teacher_priors_none"),
    ],
)
def test_without_links_or_earlier_scores_nothing_is_estimated(change, code):
    rng = np.random.default_rng(12)
    place, added, placed = draw_teachers(rng, 12, spells=True)
    cells = collect_teacher_cells("990100", draw_pupils(rng, place, added).assign(**change))
    study = study_teacher_switch(cells, placed)
    assert study.is_refused
    assert study.guard.codes == (code,)
    assert "{" not in guard_sentence(study.guard.findings[0], "zh")


def test_few_links_are_refused_with_their_share():
    rng = np.random.default_rng(13)
    place, added, _ = draw_teachers(rng, 12)
    pupils = draw_pupils(rng, place, added)
    half = pupils.assign(teacher=pupils["teacher"].mask(pupils["school"] < "S06"))
    study = study_teacher_switch(collect_teacher_cells("990100", half))
    assert study.guard.codes == ("teacher_links_few",)
    share = half["teacher"].notna().mean()
    assert f"{100 * share:.1f}%" in guard_sentence(study.guard.findings[0], "en")


def test_without_value_added_that_lasts_nothing_is_estimated():
    cells, _, _ = make_cells(17, n_schools=8, teacher_sd=0.0, year_sd=0.0, size=5)
    persistence = compute_teacher_residuals(cells).persistence["primary", "mathematics"]
    assert abs(persistence.teacher_variance) < 0.01
    few = cells.cells[cells.cells["teacher"] < "T008"]
    refused = study_teacher_switch(type(cells)("990100", few, cells.coverage))
    assert refused.guard.codes == ("switch_no_signal",)


def test_rows_of_rotation_without_spells_say_so():
    cells, _, _ = make_cells(14, n_schools=12)
    study = study_teacher_switch(cells)
    assert "switch_without_spells" in study.guard.codes
    assert study.row("rotation_moves", "score")["refusal"] == "switch_row_few_moves"
    assert np.isnan(study.row("rotation_moves", "score")["estimate"])


def test_value_added_that_is_the_schools_is_pointed_out():
    rng = np.random.default_rng(15)
    place, _, _ = draw_teachers(rng, 30, moving=0.25)
    of_school = 0.3 * rng.standard_normal(30)
    pupils = draw_pupils(rng, place, np.zeros(place.shape[1]), extra=of_school[place])
    study = study_teacher_switch(collect_teacher_cells("990100", pupils))
    assert "switch_school_part" in study.guard.codes
