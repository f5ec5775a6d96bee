"""What each estimator of the robustness table compares, from which years, with which weights, and assumes.

All values are names in the vocabulary.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

EstimatorCode = Literal[
    "estimator_group_time",
    "estimator_group_time_plain",
    "estimator_sun_abraham",
    "estimator_stacked",
    "estimator_local_projection",
    "estimator_imputation",
    "estimator_two_way",
    "estimator_matched",
    "estimator_synthetic",
]


@dataclass(frozen=True, slots=True)
class EstimatorRules:
    """The fixed properties of an estimator.

    Attributes
    ----------
    comparison : str
        Empty where the settings say it.
    base : str
        Years the outcomes are compared with.
    anticipation : str
        How the years of anticipation are kept out.
    covariates : str
        Where covariates enter.
    weights : str
        Empty where the rule of the sample holds throughout.
    assumption : str
        Sentence on what the estimator assumes.
    is_within : bool
        Whether schools of several counties are compared within their county only.
    """

    comparison: str
    base: str
    anticipation: str
    covariates: str
    weights: str
    assumption: str
    is_within: bool = False


RULES: Mapping[EstimatorCode, EstimatorRules] = {
    "estimator_group_time": EstimatorRules(
        comparison="",
        base="robust_base_last_before",
        anticipation="robust_anticipation_base_moved",
        covariates="robust_covariates_of_sample",
        weights="",
        assumption="assumes_group_time",
        is_within=True,
    ),
    "estimator_group_time_plain": EstimatorRules(
        comparison="",
        base="robust_base_last_before",
        anticipation="robust_anticipation_base_moved",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_group_time_plain",
        is_within=True,
    ),
    "estimator_sun_abraham": EstimatorRules(
        comparison="robust_comparison_never",
        base="robust_base_last_before",
        anticipation="robust_anticipation_base_moved",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_sun_abraham",
    ),
    "estimator_stacked": EstimatorRules(
        comparison="",
        base="robust_base_last_before",
        anticipation="robust_anticipation_base_moved",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_stacked",
    ),
    "estimator_local_projection": EstimatorRules(
        comparison="",
        base="robust_base_last_before",
        anticipation="robust_anticipation_base_moved",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_local_projection",
    ),
    "estimator_imputation": EstimatorRules(
        comparison="robust_comparison_untreated_years",
        base="robust_base_all_before",
        anticipation="robust_anticipation_left_out",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_imputation",
    ),
    "estimator_two_way": EstimatorRules(
        comparison="robust_comparison_everyone",
        base="robust_base_all_before",
        anticipation="robust_anticipation_left_out",
        covariates="robust_covariates_none",
        weights="",
        assumption="assumes_two_way",
    ),
    "estimator_matched": EstimatorRules(
        comparison="robust_comparison_matched",
        base="robust_base_mean_before",
        anticipation="robust_anticipation_left_out",
        covariates="robust_covariates_in_score",
        weights="robust_weights_of_adopters",
        assumption="assumes_matched",
    ),
    "estimator_synthetic": EstimatorRules(
        comparison="robust_comparison_synthetic",
        base="robust_base_weighted_before",
        anticipation="robust_anticipation_left_out",
        covariates="robust_covariates_none",
        weights="robust_weights_within_group",
        assumption="assumes_synthetic",
    ),
}
