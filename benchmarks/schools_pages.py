"""Seconds for the pages of 300 schools, with gaps and ledger, in one process.

    python benchmarks/schools_pages.py

The county has 300 schools and 10 years. Reading and the verdicts are not counted: a report has them anyway.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from toolkit.data.simulate import SimulationSettings, simulate_county  # noqa: E402
from toolkit.indicators.resources import compute_resource_indicators  # noqa: E402
from toolkit.planning.gaps import compute_gaps  # noqa: E402
from toolkit.planning.ledger import carry_over  # noqa: E402
from toolkit.planning.problems import collect_problems  # noqa: E402
from toolkit.reporting.ledger_workbook import ledger_bytes  # noqa: E402
from toolkit.reporting.page import PageHeader  # noqa: E402
from toolkit.reporting.school_pages import SchoolData, write_school_pages  # noqa: E402
from toolkit.standards import load_standard  # noqa: E402
from toolkit.variation.compliance import judge_resources  # noqa: E402

SEED = 1
LARGE = SimulationSettings(n_schools=300, first_year=2016, n_years=10, with_teachers=False, with_scores=False)
RESULTS = Path(__file__).with_name("schools_pages.json")


def main() -> int:
    """Measure, print and write `schools_pages.json`."""
    county = simulate_county(LARGE, seed=SEED).county
    resources = compute_resource_indicators(county, load_standard("national_2017"))
    year = resources.years[-1]
    compliance = judge_resources(resources, year=year)
    seconds = {}
    clock = time.perf_counter()
    gaps = compute_gaps(resources, compliance, year=year)
    problems = collect_problems(county, resources, compliance, gaps)
    ledger = carry_over(problems, None, county.tables.get("school_links"), year=year)
    seconds["gaps and ledger"] = time.perf_counter() - clock
    clock = time.perf_counter()
    ledger_bytes(ledger, county=county.name)
    seconds["workbook"] = time.perf_counter() - clock
    header = PageHeader("zh", county.name, year, "national_2017", "", "", "internal", (), True)
    data = SchoolData(resources, compliance, gaps, ledger, county.tables.get("classes"))
    with tempfile.TemporaryDirectory() as folder:
        clock = time.perf_counter()
        pages = write_school_pages(Path(folder), data, header)
        seconds["pages"] = time.perf_counter() - clock
        sizes = [path.stat().st_size for path in pages]
    result = {
        "pages": len(pages) - 1,
        "problems": len(ledger.rows),
        "seconds": {name: round(value, 2) for name, value in seconds.items()},
        "largest page kB": round(max(sizes[1:]) / 1000),
        "index kB": round(sizes[0] / 1000),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
