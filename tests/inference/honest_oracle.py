"""The frozen event studies and intervals in tests/oracles/honest, and the Medicaid event study."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd

from toolkit.inference.honest_study import EventStudy

ORACLES = Path(__file__).resolve().parent.parent / "oracles"
MANY = 1e4


def frozen_studies():
    """Event studies and weights of their targets."""
    studies = []
    for design in json.loads((ORACLES / "honest" / "designs.json").read_text(encoding="utf-8")):
        coefficients, n_before = np.array(design["coefficients"]), design["n_before"]
        before, after = coefficients[:n_before], coefficients[n_before:]
        studies.append(
            (EventStudy(before, after, np.array(design["covariance"]), MANY), np.array(design["weights"]))
        )
    return studies


def frozen_rows(name):
    with (ORACLES / "honest" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def random_study(rng, n_before, n_after, scale=1.0):
    """An event study with any covariance."""
    size = n_before + n_after
    loading = rng.normal(size=(size, size))
    covariance = scale**2 * (loading @ loading.T + 0.3 * np.eye(size)) / size
    coefficients = scale * rng.normal(size=size)
    return EventStudy(coefficients[:n_before], coefficients[n_before:], covariance, MANY)


def medicaid_study():
    """Two-way fixed effects on the expansion of Medicaid in 2014, clustered by state, as fixest."""
    table = pd.read_csv(ORACLES / "mpdta" / "ehec.csv")
    table = table[(table["year"] < 2016) & (table["yexp2"] != 2015)]
    outcome = table.pivot(index="stfips", columns="year", values="dins").to_numpy()
    expanded = (table.groupby("stfips")["yexp2"].first() == 2014).to_numpy()
    n_states, n_years = outcome.shape
    base = 2013 - 2008
    # With a balanced panel and one date of adoption the regression is a difference of mean changes.
    changes = np.delete(outcome - outcome[:, [base]], base, axis=1)
    means = np.array([changes[expanded == status].mean(axis=0) for status in (False, True)])
    counts = np.array([(~expanded).sum(), expanded.sum()])
    share = (changes - means[expanded.astype(int)]) / counts[expanded.astype(int), None]
    n_terms = 7 + n_years
    factor = n_states / (n_states - 1) * (outcome.size - 1) / (outcome.size - n_terms)
    covariance = factor * share.T @ share
    estimates = means[1] - means[0]
    return EventStudy(estimates[:base], estimates[base:], covariance, float(n_states))
