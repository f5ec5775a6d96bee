"""Estimators of the library diff-diff on the panel of adoption: imported here alone, and only when called."""

import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pandas as pd

from toolkit.models.group_time import AdoptionPanel, Comparison
from toolkit.models.robust_estimate import (
    Floats,
    Refusal,
    RobustEstimate,
    Whole,
    accept,
    has_clean_comparison,
    leave_out_early,
    leave_out_untimely,
    refuse,
)
from toolkit.models.two_way import TwoWayDecomposition

COLUMNS: Final = ("outcome", "unit", "period", "cohort")
COLLINEAR: Final = "rank-deficient"
NO_CLEAN_COMPARISON: Final = r"LPDiD: dropped \d+ treated observation"
UNIDENTIFIED: Final = ("unidentified pooled pre horizons", "unidentified pooled post horizons")


def estimate_sun_abraham(
    panel: AdoptionPanel, clusters: Whole, *, last: int, anticipation: int = 0
) -> RobustEstimate:
    """Estimate the mean effect over event times 0 to `last` by the interaction-weighted regression.

    Each cohort has a coefficient at each event time, beside unit and period effects; cohorts are averaged by
    their weight at the event time, event times with equal weight. Comparison: units that never adopt. The
    cohort is shifted back by the years of anticipation, so that the omitted year is the last one before
    them. No covariates: fixed ones vanish with the unit effects.

    The standard error takes the sizes of the cohorts as given and therefore only the spread within
    cohorts: it is refused where a cohort has a single treated cluster.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights count in the regression and for the sizes of cohorts.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    last : int
        Last event time.
    anticipation : int
        Years before adoption in which a unit may already have changed.

    References
    ----------
    Sun, L. and Abraham, S. (2021). Estimating dynamic treatment effects in event studies with heterogeneous
    treatment effects. Journal of Econometrics 225(2).
    """
    used, own = leave_out_untimely(panel, clusters, anticipation)
    is_treated = np.isfinite(used.cohorts)
    problem = _problem(used)
    if problem:
        return refuse("event_times_equal", problem)
    if not np.isin(np.unique(used.cohorts[is_treated]) - 1 - anticipation, used.periods).all():
        return refuse("event_times_equal", "robustness_no_base_year")

    from diff_diff import SunAbraham, SurveyDesign

    # A cohort with gaps may not be tied to its base year: dropping a column would then move the base.
    model = SunAbraham(control_group="never_treated", rank_deficient_action="error")
    design = SurveyDesign(weights="weight", psu="cluster")
    try:
        found = model.fit(_long_frame(used, own, anticipation), *COLUMNS, survey_design=design)
    except ValueError as error:
        if COLLINEAR not in str(error):
            raise
        return refuse("event_times_equal", "robustness_gaps_in_cohort")
    wanted = range(anticipation, anticipation + last + 1)
    known = found.event_study_vcov_index or []
    if found.event_study_vcov is None or not set(wanted) <= set(known):
        return refuse("event_times_equal", "robustness_no_complete_window")
    places = [known.index(time) for time in wanted]
    mean = np.mean([found.event_study_effects[time]["effect"] for time in wanted])
    error = np.sqrt(found.event_study_vcov[np.ix_(places, places)].mean())
    pairs = pd.DataFrame({"cohort": used.cohorts, "cluster": own})[is_treated]
    accepted = accept(
        float(mean),
        float(error),
        convention="cluster_g",
        average="event_times_equal",
        treated_clusters=own[is_treated],
        n_comparison=int((~is_treated).sum()),
    )
    if pairs.groupby("cohort")["cluster"].nunique().min() < 2:
        return accepted.without_error("robustness_single_cluster_cohort")
    return accepted


def estimate_local_projection(
    panel: AdoptionPanel,
    clusters: Whole,
    *,
    last: int,
    anticipation: int = 0,
    comparison: Comparison = "never",
) -> RobustEstimate:
    """Estimate the effect on the mean outcome of event times 0 to `last` by local projection.

    The change from the base year to the mean of the window is regressed on joining, with period effects,
    over units that join and clean comparison units; one regression for the window, so that cohorts are
    weighted by the variance of joining in their year and not by size alone. The year of joining is shifted
    back by the years of anticipation. No covariates.

    Parameters
    ----------
    panel : AdoptionPanel
        Consecutive years. Weights count in the regression.
    clusters : ndarray of int, (n_units,)
        Level at which adoption was decided.
    last : int
        Last event time.
    anticipation : int
        Years before adoption in which a unit may already have changed.
    comparison : {"never", "not_yet"}
        Units that never adopt, or also those whose anticipation begins after the window.

    References
    ----------
    Dube, A., Girardi, D., Jordà, Ò. and Taylor, A. (2025). A local projections approach to
    difference-in-differences. Journal of Applied Econometrics.
    """
    if comparison == "never":
        used, own = leave_out_untimely(panel, clusters, anticipation)
    else:
        used, own = leave_out_early(panel, clusters, anticipation)
    problem = _problem(used)
    if problem:
        return refuse("pooled_window", problem)
    if (np.diff(used.periods) != 1).any():
        return refuse("pooled_window", "robustness_years_with_gaps")

    from diff_diff import LPDiD, SurveyDesign

    # With its gaps as missing outcomes: the library looks for a row in the first year of anticipation,
    # whose outcome it does not use.
    frame = _long_frame(used, own, anticipation, with_gaps=True)
    model = LPDiD(
        pre_window=2,
        post_window=anticipation + last,
        control_group="never_treated" if comparison == "never" else "clean",
        cluster="cluster",
    )
    try:
        found = _without_known_warnings(
            model.fit,
            frame,
            "outcome",
            "unit",
            "period",
            "joined",
            post_pooled=(anticipation, anticipation + last),
            only_pooled=True,
            survey_design=SurveyDesign(weights="weight", psu="cluster"),
        )
    except ValueError as error:
        pre, post = (words in str(error) for words in UNIDENTIFIED)
        if not (pre or post):
            raise
        return refuse(
            "pooled_window",
            "robustness_no_second_year_before" if pre else "robustness_no_complete_window",
        )
    row = found.pooled.set_index("window").loc["post"]
    treated = has_clean_comparison(used, last, anticipation, comparison)
    return accept(
        float(row["coefficient"]),
        float(row["se"]),
        convention="cluster_g",
        average="pooled_window",
        treated_clusters=own[treated],
        n_comparison=int((~np.isfinite(used.cohorts)).sum()),
    )


KINDS: Final = {
    "treated_vs_never": "treated_never",
    "earlier_vs_later": "earlier_later",
    "later_vs_earlier": "later_earlier",
}


def decompose_two_way(panel: AdoptionPanel) -> TwoWayDecomposition | Refusal:
    """Decompose the two-way regression into comparisons of two cohorts and their weights.

    Units observed in all periods, from the year of adoption on, without anticipation: the regression as it
    is usually run. Comparisons of later with earlier adopters take outcomes that are treated already as if
    they were not.

    Parameters
    ----------
    panel : AdoptionPanel
        Weights count in means and shares.

    Returns
    -------
    TwoWayDecomposition or str
        Or why there is none.

    References
    ----------
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. Journal of
    Econometrics 225(2).
    """
    early = panel.cohorts <= panel.periods[0]
    complete = np.isfinite(panel.outcomes).all(axis=1)
    used = panel.take(complete & ~early)
    exposed = used.cohorts <= used.periods[-1]
    if not exposed.any():
        return "robustness_no_treated"
    if len(np.unique(np.where(exposed, used.cohorts, np.inf))) < 2:
        return "robustness_no_comparison"

    from diff_diff import BaconDecomposition, SurveyDesign

    frame = _long_frame(used, np.arange(used.n_units), 0)
    # Units that adopt after the last period are untreated in all of them.
    frame["cohort"] = frame["cohort"].where(frame["cohort"] <= used.periods[-1], 0)
    found = BaconDecomposition(weights="exact").fit(
        frame, *COLUMNS, survey_design=SurveyDesign(weights="weight")
    )
    rows = [
        (
            KINDS[each.comparison_type],
            float(each.treated_group),
            np.nan if each.control_group == "never_treated" else float(each.control_group),
            float(each.weight),
            float(each.estimate),
        )
        for each in found.comparisons
    ]
    names = ["kind", "cohort", "comparison_cohort", "weight", "estimate"]
    return TwoWayDecomposition(float(found.twfe_estimate), pd.DataFrame(rows, columns=names), used.n_units)


def _problem(panel: AdoptionPanel) -> Refusal:
    if not (panel.cohorts <= panel.periods[-1]).any():
        return "robustness_no_treated"
    return "" if (panel.cohorts > panel.periods[-1]).any() else "robustness_no_comparison"


def _without_known_warnings(fit: Callable[..., Any], *data: object, **options: object) -> Any:
    """Call a fit; adopters without clean comparison are left out of our count of units, too."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=NO_CLEAN_COMPARISON, category=UserWarning)
        return fit(*data, **options)


def _long_frame(
    panel: AdoptionPanel, clusters: Whole, anticipation: int, *, with_gaps: bool = False
) -> pd.DataFrame:
    """Return one row per unit and period; the cohort, shifted back, is 0 for units that never adopt."""
    unit, period = np.nonzero(np.isfinite(panel.outcomes) | with_gaps)
    cohort = np.where(np.isfinite(panel.cohorts), panel.cohorts - anticipation, 0)
    frame = pd.DataFrame(
        {
            "unit": unit,
            "period": panel.periods[period].astype(np.int64),
            "outcome": panel.outcomes[unit, period],
            "cohort": cohort[unit].astype(np.int64),
            "cluster": clusters[unit],
            # The library rescales weights whose mean is not one, and warns.
            "weight": _mean_one(panel.weights[unit]),
        }
    )
    frame["joined"] = ((frame["cohort"] > 0) & (frame["period"] >= frame["cohort"])).astype(np.int64)
    return frame


def _mean_one(weights: Floats) -> Floats:
    return weights / weights.mean()
