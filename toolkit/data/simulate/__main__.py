"""Write the committed demo county again: `python -m toolkit.data.simulate [FOLDER]`."""

import sys
from pathlib import Path

from toolkit.data.simulate import DEMO, DEMO_SEED, simulate_county, write_county

COMMITTED = Path(__file__).parents[3] / "data"


def main(arguments: list[str]) -> None:
    """Write `demo_county.xlsx` and its folder."""
    folder = Path(arguments[0]) if arguments else COMMITTED
    folder.mkdir(parents=True, exist_ok=True)
    write_county(simulate_county(DEMO, seed=DEMO_SEED), folder / "demo_county.xlsx")


if __name__ == "__main__":
    main(sys.argv[1:])
