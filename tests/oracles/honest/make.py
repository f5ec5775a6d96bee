"""Draw event studies, and freeze the honest bounds that two other packages give for them.

    python -m venv /tmp/statspai && /tmp/statspai/bin/pip install StatsPAI==1.40.2
    python -m venv /tmp/moderndid && /tmp/moderndid/bin/pip install "moderndid[didhonest]==0.2.0"
    python tests/oracles/honest/make.py designs
    /tmp/statspai/bin/python tests/oracles/honest/make.py relative
    /tmp/statspai/bin/python tests/oracles/honest/make.py power
    /tmp/moderndid/bin/python tests/oracles/honest/make.py smooth

`designs.json` has the event studies, `relative.csv` the intervals under relative magnitudes (StatsPAI,
conditional and C-LF), `power.csv` the power of single coefficients against straight trends (StatsPAI),
`smooth.csv` the intervals under smoothness (moderndid). StatsPAI inverts its test on a grid: its ends are
looked for on a second, finer grid. Its first-step critical value is simulated with 1,000 draws, here with
100,000. moderndid 0.2.0 is not used for relative magnitudes: its pieces leave out the first change before
the base period (they run over s = -(n_before - 1), ..., -1 in indices from 0; HonestDiD over
-(n_before - 1), ..., 0 from 1).
"""

import csv
import functools
import json
import sys
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent
SHAPES = [
    (2, 1),
    (2, 2),
    (2, 4),
    (3, 1),
    (3, 2),
    (3, 3),
    (3, 6),
    (4, 2),
    (4, 3),
    (4, 5),
    (5, 1),
    (5, 2),
    (5, 6),
]
RATIOS = (0.5, 1.0, 2.0)
CURVATURES = (0.0, 0.2, 1.0)
THRESHOLD = 1.959963984540054
FIRST_STEP_DRAWS = 100_000


def draw_designs():
    """Write event studies with correlated errors, trends and effects, one per shape."""
    rng = np.random.default_rng(20261122)
    designs = []
    for number, (n_before, n_after) in enumerate(SHAPES):
        size = n_before + n_after
        # Period means with serial correlation, less that of the base period, plus noise of any shape.
        level = 0.6 ** np.abs(np.subtract.outer(np.arange(size + 1), np.arange(size + 1)))
        loading = rng.normal(size=(size + 1, 3)) / 3
        level += loading @ loading.T
        less_base = np.delete(np.eye(size + 1), n_before, axis=0)
        less_base[:, n_before] = -1
        covariance = less_base @ level @ less_base.T * rng.uniform(0.3, 1.5)
        weights = [
            np.eye(n_after)[0],
            np.full(n_after, 1 / n_after),
            np.eye(n_after)[-1],
            rng.dirichlet(np.ones(n_after)),
        ]
        trend = rng.normal(scale=0.4) * np.delete(np.arange(size + 1) - n_before, n_before)
        effect = np.repeat([0.0, 4.0], [n_before, n_after])
        coefficients = trend + effect + rng.multivariate_normal(np.zeros(size), covariance)
        designs.append(
            {
                "n_before": n_before,
                "coefficients": coefficients.round(6).tolist(),
                "covariance": covariance.round(9).tolist(),
                "weights": weights[number % 4].round(6).tolist(),
            }
        )
    with (FOLDER / "designs.json").open("w", encoding="utf-8", newline="\n") as file:
        file.write("[\n" + ",\n".join(json.dumps(design) for design in designs) + "\n]\n")


def read_designs():
    """Yield number, coefficients, covariance, number of periods before and after, and weights."""
    for number, design in enumerate(json.loads((FOLDER / "designs.json").read_text(encoding="utf-8"))):
        coefficients, covariance = np.array(design["coefficients"]), np.array(design["covariance"])
        n_before = design["n_before"]
        yield (
            number,
            coefficients,
            covariance,
            n_before,
            len(coefficients) - n_before,
            np.array(design["weights"]),
        )


def write(name, header, rows):
    """Write rows of numbers."""
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def freeze_relative():
    """Write intervals under relative magnitudes from StatsPAI."""
    from statspai.did import _arp

    _arp._least_favorable_cv = functools.partial(_arp._least_favorable_cv, sims=FIRST_STEP_DRAWS)
    rows = []
    for number, beta, sigma, n_before, n_after, weights in read_designs():
        for test, method in (("hybrid", "C-LF"), ("conditional", "Conditional")):
            for ratio in RATIOS:

                def ends(
                    low,
                    high,
                    points,
                    ratio=ratio,
                    method=method,
                    given=(beta, sigma, n_before, n_after, weights),
                ):
                    beta, sigma, n_before, n_after, weights = given
                    return _arp.rm_confidence_set(
                        beta,
                        sigma,
                        n_before,
                        n_after,
                        ratio,
                        weights,
                        method=method,
                        grid_lb=low,
                        grid_ub=high,
                        grid_points=points,
                    )[:2]

                spread = np.sqrt(weights @ sigma[n_before:, n_before:] @ weights)
                centre = weights @ beta[n_before:]
                jumps = np.abs(np.diff(np.append(beta[:n_before], 0))).max()
                reach = 15 * spread + ratio * jumps * (np.arange(1, n_after + 1) @ np.abs(weights))
                step = 2 * reach / 400
                low, high = ends(centre - reach, centre + reach, 401)
                low = ends(low - step, low, 201)[0]
                high = ends(high, high + step, 201)[1]
                rows.append([number, test, ratio, f"{low:.6f}", f"{high:.6f}", f"{step / 200:.2g}"])
                print(rows[-1], flush=True)
    write("relative.csv", ["design", "test", "ratio", "low", "high", "grid"], rows)


def freeze_power():
    """Write the power of single coefficients against straight trends from StatsPAI."""
    from statspai.did.pretrends import pretrends_power

    rows = []
    for number, beta, sigma, n_before, n_after, _ in read_designs():
        times = [*range(-n_before - 1, -1), *range(n_after)]
        slope = round(1.5 * np.sqrt(sigma[0, 0]) / n_before, 6)
        found = pretrends_power(beta, slope=slope, sigma=sigma, event_times=times, threshold=THRESHOLD)
        rows.append([number, slope, f"{found['power']:.6f}"])
        print(rows[-1], flush=True)
    write("power.csv", ["design", "slope", "power"], rows)


def freeze_smooth():
    """Write intervals under smoothness from moderndid."""
    from moderndid.didhonest.fixed_length_ci import compute_flci

    rows = []
    for number, beta, sigma, n_before, n_after, weights in read_designs():
        for curvature in CURVATURES:
            low, high = compute_flci(beta, sigma, curvature, n_before, n_after, weights).flci
            rows.append([number, curvature, f"{low:.6f}", f"{high:.6f}"])
    write("smooth.csv", ["design", "curvature", "low", "high"], rows)


if __name__ == "__main__":
    parts = {
        "designs": draw_designs,
        "relative": freeze_relative,
        "power": freeze_power,
        "smooth": freeze_smooth,
    }
    parts[sys.argv[1]]()
