"""The average effect of joining by other estimators, side by side with what each assumes."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_panel import AdoptionSample
from toolkit.effects.main_estimate import estimate_main
from toolkit.effects.robustness_rules import RULES, EstimatorCode
from toolkit.effects.synthetic_group import (
    DEFAULT_LIMITS,
    SyntheticGroup,
    SyntheticLimits,
    estimate_synthetic_group,
)
from toolkit.inference.clusters import t_interval
from toolkit.inference.wild_bootstrap import WildTest, wild_cluster_test
from toolkit.models.diff_diff_adapter import decompose_two_way as decompose_panel
from toolkit.models.diff_diff_adapter import estimate_local_projection, estimate_sun_abraham
from toolkit.models.group_time import Comparison
from toolkit.models.imputation import estimate_imputation
from toolkit.models.matched_differences import MatchedDifference, estimate_matched_difference
from toolkit.models.robust_estimate import Refusal, RobustEstimate
from toolkit.models.stacked import estimate_stacked
from toolkit.models.two_way import TwoWayDecomposition, estimate_two_way, two_way_regression

ROBUSTNESS_COLUMNS = [
    "estimator",
    "estimate",
    "std_error",
    "conf_low",
    "conf_high",
    "p_value",
    "average",
    "comparison",
    "within",
    "base",
    "anticipation_rule",
    "covariates",
    "weights",
    "error_convention",
    "n_units",
    "n_treated",
    "n_treated_clusters",
    "assumption",
    "refusal",
]


@dataclass(frozen=True, slots=True)
class RobustnessSettings:
    """How the estimators are run; the same window, anticipation and comparison for all that allow it.

    Attributes
    ----------
    comparison : {"never", "not_yet"}
        For the group-time effects, the stacked estimator and the local projection. Sun-Abraham and matching
        compare with schools that never join, imputation and the two-way regression with all untreated years.
    anticipation : int
        Years before joining in which a school may already have changed.
    last : int
        Last year since joining: effects are averaged over 0 to `last`.
    confidence_level : float
        Of the intervals.
    caliper_share : float
        Caliper of the matching, in standard deviations of the logit of the score.
    seed : int
        Of the wild bootstrap, where its sign vectors are drawn.
    synthetic : SyntheticLimits
        Placebos of the synthetic difference-in-differences.
    """

    comparison: Comparison = "never"
    anticipation: int = 1
    last: int = 2
    confidence_level: float = 0.95
    caliper_share: float = 0.2
    seed: int = 0
    synthetic: SyntheticLimits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if self.last < 0 or self.anticipation < 0 or not 0 < self.confidence_level < 1:
            raise ValueError("last and anticipation must not be negative, the level between 0 and 1")


@dataclass(frozen=True, slots=True)
class RobustnessTable:
    """The average effect by each estimator.

    Attributes
    ----------
    sample : AdoptionSample
        Schools, outcome and weights.
    settings : RobustnessSettings
        How the estimators were run.
    table : pandas.DataFrame
        One row per estimator with what it averages, compares and assumes (`assumption`: a sentence), and why
        it, or its standard error, is refused. Intervals by t quantiles with the treated clusters less one as
        degrees of freedom, those of the group-time effects with their effective number; none for the
        synthetic estimator, which has a placebo p value.
    matched : MatchedDifference
        How the matching went.
    synthetic : SyntheticGroup
        The group of the synthetic estimator and its placebos.
    wild : WildTest or None
        The two-way regression judged by the wild cluster bootstrap; None where it was refused.
    """

    sample: AdoptionSample
    settings: RobustnessSettings
    table: pd.DataFrame
    matched: MatchedDifference
    synthetic: SyntheticGroup
    wild: WildTest | None

    def tidy(self) -> pd.DataFrame:
        """Return one row per estimator."""
        return self.table


def compare_estimators(sample: AdoptionSample, settings: RobustnessSettings | None = None) -> RobustnessTable:
    """Estimate the average effect of joining by several estimators.

    With several counties the group-time effects compare schools within their county; the other estimators
    compare across counties, and the rows say so (`within`).

    The estimators differ in what they assume and weight; agreement is reassuring, disagreement asks which
    assumption fails. The two-way regression is a diagnostic and matching is there for comparison with the
    Chinese literature. An estimator that the data do not allow is a row with the reason.

    Parameters
    ----------
    sample : AdoptionSample
        One stage, role and outcome.
    settings : RobustnessSettings, optional
        Defaults as in the class.
    """
    chosen = settings or RobustnessSettings()
    panel, clusters = sample.panel, sample.clusters
    last, early, comparison = chosen.last, chosen.anticipation, chosen.comparison
    matched = estimate_matched_difference(
        panel, clusters, last=last, anticipation=early, caliper_share=chosen.caliper_share
    )
    synthetic = estimate_synthetic_group(sample, last=last, anticipation=early, limits=chosen.synthetic)
    estimators: dict[EstimatorCode, Callable[[], RobustEstimate]] = {
        "estimator_sun_abraham": lambda: estimate_sun_abraham(panel, clusters, last=last, anticipation=early),
        "estimator_stacked": lambda: estimate_stacked(
            panel, clusters, last=last, anticipation=early, comparison=comparison
        ),
        "estimator_local_projection": lambda: estimate_local_projection(
            panel, clusters, last=last, anticipation=early, comparison=comparison
        ),
        "estimator_imputation": lambda: estimate_imputation(panel, clusters, last=last, anticipation=early),
        "estimator_two_way": lambda: estimate_two_way(panel, clusters, anticipation=early),
        "estimator_matched": lambda: matched.effect,
        "estimator_synthetic": lambda: synthetic.effect,
    }
    rows = [_group_time_row(sample, chosen, with_covariates=covariates) for covariates in (True, False)]
    rows += [_row(code, estimate(), sample, chosen) for code, estimate in estimators.items()]
    table = pd.DataFrame(rows, columns=ROBUSTNESS_COLUMNS)
    table.loc[table["estimator"] == "estimator_synthetic", "p_value"] = synthetic.p_value
    wild = _wild_two_way(sample, chosen)
    if wild is not None:
        table.loc[table["estimator"] == "estimator_two_way", "p_value"] = wild.p_value
    return RobustnessTable(sample, chosen, table, matched, synthetic, wild)


def _wild_two_way(sample: AdoptionSample, settings: RobustnessSettings) -> WildTest | None:
    """Judge the two-way regression by the wild cluster bootstrap: of these, the one plain regression.

    The others weight and combine cells; their scores have no residuals to turn round.
    """
    found = two_way_regression(sample.panel, sample.clusters, anticipation=settings.anticipation)
    if isinstance(found, str):
        return None
    return wild_cluster_test(
        found.observations(found.outcome),
        found.observations(found.dummy)[:, None],
        found.clusters,
        residualise=found.residualise,
        seed=settings.seed,
        confidence_level=settings.confidence_level,
    )


def _row(
    code: EstimatorCode, found: RobustEstimate, sample: AdoptionSample, settings: RobustnessSettings
) -> dict[str, object]:
    """Return the row of an estimate."""
    limits = (np.nan, np.nan)
    if np.isfinite(found.std_error) and found.convention != "placebo":
        limits = t_interval(
            found.estimate,
            found.std_error,
            max(found.n_treated_clusters - 1, 1),
            confidence_level=settings.confidence_level,
        )
    return _named(code, found, limits, sample, settings)


def _named(
    code: EstimatorCode,
    found: RobustEstimate,
    limits: tuple[float, float],
    sample: AdoptionSample,
    settings: RobustnessSettings,
) -> dict[str, object]:
    rules = RULES[code]
    covariates = rules.covariates
    if covariates == "robust_covariates_of_sample" and not sample.covariate_names:
        covariates = "robust_covariates_none"
    return {
        "estimator": code,
        "estimate": found.estimate,
        "std_error": found.std_error,
        "conf_low": limits[0],
        "conf_high": limits[1],
        "p_value": np.nan,
        "average": f"robust_average_{found.average}",
        "comparison": rules.comparison or f"robust_comparison_{settings.comparison}",
        "within": f"robust_within_{_within(sample) if rules.is_within else 'everywhere'}",
        "base": rules.base,
        "anticipation_rule": rules.anticipation,
        "covariates": covariates,
        "weights": rules.weights or f"robust_weights_{sample.rules.weighting}",
        "error_convention": f"robust_error_{found.convention}",
        "n_units": found.n_units,
        "n_treated": found.n_treated,
        "n_treated_clusters": found.n_treated_clusters,
        "assumption": rules.assumption,
        "refusal": found.refusal,
    }


def _within(sample: AdoptionSample) -> str:
    """Return where the main estimate compares schools."""
    one_county = sample.units["county_id"].nunique() < 2
    return "everywhere" if one_county or sample.rules.assignment == "county" else "county"


def _group_time_row(
    sample: AdoptionSample, settings: RobustnessSettings, *, with_covariates: bool
) -> dict[str, object]:
    """Return the row of the main estimator, with the covariates of the sample or without."""
    plain = replace(sample, covariates=np.empty((len(sample.units), 0)), covariate_names=())
    found, limits = estimate_main(
        sample if with_covariates else plain,
        comparison=settings.comparison,
        anticipation=settings.anticipation,
        last=settings.last,
        confidence_level=settings.confidence_level,
    )
    code: EstimatorCode = "estimator_group_time" if with_covariates else "estimator_group_time_plain"
    return _named(code, found, limits, sample, settings)


@dataclass(frozen=True, slots=True)
class TwoWayStudy:
    """What the two-way regression compares with what.

    Attributes
    ----------
    decomposition : TwoWayDecomposition or None
        None where refused.
    n_left_out : int
        Schools not observed in every year, or members from the first year on: the decomposition needs
        complete data.
    refusal : str
        Why there is none.
    """

    decomposition: TwoWayDecomposition | None
    n_left_out: int
    refusal: Refusal

    def tidy(self) -> pd.DataFrame:
        """Return one row per kind of comparison: number, weight, and weighted mean estimate."""
        if self.decomposition is None:
            return pd.DataFrame(columns=["kind", "n_comparisons", "weight", "estimate"])
        rows = self.decomposition.comparisons
        rows = rows.assign(product=rows["weight"] * rows["estimate"])
        kinds = rows.groupby("kind", sort=False).agg(
            n_comparisons=("weight", "size"), weight=("weight", "sum"), product=("product", "sum")
        )
        kinds["estimate"] = kinds["product"] / kinds["weight"]
        return kinds.drop(columns="product").reset_index()


def decompose_two_way(sample: AdoptionSample) -> TwoWayStudy:
    """Decompose the usual two-way regression of a study into comparisons of two cohorts.

    Parameters
    ----------
    sample : AdoptionSample
        Anticipation is not taken out: this is the regression as the literature runs it, on schools observed
        in every year. Without gaps and anticipation it is the row of the two-way regression.
    """
    found = decompose_panel(sample.panel)
    if isinstance(found, str):
        return TwoWayStudy(None, 0, found)
    return TwoWayStudy(found, len(sample.units) - found.n_units, "")
