"""Minimum detectable effects, of a design and of a standard error."""

from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True, slots=True)
class AssignmentDesign:
    """Schools assigned to a programme, alone or in school groups.

    Attributes
    ----------
    n_schools : float
        Schools in all.
    treated_share : float
        Share of them treated, in (0, 1).
    icc : float
        Share of the variance of pupils' scores that lies between schools.
    r2_school, r2_pupil : float
        Share of the variance between and within schools explained by earlier outcomes and covariates, at
        most 1; below 0 where taking a noisy earlier outcome out adds variance.
    pupils_per_school : float
        Pupils tested in each.
    schools_per_group : float
        Schools of a school group; 1 if schools join alone.
    group_correlation : float
        Correlation of the unexplained part of two schools of a group.
    counties : int
        Counties whose schools are compared within themselves.
    """

    n_schools: float
    treated_share: float
    icc: float
    r2_school: float
    r2_pupil: float
    pupils_per_school: float
    schools_per_group: float = 1.0
    group_correlation: float = 0.0
    counties: int = 1

    def __post_init__(self) -> None:
        if not (0 <= self.icc <= 1 and 0 <= self.group_correlation <= 1 and 0 < self.treated_share < 1):
            raise ValueError("shares must be in [0, 1], and the treated share strictly inside")
        if max(self.r2_school, self.r2_pupil) > 1:
            raise ValueError("a share of explained variance is above 1")
        if self.n_schools <= 0 or self.pupils_per_school <= 0 or self.schools_per_group < 1:
            raise ValueError("schools and pupils must be above zero, and schools per group at least 1")

    @property
    def group_design_effect(self) -> float:
        """Factor on the variance between schools: 1 + (schools per group - 1) correlation."""
        return 1 + (self.schools_per_group - 1) * self.group_correlation

    @property
    def degrees_of_freedom(self) -> float:
        """Welch's number for two means of groups of equal variance, a mean for each county; at least 0."""
        n_groups = self.n_schools / self.schools_per_group
        treated, others = n_groups * self.treated_share, n_groups * (1 - self.treated_share)
        if min(treated, others) <= self.counties:
            return 0.0
        squares = 1 / (treated**2 * (treated - self.counties)) + 1 / (others**2 * (others - self.counties))
        return (1 / treated + 1 / others) ** 2 / squares

    @property
    def std_error(self) -> float:
        """Standard error of the effect, in standard deviations of pupils' scores."""
        spread = self.treated_share * (1 - self.treated_share) * self.n_schools
        between = self.icc * (1 - self.r2_school) * self.group_design_effect
        within = (1 - self.icc) * (1 - self.r2_pupil) / self.pupils_per_school
        return float(np.sqrt((between + within) / spread))


def detectable_multiplier(degrees: float, *, power: float = 0.8, size: float = 0.05) -> float:
    """Return the factor from standard error to minimum detectable effect, two-sided.

    The sum of the t quantiles of 1 - size / 2 and of the power; 2.80 for infinite degrees of freedom.
    Infinite if there are none.

    References
    ----------
    Bloom, H. S. (1995). Minimum detectable effects: a simple way to report the statistical power of
    experimental designs. Evaluation Review 19(5), 547-556.
    """
    if not degrees > 0:
        return np.inf
    return float(stats.t.ppf(1 - size / 2, degrees) + stats.t.ppf(power, degrees))


def detectable_from_std_error(
    std_error: float, degrees: float, *, power: float = 0.8, size: float = 0.05
) -> float:
    """Compute the minimum detectable effect of an estimate from its standard error, in its unit.

    The effect that a repetition would detect with the chance `power`: it does not depend on the
    estimate, unlike observed power.

    Parameters
    ----------
    std_error : float
        By cluster.
    degrees : float
        Effective degrees of freedom, see `clusters.degrees_of_freedom`.
    power, size : float
        Chance of detection, and size of the two-sided test.
    """
    return detectable_multiplier(degrees, power=power, size=size) * std_error


def detectable_effect(
    design: AssignmentDesign, *, power: float = 0.8, size: float = 0.05, degrees: float | None = None
) -> float:
    """Compute the minimum detectable effect of a design, in standard deviations of pupils' scores.

    M sqrt( icc (1 - r2_school) D / (P (1 - P) J) + (1 - icc) (1 - r2_pupil) / (P (1 - P) J n) ) with J
    schools, the share P of them treated, n pupils each, D the group design effect, M the multiplier.

    Parameters
    ----------
    design : AssignmentDesign
        Schools, groups and variances. One outcome year after adoption; see `power_needs.with_years`.
    power, size : float
        Chance of detection, and size of the two-sided test.
    degrees : float, optional
        Degrees of freedom of the multiplier; the design's own if not given, infinite for the formula
        with 2.8.

    References
    ----------
    Bloom, H. S., Richburg-Hayes, L. and Black, A. R. (2007). Using covariates to improve precision for
    studies that randomize schools to evaluate educational interventions. Educational Evaluation and
    Policy Analysis 29(1), 30-59.
    """
    own = design.degrees_of_freedom if degrees is None else degrees
    return detectable_multiplier(own, power=power, size=size) * design.std_error
