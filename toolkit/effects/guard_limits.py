"""From where on the guard refuses or qualifies a design."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DesignLimits:
    """Limits of the design guard. They are conventions of this package, to be set for a study.

    Attributes
    ----------
    least_clusters : int
        Treated clusters (groups, counties) below which a design is refused. With one, the effect cannot be
        told from what befell that group; with two no permutation of groups gives a small p value, and the
        spread between them rests on one degree of freedom.
    few_clusters : int
        Treated clusters below which it is qualified: standard errors clustered by group are known to be
        too small with few treated clusters, and the wild bootstrap fails with them, too.
    least_schools, few_schools : int
        Treated schools, likewise. Below five a mean hangs on single schools; at 20 schools of which six are
        treated only effects around 0.2-0.35 standard deviations are found with power 80 %.
    least_comparison, few_comparison : int
        Comparison clusters, likewise: their trend stands in for that of the adopters.
    least_per_covariate : int
        Comparison schools per coefficient of the outcome regression below which a design is qualified.
    neighbour_share : float
        Share of comparison schools with an adopter of their stage in town. Spillover of size s biases the
        effect by this share of s: from a tenth on that may be more than rounding.
    left_out_share : float
        Share of all adopters that cannot be used: the effect then is that on the rest.
    changed_share : float
        Share of adopters that left, changed form, joined another programme or changed their pupils by a
        merger or new campus: intention to treat then differs from the effect of staying.
    missing_share : float
        Share of unit-years without outcome.
    coverage_move : float
        Change of test coverage among adopters beyond that of the comparison, a share of pupils. Pupils who
        stay away are rarely average: five in a hundred, one standard deviation below, move a mean by 0.05.
    """

    least_clusters: int = 3
    few_clusters: int = 12
    least_schools: int = 5
    few_schools: int = 20
    least_comparison: int = 3
    few_comparison: int = 12
    least_per_covariate: int = 5
    neighbour_share: float = 0.10
    left_out_share: float = 0.20
    changed_share: float = 0.10
    missing_share: float = 0.10
    coverage_move: float = 0.05


DEFAULT_LIMITS = DesignLimits()
