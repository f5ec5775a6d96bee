"""Coverage of both intervals of the intraclass correlation, measured on simulated counties.

    python benchmarks/coverage.py [number of draws]

2,000 draws for each setting: k = 8, 12, 20, 40 schools, of 30 pupils each or of 20 to 600 (in a
geometric row), true correlation 0.05 to 0.30, normal school effects; and some of the same with effects drawn
from a standardised exponential distribution (skewness 2), for which neither interval is made. Sufficient
statistics are drawn directly: given the effects, means of schools are normal and the sum of squares within
schools is chi-squared. Whether an interval holds the truth is decided at the truth itself (the pivot between
the quantiles of F, the criterion within that of chi-squared), by plain formulas for all draws at once; on
the first draws the toolkit computes the bounds as well and must agree. Writes
`toolkit/models/coverage.csv`, which the report quotes.
"""

import csv
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.models.icc_interval import icc_interval  # noqa: E402
from toolkit.models.random_intercept import group_sums_from_moments  # noqa: E402

Array = NDArray[np.float64]

DRAWS = 2000
DRAWS_WITH_BOUNDS = 50
CONFIDENCE_LEVEL = 0.95
SEED = 20171
N_GROUPS = (8, 12, 20, 40)
SIZES = ("equal", "unequal")
CORRELATIONS = {"normal": (0.05, 0.10, 0.15, 0.20, 0.30), "skewed": (0.05, 0.15, 0.30)}
METHODS = ("exact", "profile")
COLUMNS = (
    "method",
    "n_groups",
    "sizes",
    "effects",
    "icc",
    "coverage",
    "below",
    "above",
    "mean_width",
    "draws",
)
RESULTS = ROOT / "toolkit" / "models" / "coverage.csv"


def main() -> int:
    """Simulate all settings and write the table."""
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else DRAWS
    designs = [
        (effects, *design)
        for effects, correlations in CORRELATIONS.items()
        for design in product(N_GROUPS, SIZES, correlations)
    ]
    settings = [(number, draws, *design) for number, design in enumerate(designs)]
    rows = []
    with ProcessPoolExecutor(max_workers=2) as workers:
        for part in workers.map(measure, settings):
            rows += part
            print(*part, sep="\n", flush=True)
    with RESULTS.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(rows)
    return 0


def measure(setting: tuple[int, int, str, int, str, float]) -> list[tuple[object, ...]]:
    """Return one row per method for a setting; each setting has its own stream of random numbers."""
    number, draws, effects, k, sizes, icc = setting
    rng = np.random.default_rng([SEED, number])
    n = np.full(k, 30.0) if sizes == "equal" else np.round(np.geomspace(20, 600, k))
    school = rng.standard_normal((draws, k)) if effects == "normal" else rng.exponential(size=(draws, k)) - 1
    mean = np.sqrt(icc) * school + np.sqrt((1 - icc) / n) * rng.standard_normal((draws, k))
    within = (1 - icc) * rng.chisquare(n.sum() - k, size=draws)
    sides = sides_of_truth(n, mean, within, icc / (1 - icc))
    widths = np.empty((min(draws, DRAWS_WITH_BOUNDS), len(METHODS)))
    for draw, column in np.ndindex(widths.shape):
        sums = group_sums_from_moments(n, mean[draw], within[draw])
        interval = icc_interval(sums, method=METHODS[column], confidence_level=CONFIDENCE_LEVEL)
        assert float(interval.low > icc) - float(interval.high < icc) == sides[column][draw]
        widths[draw, column] = interval.high - interval.low
    rows: list[tuple[object, ...]] = []
    for column, method in enumerate(METHODS):
        below, above = (round(float(np.mean(sides[column] == side)), 4) for side in (-1, 1))
        width = round(float(widths[:, column].mean()), 3)
        rows.append((method, k, sizes, effects, icc, round(1 - below - above, 4), below, above, width, draws))
    return rows


def sides_of_truth(n: Array, mean: Array, within: Array, truth: float) -> tuple[Array, Array]:
    """Return for both methods 0 where the interval holds the truth, -1 (1) where it lies below (above)."""
    k, total = len(n), n.sum()
    between, _ = weighted_squares(n, mean, np.full((len(mean), 1), truth))
    pivot = (between[:, 0] / (k - 1)) / (within / (total - k))
    tail = (1 - CONFIDENCE_LEVEL) / 2
    chance = stats.f.cdf(pivot, k - 1, total - k)
    # A large pivot at the truth says that the schools differ more than they would.
    exact = (chance > 1 - tail).astype(float) - (chance < tail)

    coarse = np.concatenate([[0.0], np.exp(np.arange(-16, 7, 0.1))])
    values = reml_criterion(n, mean, within, np.broadcast_to(coarse, (len(mean), len(coarse))))
    best = coarse[np.argmin(values, axis=1)]
    fine = best[:, np.newaxis] * np.exp(np.linspace(-0.1, 0.1, 81))
    refined = reml_criterion(n, mean, within, fine)
    estimate = fine[np.arange(len(mean)), np.argmin(refined, axis=1)]
    lowest = np.minimum(values.min(axis=1), refined.min(axis=1))
    rise = reml_criterion(n, mean, within, np.full((len(mean), 1), truth))[:, 0] - lowest
    profile = (rise > stats.chi2.ppf(CONFIDENCE_LEVEL, 1)) * np.sign(estimate - truth)
    return exact, profile


def reml_criterion(n: Array, mean: Array, within: Array, ratio: Array) -> Array:
    """Return the REML criterion of each draw at its ratios (n_draws, n_ratios), up to a constant."""
    between, information = weighted_squares(n, mean, ratio)
    determinant = np.log1p(ratio[..., np.newaxis] * n).sum(axis=-1) + np.log(information)
    return (n.sum() - 1) * np.log(within[:, np.newaxis] + between) + determinant


def weighted_squares(n: Array, mean: Array, ratio: Array) -> tuple[Array, Array]:
    """Return sum w (mean - centre)^2 and sum w with w = n / (1 + n ratio), each (n_draws, n_ratios)."""
    weight = n / (1 + ratio[..., np.newaxis] * n)
    information = weight.sum(axis=-1)
    centre = np.einsum("dgk,dk->dg", weight, mean) / information
    deviation = mean[:, np.newaxis] - centre[..., np.newaxis]
    return np.sum(weight * deviation**2, axis=-1), information


if __name__ == "__main__":
    sys.exit(main())
