"""Intake and enrolment as outcomes of the event study, in one table."""

import numpy as np
import pytest

from tests.effects.samples import YEARS, make_study, make_units, never
from toolkit.effects.adoption_data import AdoptionData
from toolkit.effects.event_study import EventStudySettings, estimate_event_study
from toolkit.effects.intake import INTAKE_OUTCOMES, TABLE_COLUMNS, estimate_intake
from toolkit.effects.sample_rules import SampleRules
from toolkit.vocabulary import has_sentence, has_term

SETTINGS = EventStudySettings(anticipation=1, n_draws=199)
DATES = [year for group in range(6) for year in [(2020, 2022)[group % 2]] * 2]
GROUPS = [f"集团{group}" for group in range(6) for _ in range(2)] + [""] * 20


def data_of(rng, *, noise=0.02, growth=0.1, prior=0.05):
    """Return data in which joining raises enrolment, entrants and prior score, and no shares are known."""
    units = make_units([*DATES, *never(20)], groups=GROUPS)
    after = np.array(YEARS) >= units["adoption_year"].fillna(np.inf).to_numpy()[:, None]
    enrolment = 100 * np.exp(rng.normal(size=(32, 1)) + noise * rng.normal(size=after.shape) + growth * after)
    study = make_study(
        units, enrolment=enrolment, new_entrants=enrolment / 6,
        prior_score=prior * after + noise * rng.normal(size=after.shape),
        migrant_share=np.full(after.shape, np.nan), left_behind_share=np.full(after.shape, np.nan),
    )  # fmt: skip
    return AdoptionData((study,))


def averages(found):
    return found.table[found.table["event_time"].isna()].set_index("outcome")


def test_planted_effects_on_intake_and_enrolment_come_back():
    found = averages(
        estimate_intake(data_of(np.random.default_rng(0), noise=1e-9), SETTINGS, stage="primary")
    )
    assert found.at["log_enrolment", "effect"] == pytest.approx(0.1, abs=1e-6)
    assert found.at["log_new_entrants", "effect"] == pytest.approx(0.1, abs=1e-6)
    assert found.at["prior_score", "effect"] == pytest.approx(0.05, abs=1e-6)


def test_the_table_holds_event_times_and_the_average_of_the_event_study():
    data = data_of(np.random.default_rng(1))
    found = estimate_intake(data, SETTINGS, stage="primary")
    assert found.table.columns.tolist() == TABLE_COLUMNS
    sample = data.sample(stage="primary", outcome="prior_score")
    study = estimate_event_study(sample, SETTINGS)
    rows = found.table[found.table["outcome"] == "prior_score"]
    assert rows["event_time"].tolist()[:-1] == study.table["event_time"].tolist()
    assert rows["effect"].tolist()[:-1] == study.table["effect"].tolist()
    average = rows.iloc[-1]
    assert average["effect"] == pytest.approx(study.average.effect)
    assert average["std_error"] == pytest.approx(study.average.std_error)
    assert average["conf_high"] == pytest.approx(study.average.conf_high)
    adopters = np.isfinite(sample.cohorts)
    early = sample.outcomes[adopters][:, np.isin(sample.periods, sample.baseline_years)].mean(axis=1)
    assert average["baseline_mean"] == pytest.approx(np.average(early, weights=sample.weights[adopters]))
    assert (average["n_adopters"], average["n_comparison"]) == (12, 20)


def test_outcomes_without_data_are_rows_with_their_code():
    found = estimate_intake(data_of(np.random.default_rng(2)), SETTINGS, stage="primary")
    rows = averages(found)
    assert rows.index.tolist() == list(INTAKE_OUTCOMES)
    assert rows.loc[["migrant_share", "left_behind_share"], "refusal"].tolist() == ["intake_no_data"] * 2
    assert set(found.refusals) == {"migrant_share", "left_behind_share"}
    assert (averages(found).loc[list(found.studies), "refusal"] == "").all()


def test_a_design_that_identifies_nothing_refuses_every_outcome():
    study = make_study(make_units([2020, 2020, *never(5)]), prior_score=np.zeros((7, len(YEARS))))
    found = estimate_intake(AdoptionData((study,)), SETTINGS, stage="primary")
    codes = averages(found)["refusal"]
    assert codes["prior_score"] == codes["log_enrolment"] == "guard_too_few_clusters"
    assert found.studies == {}


def test_the_averages_are_adjusted_as_a_family():
    rows = averages(estimate_intake(data_of(np.random.default_rng(3)), SETTINGS, stage="primary"))
    known = rows[rows["refusal"] == ""]
    assert (known["p_adjusted"] >= known["p_value"]).all()
    alone = averages(
        estimate_intake(
            data_of(np.random.default_rng(3)), SETTINGS, stage="primary", outcomes=("prior_score",)
        )
    )
    assert known.at["prior_score", "p_adjusted"] >= alone.at["prior_score", "p_adjusted"]


def test_the_own_baseline_is_no_covariate_of_enrolment():
    found = estimate_intake(
        data_of(np.random.default_rng(4)), SETTINGS, stage="primary", rules=SampleRules(role="any")
    )
    assert found.studies["log_enrolment"].sample.covariate_names == ()
    assert found.studies["prior_score"].sample.covariate_names == ("log_enrolment",)


def test_codes_are_in_the_vocabulary():
    assert [name for name in INTAKE_OUTCOMES if not has_term(name)] == []
    assert has_sentence("intake_no_data")
