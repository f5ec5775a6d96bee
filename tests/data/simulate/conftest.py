import pytest

from toolkit.data.simulate import DEMO_SEED, SimulatedCounty, simulate_county


@pytest.fixture(scope="session")
def demo() -> SimulatedCounty:
    return simulate_county(seed=DEMO_SEED)
