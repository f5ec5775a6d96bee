"""What the report of a county says, read from the files that its run left behind."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from toolkit.errors import JunhengError
from toolkit.reporting.edition import Edition
from toolkit.reporting.findings import load_findings
from toolkit.reporting.notebook_runs import RESULTS_FOLDER
from toolkit.reporting.record import RunRecord, load_record
from toolkit.tables.saved import load_saved_table

logger = logging.getLogger(__name__)

VARIATION = "02_inter_school_variation"
COUNTY_VERDICT = "verdict_county"
COEFFICIENTS = "coefficients"
STAGES = "stage_verdicts"


@dataclass(frozen=True, slots=True, eq=False)
class CountyResults:
    """Verdict and coefficients of one county and year.

    Attributes
    ----------
    record : RunRecord
        The record of the run.
    verdict : str
        "pass", "fail" or "undecided" of the county; empty when the run did not judge it.
    stages : pandas.DataFrame
        `stage` and `overall_verdict`.
    coefficients : pandas.DataFrame
        `stage`, `indicator_id`, `name`, `coefficient`, `limit`, `verdict`, `is_provisional`.
    """

    record: RunRecord
    verdict: str
    stages: pd.DataFrame
    coefficients: pd.DataFrame

    @property
    def edition(self) -> Edition:
        """Edition of the report."""
        return "public" if self.record.edition == "public" else "internal"


def load_county_results(report: Path) -> CountyResults:
    """Load what the summary tells of a report; nothing is computed again.

    Raises
    ------
    RunError
        If the record cannot be read.
    """
    record = load_record(report)
    results = report / RESULTS_FOLDER / VARIATION
    nothing = CountyResults(record, "", pd.DataFrame(), pd.DataFrame())
    if not results.is_dir():
        return nothing
    try:
        findings = {finding.id: finding for finding in load_findings(results).findings}
        stages = load_saved_table(results, STAGES).data
        exhibit = load_saved_table(results, COEFFICIENTS)
    except (JunhengError, OSError):
        logger.warning("the results of a report cannot be read: %s", report, exc_info=True)
        return nothing
    judged = findings.get(COUNTY_VERDICT)
    verdict = judged.status if judged is not None and judged.status != "none" else ""
    provisional = {row for (row, name), mark in exhibit.marks_by_cell.items()
                   if name == "coefficient" and mark == "provisional"}  # fmt: skip
    coefficients = exhibit.data.assign(
        is_provisional=[row in provisional for row in range(len(exhibit.data))]
    )
    return CountyResults(record, verdict, stages, coefficients)


def binding_indicators(results: CountyResults) -> pd.DataFrame:
    """Return the coefficients above their limits, in the order of the table."""
    table = results.coefficients
    return table if table.empty else table[table["verdict"] == "fail"]
