"""Schools, years and counties with which an effect of a given size is detectable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from toolkit.inference.clusters import degrees_of_freedom
from toolkit.inference.power import AssignmentDesign, detectable_effect, detectable_from_std_error

MOST_SCHOOLS = 200_000
MOST_COUNTIES = 3_000
MOST_YEARS = 30


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes to detect an effect; None where no number up to the limit suffices.

    Attributes
    ----------
    effect : float
        In standard deviations of pupils' scores.
    schools : int or None
        Schools of the one county, the years as planned.
    years_after : int or None
        Years after adoption, the schools as planned.
    counties : int or None
        Counties like this one, schools and years as planned.
    """

    effect: float
    schools: int | None
    years_after: int | None
    counties: int | None


def needs_of_effects(
    effects: Sequence[float],
    design: AssignmentDesign,
    *,
    year_correlation: float,
    years_before: int,
    years_after: int,
    power: float = 0.8,
    size: float = 0.05,
) -> tuple[Needs, ...]:
    """Compute the schools, years after adoption or counties that each effect needs, one changed at a time.

    Parameters
    ----------
    effects : sequence of float
        In standard deviations of pupils' scores.
    design : AssignmentDesign
        One outcome year, nothing explained by earlier ones.
    year_correlation, years_before, years_after
        See `with_years`.
    power, size : float
        Chance of detection, and size of the two-sided test.
    """
    planned = with_years(
        design, year_correlation=year_correlation, years_before=years_before, years_after=years_after
    )

    def detects(effect: float, changed: AssignmentDesign) -> bool:
        return detectable_effect(changed, power=power, size=size) <= effect

    def needs(effect: float) -> Needs:
        return Needs(
            effect,
            _fewest(lambda number: detects(effect, replace(planned, n_schools=number)), MOST_SCHOOLS),
            _fewest(
                lambda number: detects(
                    effect,
                    with_years(
                        design,
                        year_correlation=year_correlation,
                        years_before=years_before,
                        years_after=number,
                    ),
                ),
                MOST_YEARS,
            ),
            _fewest(lambda number: detects(effect, pool_counties(planned, number)), MOST_COUNTIES),
        )

    return tuple(needs(effect) for effect in effects)


def with_years(
    design: AssignmentDesign, *, year_correlation: float, years_before: int, years_after: int
) -> AssignmentDesign:
    """Return the design whose outcome is the mean of years after less the mean of years before.

    What is left of the variance between schools is (1 - r) (1 / before + 1 / after), with r the correlation
    of a school's own outcome between any two years, the same for years near and far; other pupils are
    tested every year, so that what is left of the variance within schools is multiplied by
    1 / before + 1 / after.

    Parameters
    ----------
    design : AssignmentDesign
        Of one outcome year. Its `r2_school` is replaced, its `r2_pupil` kept as what covariates explain.
    year_correlation : float
        r, in [0, 1].
    years_before, years_after : int
        Years averaged. Group-time effects compare with one base period: take one year before for them.

    References
    ----------
    Frison, L. and Pocock, S. J. (1992). Repeated measures in clinical trials: analysis using mean summary
    statistics and its implications for design. Statistics in Medicine 11(13), 1685-1704 (change in means).
    """
    if years_before < 1 or years_after < 1 or not 0 <= year_correlation <= 1:
        raise ValueError("years must be at least 1, and their correlation in [0, 1]")
    factor = 1 / years_before + 1 / years_after
    return replace(
        design,
        r2_school=1 - (1 - year_correlation) * factor,
        r2_pupil=1 - (1 - design.r2_pupil) * factor,
    )


def pool_counties(design: AssignmentDesign, counties: int) -> AssignmentDesign:
    """Return the design of several counties like this one, schools compared within their county.

    The effect is the same in all; each county takes a degree of freedom from either side.
    """
    return replace(design, n_schools=design.n_schools * counties, counties=counties)


@dataclass(frozen=True, slots=True)
class StudyPrecision:
    """How precise one estimate of a study was, from which studies like it are scaled.

    Attributes
    ----------
    std_error : float
        Of the estimate, by cluster.
    effective_clusters : float
        Effective number of clusters behind it.
    n_schools, n_years : int
        Schools and years of the study; each school's own level is taken out.
    """

    std_error: float
    effective_clusters: float
    n_schools: int
    n_years: int

    def __post_init__(self) -> None:
        if self.std_error <= 0 or self.effective_clusters <= 0 or self.n_schools < 1 or self.n_years < 2:
            raise ValueError("error, clusters and schools must be above zero, and years at least 2")

    def detectable(
        self, *, times_schools: float = 1.0, years: int | None = None, power: float = 0.8, size: float = 0.05
    ) -> float:
        """Compute the minimum detectable effect of a study like this one with more schools or years.

        The variance falls with the number of schools, and with the number of years less one, since a level
        takes one: years to come vary as those seen, and none repeats another. More schools come with as many
        more effective clusters; more years with none.

        Parameters
        ----------
        times_schools : float
            Schools, or counties, in multiples of those of the study.
        years : int, optional
            Years in all; those of the study if not given. Infinite below two.
        power, size : float
            Chance of detection, and size of the two-sided test.
        """
        n_years = self.n_years if years is None else years
        if n_years < 2:
            return np.inf
        factor = (self.n_years - 1) / (n_years - 1) / times_schools
        return detectable_from_std_error(
            self.std_error * factor**0.5,
            degrees_of_freedom(self.effective_clusters * times_schools),
            power=power,
            size=size,
        )


@dataclass(frozen=True, slots=True)
class ScaledNeeds:
    """What it takes to detect an effect with studies like one; None where no number up to the limit suffices.

    Attributes
    ----------
    effect : float
        In the unit of the estimate.
    schools : int or None
        Schools, the years as they were.
    years : int or None
        Years in all, the schools as they were.
    counties : int or None
        Studies like this one, put together.
    """

    effect: float
    schools: int | None
    years: int | None
    counties: int | None


def needs_of_precision(
    effects: Sequence[float], precision: StudyPrecision, *, power: float = 0.8, size: float = 0.05
) -> tuple[ScaledNeeds, ...]:
    """Compute the schools, years or counties that each effect needs, scaled from the error of a study.

    For studies whose doses follow no assignment that a formula knows; `needs_of_effects` plans from
    variances.

    Parameters
    ----------
    effects : sequence of float
        In the unit of the estimate.
    precision : StudyPrecision
        Error and size of the study.
    power, size : float
        Chance of detection, and size of the two-sided test.
    """
    schools = precision.n_schools

    def times(factor: float) -> float:
        return precision.detectable(times_schools=factor, power=power, size=size)

    def over(years: int) -> float:
        return precision.detectable(years=years, power=power, size=size)

    return tuple(
        ScaledNeeds(
            effect,
            _fewest(lambda number, sought=effect: times(number / schools) <= sought, MOST_SCHOOLS),
            _fewest(lambda number, sought=effect: over(number) <= sought, MOST_YEARS),
            _fewest(lambda number, sought=effect: times(number) <= sought, MOST_COUNTIES),
        )
        for effect in effects
    )


def _fewest(is_enough: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number that is enough; more is never worse."""
    if not is_enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
