"""Schools, years and counties with which an effect of a given size is detectable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from toolkit.inference.power import AssignmentDesign, detectable_effect

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


def _fewest(is_enough: Callable[[int], bool], most: int) -> int | None:
    """Return the smallest number that is enough; more is never worse."""
    if not is_enough(most):
        return None
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
