"""What changed at schools once they began to receive teachers, by how many they went on to receive."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from toolkit.effects.flow_effects import FlowSettings
from toolkit.effects.rotation_data import RotationSample
from toolkit.inference.clusters import debiased_effective_clusters, degrees_of_freedom
from toolkit.models.continuous_dose import estimate_continuous_dose
from toolkit.models.group_time import NEVER, AdoptionPanel

LEAST_NEVER, LEAST_DOSED = 5, 10
RECEIPT_COLUMNS = [
    "stage",
    "quantity",
    "effect",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "n_dosed",
    "n_never",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class FirstReceipt:
    """Effect of having begun to receive teachers.

    Attributes
    ----------
    table : pandas.DataFrame
        `RECEIPT_COLUMNS`, two rows a stage: "receipt_level" is the mean effect on schools that began,
        "receipt_slope" that of one more full-time teacher per 100 students; `refusal` names the sentence
        where there is none.
    confidence_level : float
        Of the intervals.
    """

    table: pd.DataFrame
    confidence_level: float

    def tidy(self) -> pd.DataFrame:
        """Return one row per stage and quantity."""
        return self.table


def estimate_first_receipt(
    samples: Sequence[RotationSample], settings: FlowSettings | None = None
) -> FirstReceipt:
    """Compare schools that began to receive teachers with schools that never did.

    The dose of a school is its mean flow in from the first receipt on, taken as fixed from then: a dose that
    starts and stays. It suits programmes that go on once begun; where flows stop and start again the
    estimates by year since the first change are the better ones. Of one county at a time, without
    covariates.

    Parameters
    ----------
    samples : sequence of RotationSample
        Stages. Samples of several counties are refused: schools would be compared across counties.
    settings : FlowSettings, optional
        Flow in, and level.
    """
    chosen = settings or FlowSettings()
    rows = [row for sample in samples for row in _rows(sample, chosen)]
    return FirstReceipt(pd.DataFrame(rows, columns=RECEIPT_COLUMNS), chosen.confidence_level)


def _rows(sample: RotationSample, settings: FlowSettings) -> list[dict[str, object]]:
    flow = np.nan_to_num(sample.flows[settings.flows[0]])
    begins = np.where((flow > 0).any(axis=1), (flow > 0).argmax(axis=1), -1)
    years = np.array(sample.years, dtype=float)
    cohorts = np.where(begins >= 0, years[np.maximum(begins, 0)], NEVER)
    since = years[None, :] >= cohorts[:, None]
    doses = np.where(since.any(axis=1), (flow * since).sum(axis=1) / np.maximum(since.sum(axis=1), 1), 0.0)
    n_never, n_dosed = int((begins < 0).sum()), int((cohorts < NEVER).sum())
    names = ("receipt_level", "receipt_slope")
    blank: dict[str, object] = {"stage": sample.stage, "n_dosed": n_dosed, "n_never": n_never}
    if len(np.unique(sample.blocks)) > 1:
        return [blank | {"quantity": name, "refusal": "receipt_several_counties"} for name in names]
    panel = AdoptionPanel(sample.outcomes, years, cohorts, np.empty((len(cohorts), 0)), np.ones(len(cohorts)))
    enough = n_never >= LEAST_NEVER and n_dosed >= LEAST_DOSED
    found = estimate_continuous_dose(panel, doses) if enough else None
    if found is None:
        return [blank | {"quantity": name, "refusal": "receipt_few_schools"} for name in names]
    rows = []
    for name, effect, influence in zip(names, (found.effect, found.slope), found.influence.T, strict=True):
        contributions = influence / len(influence)
        error = float(np.sqrt(contributions @ contributions))
        degrees = degrees_of_freedom(debiased_effective_clusters(contributions))
        half = float(stats.t.ppf(0.5 + settings.confidence_level / 2, degrees)) * error
        rows.append(
            blank
            | {
                "quantity": name,
                "effect": effect,
                "std_error": error,
                "conf_low": effect - half,
                "conf_high": effect + half,
                "p_value": float(2 * stats.t.sf(abs(effect) / error, degrees)),
                "refusal": "",
            }
        )
    return rows
