"""The effect of joining set beside what its moves of teachers would do."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from toolkit.effects import rotation_channel
from toolkit.effects.adoption_study import StudySettings
from toolkit.effects.sample_rules import DEFAULT_RULES


def joined(effect, std_error):
    average = SimpleNamespace(effect=effect, std_error=std_error, degrees=12.0)
    interval = SimpleNamespace(conf_low=effect - 2 * std_error, conf_high=effect + 2 * std_error)
    return SimpleNamespace(event_study=SimpleNamespace(average=average), interval=interval)


REFUSED = SimpleNamespace(
    event_study=None, guard=SimpleNamespace(findings=[SimpleNamespace(code="guard_no_adopters")])
)


def flows(is_refused=False):
    return SimpleNamespace(
        sample=SimpleNamespace(stage="primary"),
        settings=SimpleNamespace(flows=("backbone_inflow", "backbone_outflow", "x"), confidence_level=0.95),
        regression=None if is_refused else SimpleNamespace(estimates=np.array([0.10, -0.04, 9.0])),
        covariance=np.diag([0.0004, 0.0001, 9.0]),
        table=pd.DataFrame({"degrees": [20.0, 15.0, 3.0]}),
    )


@pytest.fixture
def decompose(monkeypatch):
    def run(studies, found):
        monkeypatch.setattr(rotation_channel, "_joining", lambda _c, _s, outcome, *_: studies[outcome])
        return rotation_channel.decompose_joining([], found, DEFAULT_RULES, StudySettings()).table.set_index(
            "step"
        )

    return run


USUAL = {
    "achievement": joined(0.12, 0.03),
    "backbone_inflow": joined(0.5, 0.1),
    "backbone_outflow": joined(0.25, 0.2),
}


def test_what_runs_through_rotation_is_the_sum_of_products_and_the_rest_adds_up(decompose):
    table = decompose(USUAL, flows())
    assert table.loc["channel_through", "effect"] == pytest.approx(0.5 * 0.10 - 0.25 * 0.04)
    assert table.loc["channel_through", "effect"] + table.loc["channel_rest", "effect"] == pytest.approx(0.12)


def test_the_error_is_that_of_products_of_independent_factors(decompose):
    table = decompose(USUAL, flows())
    rng = np.random.default_rng(1)
    first = rng.normal([0.5, 0.25], [0.1, 0.2], (200_000, 2))
    second = rng.normal([0.10, -0.04], [0.02, 0.01], (200_000, 2))
    assert table.loc["channel_through", "std_error"] == pytest.approx(
        (first * second).sum(axis=1).std(), rel=0.05
    )


def test_a_refused_step_leaves_those_after_it_without_numbers(decompose):
    table = decompose(USUAL | {"backbone_inflow": REFUSED}, flows())
    assert table.loc["channel_inflow", "refusal"] == "guard_no_adopters"
    assert table.loc[["channel_through", "channel_rest"], "effect"].isna().all()
    assert table.loc["channel_rest", "refusal"] == "channel_incomplete"
    assert table.loc["channel_total", "effect"] == pytest.approx(0.12)


def test_without_the_joint_model_nothing_runs_through(decompose):
    table = decompose(USUAL, flows(is_refused=True))
    assert table.loc["channel_through", "refusal"] == "channel_incomplete"
    assert np.isnan(table.loc["channel_through", "effect"])
