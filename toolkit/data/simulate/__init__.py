"""Synthetic counties (模拟数据) whose verdicts and effects are planted and known."""

from toolkit.data.simulate.county import SimulatedCounty, simulate_county, simulate_pool
from toolkit.data.simulate.settings import (
    DEMO,
    DEMO_SEED,
    NO_EFFECTS,
    PlantedEffects,
    SimulationSettings,
    is_synthetic,
)
from toolkit.data.simulate.writing import write_county

__all__ = [
    "DEMO",
    "DEMO_SEED",
    "NO_EFFECTS",
    "PlantedEffects",
    "SimulatedCounty",
    "SimulationSettings",
    "is_synthetic",
    "simulate_county",
    "simulate_pool",
    "write_county",
]
