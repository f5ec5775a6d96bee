"""Tests of few pupils in the public edition: nothing that was computed from them is shown."""

from dataclasses import replace

import numpy as np

from toolkit.reporting.edition import Edition, minimum_cell
from toolkit.variation.achievement import VALUES, AchievementReadings


def withhold_small_tests(readings: AchievementReadings, edition: Edition) -> AchievementReadings:
    """Return the readings as an edition may show them.

    In the public edition a test with fewer pupils than the smallest cell has neither readings nor its number
    of pupils, and whatever is built on the readings leaves it out.
    """
    table = readings.table
    small = (table["n_pupils"] > 0) & (table["n_pupils"] < minimum_cell())
    if edition == "internal" or not small.any():
        return readings
    kept = table.assign(refusal=table["refusal"].mask(small, "withheld_few_pupils"))
    for name in (*VALUES, "n_pupils", "coverage", "group_size"):
        kept[name] = kept[name].astype(float).mask(small, np.nan)
    return replace(readings, table=kept)
