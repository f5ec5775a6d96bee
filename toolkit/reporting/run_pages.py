"""The pages of one run: one for each notebook that was executed, and the index."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolkit.reporting.annual import ANNUAL_REPORT, LEDGER_NAME
from toolkit.reporting.findings import FILE_NAME as FINDINGS_NAME
from toolkit.reporting.findings import Finding, load_findings
from toolkit.reporting.index import Download, FailedPart, IndexEntry, ReportIndex, render_index
from toolkit.reporting.narrative import read_narrative
from toolkit.reporting.notebook import read_notebook
from toolkit.reporting.notebook_runs import RESULTS_FOLDER, DoneNotebook, FailedNotebook
from toolkit.reporting.page import PageHeader, PageLink
from toolkit.reporting.parameters import StudyParameters, printed_parameters
from toolkit.reporting.render import Page, render_page
from toolkit.reporting.study import load_table_titles
from toolkit.vocabulary import label, sentence

VARIATION = "02_inter_school_variation"
# The verdicts on the first page, the overall one first: beginnings of the ids of findings, by notebook.
VERDICT_IDS = {
    ANNUAL_REPORT: (
        "items_county",
        "items_part_resource",
        "items_part_government",
        "items_part_quality",
        "items_part_social",
    ),
    VARIATION: ("verdict_",),
}
CHANGE_IDS = "change_"
# Where the annual report counts the resources among its parts, the first page need not say it twice.
SAID_BY_PARTS = "verdict_county"
# The chapter on resources says the same in more detail.
SAID_IN_DETAIL = ("binding_coefficients", "items_not_judged", "gap_schools")
HEADLINE_KINDS = ("headline", "not_judged")
# Cautions as important as this stand on the index too: a verdict that is not robust, data that are missing.
URGENT = 3


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """What the pages of a run are made from.

    Attributes
    ----------
    header : PageHeader
        Head and foot of all pages.
    records : mapping of str to StudyParameters
        Parameters by notebook.
    done : tuple of DoneNotebook
        The notebooks that were executed, in order.
    failed : tuple of FailedNotebook
        Those that failed.
    narratives : mapping of str to Path
        File with the county's own text, by notebook.
    folder : Path
        Folder of the run; it holds the results and receives the pages.
    embed_font : bool
        Whether pages bring a Chinese font along.
    facts : tuple of (str, str)
        Label and value of the counts of schools behind the verdict.
    """

    header: PageHeader
    records: Mapping[str, StudyParameters]
    done: tuple[DoneNotebook, ...]
    failed: tuple[FailedNotebook, ...]
    narratives: Mapping[str, Path]
    folder: Path
    embed_font: bool
    facts: tuple[tuple[str, str], ...]

    def results(self, notebook: DoneNotebook) -> Path:
        """Return the folder with the tables and findings of a notebook."""
        return self.folder / RESULTS_FOLDER / notebook.name


def write_pages(run: FinishedRun) -> None:
    """Write the page of each notebook, then ``index.html``."""
    links = [PageLink(notebook.title, f"{notebook.name}.html") for notebook in run.done]
    neighbours = zip([None, *links[:-1]], [*links[1:], None], strict=True) if links else ()
    for notebook, (previous, following) in zip(run.done, neighbours, strict=True):
        page = notebook_page(run, notebook, previous, following)
        _write(run.folder / f"{notebook.name}.html", render_page(read_notebook(notebook.executed), page))
    _write(run.folder / "index.html", render_index(report_index(run), embed_font=run.embed_font))


def report_index(run: FinishedRun) -> ReportIndex:
    """Return what the first page shows: verdicts, change in a year, then the headlines of each notebook."""
    findings = {
        notebook.name: load_findings(run.results(notebook) / FINDINGS_NAME).findings for notebook in run.done
    }
    verdicts = [
        finding
        for name, beginnings in VERDICT_IDS.items()
        for finding in findings.get(name, ())
        if finding.id.startswith(beginnings)
    ]
    covers_all = ANNUAL_REPORT in findings
    return ReportIndex(
        header=run.header,
        verdicts=tuple(finding for finding in verdicts if not (covers_all and finding.id == SAID_BY_PARTS)),
        entries=tuple(
            IndexEntry(
                title=notebook.title,
                href=f"{notebook.name}.html",
                summary=sentence(f"summary_{notebook.name}", run.header.language),
                headlines=_headlines(findings[notebook.name], verdicts),
            )
            for notebook in run.done
        ),
        not_run=(),
        failures=tuple(
            FailedPart(notebook.title, notebook.error.section, notebook.error.reason)
            for notebook in run.failed
        ),
        downloads=tuple(download for notebook in run.done for download in _downloads(run, notebook)),
        remarks=(sentence("remark_scope", run.header.language),) if verdicts and not covers_all else (),
        facts=run.facts,
        changes=tuple(
            finding for finding in findings.get(VARIATION, ()) if finding.id.startswith(CHANGE_IDS)
        ),
    )


def notebook_page(
    run: FinishedRun,
    notebook: DoneNotebook,
    previous: PageLink | None = None,
    following: PageLink | None = None,
) -> Page:
    """Return what stands around a notebook: title, parameters, the county's own text, results."""
    return Page(
        header=run.header,
        title=notebook.title,
        parameters=tuple(printed_parameters(run.records[notebook.name], run.header.language)),
        narrative=read_narrative(run.narratives[notebook.name]),
        results=run.results(notebook),
        results_href=f"{RESULTS_FOLDER}/{notebook.name}",
        previous_page=previous,
        next_page=following,
        embed_font=run.embed_font,
    )


def _headlines(findings: Sequence[Finding], verdicts: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that the index repeats below the verdicts."""
    return tuple(
        finding
        for finding in findings
        if finding not in verdicts
        and finding.id not in SAID_IN_DETAIL
        and (finding.kind in HEADLINE_KINDS or (finding.kind == "limit" and finding.importance <= URGENT))
    )


def _downloads(run: FinishedRun, notebook: DoneNotebook) -> list[Download]:
    """Return the tables of a notebook with their titles, in the order of the page, the ledger first."""
    folder = f"{RESULTS_FOLDER}/{notebook.name}"
    ledger = []
    if (run.results(notebook) / LEDGER_NAME).exists():
        title = label("ledger_to_fill_in", run.header.language)
        ledger = [Download(title, "", f"{folder}/{LEDGER_NAME}")]
    return ledger + [
        Download(title, f"{folder}/{key}.csv", f"{folder}/{key}.xlsx")
        for key, title in load_table_titles(run.results(notebook)).items()
    ]


def _write(path: Path, html: str) -> None:
    path.write_text(html, encoding="utf-8", newline="\n")
