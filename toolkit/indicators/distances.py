"""Distances between places on the ground."""

import numpy as np
from numpy.typing import NDArray

from toolkit.indicators.adoption_units import EARTH_RADIUS_KM

Floats = NDArray[np.float64]


def great_circle_km(places: Floats, others: Floats) -> Floats:
    """Return great-circle distances by the haversine formula, (n_places, n_others), in km.

    Parameters
    ----------
    places, others : ndarray, (n, 2)
        Latitude and longitude in degrees; a missing coordinate gives a missing distance.
    """
    here, there = np.radians(places)[:, None, :], np.radians(others)[None, :, :]
    half = np.sin((there - here) / 2) ** 2
    chord = half[..., 0] + np.cos(here[..., 0]) * np.cos(there[..., 0]) * half[..., 1]
    return 2 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0, 1)))
