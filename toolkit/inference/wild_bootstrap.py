"""Wild cluster bootstrap of one regression coefficient, the null imposed."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from toolkit.inference.multiplier import Multiplier, draw_multipliers

Floats = NDArray[np.float64]
Residualiser = Callable[[Floats], Floats]

WildWeights = Literal["auto", "rademacher", "webb"]

FEW_CLUSTERS = 10
"""Up to so many clusters two signs give too few distinct draws, and Webb's six points are used."""

TIE = 1e-9
FARTHEST = 2.0**20
BISECTIONS = 40


@dataclass(frozen=True, slots=True)
class WildTest:
    """A coefficient judged by the wild cluster bootstrap.

    Attributes
    ----------
    estimate, std_error : float
        Least squares; cluster-robust with the factor G / (G - 1) and none for the terms (CR1 without
        (N - 1) / (N - K)). The p-value does not depend on the factor.
    statistic, p_value : float
        Of the null value; two-sided. With random weights (1 + number as extreme) / (1 + draws);
        with all signs the share of sign vectors as extreme, the two that give the data back included.
    conf_low, conf_high : float
        Null values that are not rejected; infinite where the test rejects nothing on that side.
    confidence_level : float
        Nominal.
    n_clusters, n_draws : int
        Clusters, and vectors of weights.
    weights : {"rademacher", "webb"}
        Distribution of the weights.
    is_exact : bool
        Whether all sign vectors were used.
    """

    estimate: float
    std_error: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float
    confidence_level: float
    n_clusters: int
    n_draws: int
    weights: Multiplier
    is_exact: bool


def wild_cluster_test(
    outcome: ArrayLike,
    design: ArrayLike,
    clusters: ArrayLike,
    *,
    seed: int,
    coefficient: int = 0,
    null_value: float = 0.0,
    residualise: Residualiser | None = None,
    weights: WildWeights = "auto",
    n_draws: int = 9999,
    confidence_level: float = 0.95,
) -> WildTest:
    """Test one coefficient of a linear regression (WCR: restricted residuals), and invert the test.

    Parameters
    ----------
    outcome : array_like, (n_obs,)
        With fixed effects taken out.
    design : array_like, (n_obs, n_terms)
        With the same fixed effects taken out; of full rank.
    clusters : array_like, (n_obs,)
        Level of assignment.
    seed : int
        Seed of random weights.
    coefficient : int
        Position of the term tested.
    null_value : float
        Its value under the null.
    residualise : callable, optional
        What took the fixed effects out, from (n_obs, k) to (n_obs, k): it is applied to the bootstrap
        outcomes, too. Needed when fixed effects cut across clusters, as years do; effects of
        schools nested in clusters need none.
    weights : {"auto", "rademacher", "webb"}
        "auto" is Webb up to 10 clusters and signs above. Signs are enumerated when there are at most
        as many vectors as draws.
    n_draws : int
        Random vectors of weights.
    confidence_level : float
        In (0, 1).

    Notes
    -----
    Assumes errors independent between clusters. With few treated clusters the restricted bootstrap hardly
    ever rejects, and is no substitute for a permutation test.

    References
    ----------
    Cameron, A. C., Gelbach, J. B. and Miller, D. L. (2008). Bootstrap-based improvements for inference
    with clustered errors. Review of Economics and Statistics 90(3), 414-427.
    Roodman, D., Nielsen, M. O., MacKinnon, J. G. and Webb, M. D. (2019). Fast and wild: bootstrap
    inference in Stata using boottest. Stata Journal 19(1), 4-60.
    MacKinnon, J. G. and Webb, M. D. (2017). Wild bootstrap inference for wildly different cluster
    sizes. Journal of Applied Econometrics 32(2), 233-254 (few treated clusters).
    """
    if weights not in get_args(WildWeights):
        raise ValueError(f"weights must be one of {get_args(WildWeights)}, not {weights!r}")
    problem = _Problem(
        np.asarray(outcome, dtype=float),
        np.asarray(design, dtype=float),
        np.asarray(clusters),
        coefficient,
        residualise,
    )
    kind, is_exact, drawn = _weights(problem.n_clusters, weights, n_draws, seed)
    bootstrap = _Bootstrap(problem, drawn, is_exact)
    # One less 0.9 is below a tenth in floating point.
    size = (1 - confidence_level) * (1 + TIE)
    return WildTest(
        estimate=problem.estimate,
        std_error=problem.std_error,
        statistic=(problem.estimate - null_value) / problem.std_error,
        p_value=bootstrap.p_value(null_value),
        conf_low=_end(bootstrap, problem, size, -1.0),
        conf_high=_end(bootstrap, problem, size, 1.0),
        confidence_level=confidence_level,
        n_clusters=problem.n_clusters,
        n_draws=len(drawn),
        weights=kind,
        is_exact=is_exact,
    )


class _Problem:
    """A regression reduced to sums by cluster: all that a bootstrap statistic needs."""

    def __init__(
        self,
        outcome: Floats,
        design: Floats,
        clusters: NDArray,
        coefficient: int,
        residualise: Residualiser | None,
    ) -> None:
        if not (np.isfinite(outcome).all() and np.isfinite(design).all()):
            raise ValueError("outcome and design must be complete and finite")
        if np.linalg.matrix_rank(design) < design.shape[1]:
            raise ValueError("the design is not of full rank")
        labels, self.member = np.unique(clusters, return_inverse=True)
        self.n_clusters = len(labels)
        if self.n_clusters < 2:
            raise ValueError("a bootstrap of clusters needs two clusters")
        self.design, self.residualise = design, residualise
        self.inverse = np.linalg.inv(design.T @ design)
        self.influence = design @ self.inverse[:, coefficient]
        beta = self.inverse @ (design.T @ outcome)
        self.estimate = float(beta[coefficient])
        scores = self._sums(self.influence * (outcome - design @ beta))
        self.factor = self.n_clusters / (self.n_clusters - 1)
        self.std_error = float(np.sqrt(self.factor * scores @ scores))
        # Under the null the residual is that of the outcome less the null value times that of the term.
        others = np.delete(design, coefficient, axis=1)
        term = design[:, coefficient]
        self.parts = [self._by_cluster(_residual(column, others)) for column in (outcome, term)]

    def _by_cluster(self, residual: Floats) -> tuple[Floats, Floats]:
        """Return the scores of a residual moved in one cluster at a time.

        First (n_clusters,): what the cluster's residual adds to the coefficient. Then
        (n_clusters, n_clusters): sum over a cluster (row) of influence times the unrestricted residual
        of a regression of the residual of one cluster (column).
        """
        moved = self._sums(self.influence * residual)
        sums = self._column_sums(self.design * residual[:, None])
        predicted = self._column_sums(self.design * self.influence[:, None]) @ self.inverse @ sums.T
        own = np.diag(moved)
        if self.residualise is not None:
            own = np.empty((self.n_clusters, self.n_clusters))
            for cluster in range(self.n_clusters):
                alone = np.where(self.member == cluster, residual, 0.0)
                left = self.residualise(alone[:, None])[:, 0]
                own[:, cluster] = self._sums(self.influence * left)
        return moved, own - predicted

    def _sums(self, values: Floats) -> Floats:
        return np.bincount(self.member, values, minlength=self.n_clusters).astype(np.float64)

    def _column_sums(self, values: Floats) -> Floats:
        return np.column_stack([self._sums(column) for column in values.T])


class _Bootstrap:
    """Bootstrap statistics as functions of the null value."""

    def __init__(self, problem: _Problem, weights: Floats, is_exact: bool) -> None:
        self.problem, self.is_exact = problem, is_exact
        (moved, scores), (moved_term, scores_term) = problem.parts
        self.moved, self.moved_term = weights @ moved, weights @ moved_term
        self.scores, self.scores_term = weights @ scores.T, weights @ scores_term.T

    def statistics(self, null_value: float) -> Floats:
        """Return t-statistics of the draws about the null value."""
        moved = self.moved - null_value * self.moved_term
        scores = self.scores - null_value * self.scores_term
        spread = np.sqrt(self.problem.factor * np.einsum("bg,bg->b", scores, scores))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0, np.abs(moved) / spread, np.inf)

    def p_value(self, null_value: float) -> float:
        """Return the share of draws at least as extreme as the data."""
        observed = abs(self.problem.estimate - null_value) / self.problem.std_error
        n_larger = np.count_nonzero(self.statistics(null_value) >= observed * (1 - TIE))
        added = 0 if self.is_exact else 1
        return (n_larger + added) / (len(self.moved) + added)


def _residual(values: Floats, design: Floats) -> Floats:
    if not design.shape[1]:
        return values
    return values - design @ np.linalg.lstsq(design, values, rcond=None)[0]


def _weights(
    n_clusters: int, weights: WildWeights, n_draws: int, seed: int
) -> tuple[Multiplier, bool, Floats]:
    """Return the distribution, whether its vectors are all there, and the vectors."""
    kind = weights
    if kind == "auto":
        kind = "webb" if n_clusters <= FEW_CLUSTERS else "rademacher"
    if kind == "rademacher" and 2**n_clusters <= n_draws:
        return kind, True, np.array(list(product((-1.0, 1.0), repeat=n_clusters)))
    rng = np.random.default_rng(seed)
    return kind, False, draw_multipliers(rng, n_draws, n_clusters, kind)


def _end(bootstrap: _Bootstrap, problem: _Problem, size: float, side: float) -> float:
    """Return the null value on one side of the estimate at which the p-value falls to the size."""
    step = 1.0
    while bootstrap.p_value(problem.estimate + side * step * problem.std_error) > size:
        step *= 2
        if step > FARTHEST:
            return side * np.inf
    low, high = 0.0, step
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        is_kept = bootstrap.p_value(problem.estimate + side * middle * problem.std_error) > size
        low, high = (middle, high) if is_kept else (low, middle)
    return problem.estimate + side * (low + high) / 2 * problem.std_error
