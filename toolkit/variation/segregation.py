"""Segregation between schools: two indices, each with what random allocation alone would give."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, gammaln

from toolkit.errors import DesignError

Counts = NDArray[np.float64]


def dissimilarity(members: ArrayLike, students: ArrayLike) -> float:
    """Return the dissimilarity index D between the members of a group of pupils and the others.

    With a_i members among n_i pupils of school i, A among N in the county and p = A / N,

        D = 1/2 sum_i | a_i / A - (n_i - a_i) / (N - A) | = sum_i | a_i - p n_i | / (2 N p (1 - p)):

    the share of the members who would have to change school for every school to have the
    share p, relative to complete separation.

    Parameters
    ----------
    members, students : array_like, (n_schools,)
        Members of the group, and all pupils, of each school.

    Raises
    ------
    DesignError
        If a count is missing, negative or no whole number, a school has more members than pupils,
        or nobody or everybody belongs to the group.

    References
    ----------
    Duncan, O. D. and Duncan, B. (1955). A methodological analysis of segregation indexes.
    American Sociological Review 20(2), 210-217.
    """
    members, students = _counts(members, students)
    total, share = students.sum(), members.sum() / students.sum()
    return float(np.abs(members - share * students).sum() / (2 * total * share * (1 - share)))


def information_index(members: ArrayLike, students: ArrayLike) -> float:
    """Return Theil's information index H of a group of pupils over schools.

    H = 1 - sum_i n_i E(p_i) / (N E(p)) with the entropy E(p) = -p ln p - (1 - p) ln(1 - p) and
    0 ln 0 = 0. Parameters, errors: as for `dissimilarity`.

    References
    ----------
    Theil, H. (1972). Statistical Decomposition Analysis. North-Holland.
    Reardon, S. F. and Firebaugh, G. (2002). Measures of multigroup segregation. Sociological
    Methodology 32, 33-67.
    """
    members, students = _counts(members, students)
    within = students @ _entropy(members / students)
    return max(0.0, float(1 - within / (students.sum() * _entropy(members.sum() / students.sum()))))


def expected_dissimilarity(students: ArrayLike, members_total: float) -> float:
    """Return D* = E(D) when the members are spread over the schools' places at random.

    Given the sizes n_i and the total A, each a_i is hypergeometric(N, A, n_i) and D is a sum of one
    term per school, so that the expectation is exact; nothing is simulated.

    Parameters
    ----------
    students : array_like, (n_schools,)
        Pupils of each school.
    members_total : float
        Members of the group in the county.

    References
    ----------
    Carrington, W. J. and Troske, K. R. (1997). On measuring segregation in samples with small
    units. Journal of Business & Economic Statistics 15(4), 402-409 (there binomial; here
    conditional on the total). Cortese, C. F., Falk, R. F. and Cohen, J. K. (1976). Further
    considerations on the methodological analysis of segregation indices. American Sociological
    Review 41(4), 630-637.
    """
    sizes, repeats, total, share = _sizes(students, members_total)
    deviations = [
        float(np.abs(support - share * size) @ chance)
        for size in sizes
        for support, chance in [_hypergeometric(total, members_total, size)]
    ]
    return float(repeats @ np.array(deviations) / (2 * total * share * (1 - share)))


def expected_information_index(students: ArrayLike, members_total: float) -> float:
    """Return H* = E(H) when the members are spread at random; parameters as for D*."""
    sizes, repeats, total, share = _sizes(students, members_total)
    entropies = [
        float(size * (_entropy(support / size) @ chance))
        for size in sizes
        for support, chance in [_hypergeometric(total, members_total, size)]
    ]
    return max(0.0, float(1 - repeats @ np.array(entropies) / (total * _entropy(share))))


def correct_small_unit_bias(index: float, expected: float) -> float:
    """Return an index measured from what random allocation gives.

    (D - D*) / (1 - D*) where D >= D*, so that 1 remains complete separation and 0 is random
    allocation; (D - D*) / D* below it, so that -1 is complete evenness. Missing where random
    allocation itself separates completely (every school has one pupil).

    Notes
    -----
    D - D* is zero on average under random allocation. Its two sides are stretched by different
    factors, so that the corrected index is then slightly below zero on average.

    References
    ----------
    Carrington and Troske (1997), equation (4).
    """
    if np.isclose(expected, 1.0, rtol=0, atol=1e-12):
        return float("nan")
    # Rounding must not decide on which side of D* an index stands that equals it.
    excess = index - expected
    if excess >= 0 or np.isclose(index, expected, rtol=1e-12, atol=1e-12):
        return float(max(excess, 0.0) / (1 - expected))
    return float(excess / expected)


def undefined_reason(members: ArrayLike, students: ArrayLike) -> str:
    """Return why no index can be computed: a vocabulary code, "" where one can."""
    belonging, pupils = np.asarray(members, dtype=float), np.asarray(students, dtype=float)
    if pupils.sum() == 0:
        return "segregation_no_schools"
    if belonging.sum() == 0:
        return "segregation_nobody"
    if belonging.sum() == pupils.sum():
        return "segregation_everybody"
    return "segregation_one_school" if (pupils > 0).sum() == 1 else ""


def _counts(members: ArrayLike, students: ArrayLike) -> tuple[Counts, Counts]:
    """Return the counts of the schools that have pupils, refusing what is no count."""
    members, students = np.asarray(members, dtype=float), np.asarray(students, dtype=float)
    if members.ndim != 1 or members.shape != students.shape:
        raise ValueError(
            f"members {members.shape} and students {students.shape} must be equally long vectors"
        )
    for counts in (members, students):
        _refuse("segregation_no_count", ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))))
    _refuse("segregation_members_above_students", members > students)
    reason = undefined_reason(members, students)
    if reason in ("segregation_no_schools", "segregation_nobody", "segregation_everybody"):
        raise DesignError(f"{reason}_refused")
    present = students > 0
    return members[present], students[present]


def _sizes(students: ArrayLike, members_total: float) -> tuple[Counts, Counts, float, float]:
    """Return the different sizes of schools, how often each occurs, the total, and the share."""
    counts = np.asarray(students, dtype=float)
    _refuse("segregation_no_count", ~(np.isfinite(counts) & (counts >= 0) & (counts == np.floor(counts))))
    total = float(counts.sum())
    if not 0 < members_total < total:
        raise DesignError(
            "segregation_nobody_refused" if members_total <= 0 else "segregation_everybody_refused"
        )
    sizes, repeats = np.unique(counts[counts > 0], return_counts=True)
    return sizes, repeats.astype(float), total, members_total / total


def _hypergeometric(total: float, members: float, size: float) -> tuple[Counts, Counts]:
    """Return the possible numbers of members in a school and their probabilities, adding up to 1."""
    support = np.arange(max(0.0, size + members - total), min(size, members) + 1)
    log_chance = _log_choose(members, support) + _log_choose(total - members, size - support)
    chance = np.exp(log_chance - log_chance.max())
    return support, chance / chance.sum()


def _log_choose(total: float, chosen: Counts) -> Counts:
    return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)


def _entropy(share: ArrayLike) -> Counts:
    """Return the entropy of a share and its complement, in nats."""
    share = np.asarray(share, dtype=float)
    return entr(share) + entr(1 - share)


def _refuse(name: str, wrong: NDArray[np.bool_]) -> None:
    if wrong.any():
        raise DesignError(
            name, count=int(wrong.sum()), schools=len(wrong), first=int(np.flatnonzero(wrong)[0]) + 1
        )
