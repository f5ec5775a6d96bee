"""What a run leaves beside its pages when it is asked to: Word, PDF, school pages, filled forms."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolkit.errors import InputError, JunhengError, RunError
from toolkit.reporting.annual import analyse_year
from toolkit.reporting.form_values import collect_form_values, write_placeholders
from toolkit.reporting.forms import fill_form
from toolkit.reporting.notebook import read_notebook
from toolkit.reporting.notebook_runs import RESULTS_FOLDER
from toolkit.reporting.pdf import write_pdf
from toolkit.reporting.record import RunRecord
from toolkit.reporting.run_pages import ANNUAL_REPORT, FinishedRun, notebook_page
from toolkit.reporting.school_pages import SchoolData, write_school_pages
from toolkit.reporting.study import Study
from toolkit.reporting.word import write_word

WORD_NAME, PDF_NAME = f"{ANNUAL_REPORT}.docx", f"{ANNUAL_REPORT}.pdf"
SCHOOLS_FOLDER, FORMS_FOLDER = "schools", "forms"


@dataclass(frozen=True, slots=True)
class Outputs:
    """What is wanted beside the pages.

    Attributes
    ----------
    docx, pdf : bool
        The annual report as a Word document, and as a PDF printed by an installed browser.
    schools : bool
        One page for each school (一校一策).
    forms : tuple of pathlib.Path
        Forms of the province (xlsx, docx) whose placeholders are filled in.
    """

    docx: bool = False
    pdf: bool = False
    schools: bool = False
    forms: tuple[Path, ...] = ()

    def decisive(self) -> dict[str, Any]:
        """Return what tells a run with further outputs from one without; empty for none."""
        wanted = [name for name in ("docx", "pdf", "schools") if getattr(self, name)]
        return {"outputs": wanted} if wanted else {}


def require_forms(forms: tuple[Path, ...]) -> None:
    """Refuse forms that are not there, or that would overwrite each other, before anything is run.

    Raises
    ------
    InputError
        Naming the file that is absent, or the name that two forms share.
    """
    names = [form.name for form in forms]
    for form in forms:
        if not form.is_file():
            raise InputError("form_absent", form=form)
        if names.count(form.name) > 1:
            raise InputError("form_name_twice", form=form.name)


def write_outputs(
    run: FinishedRun, record: RunRecord, study: Study, outputs: Outputs, progress: Callable[[str], None]
) -> tuple[JunhengError, ...]:
    """Write what was asked for beside the pages into the folder of the run.

    Parameters
    ----------
    run : FinishedRun
        The run with its pages.
    record : RunRecord
        Its record.
    study : Study
        The study of the annual report.
    outputs : Outputs
        What is wanted.
    progress : callable
        Receives the name of each step.

    Returns
    -------
    tuple of JunhengError
        What could not be made, with the remedy. The report is complete without it.
    """
    notices: list[JunhengError] = []
    annual = next((notebook for notebook in run.done if notebook.name == ANNUAL_REPORT), None)
    if (outputs.docx or outputs.pdf) and annual is None:
        notices.append(RunError("annual_report_absent"))
    if outputs.docx and annual:
        progress("word")
        executed = read_notebook(annual.executed)
        notices += _told(lambda: write_word(executed, notebook_page(run, annual), run.folder / WORD_NAME))
    if outputs.pdf and annual:
        progress("pdf")
        notices += _told(lambda: write_pdf(run.folder / f"{ANNUAL_REPORT}.html", run.folder / PDF_NAME))
    if outputs.schools:
        progress("schools")
        notices += _told(lambda: _write_schools(run, study))
    if outputs.forms:
        progress("forms")
        values = collect_form_values(run.folder / RESULTS_FOLDER, record)
        write_placeholders(values, run.folder / FORMS_FOLDER, study.language)
        for form in outputs.forms:
            target = run.folder / FORMS_FOLDER / form.name
            notices += _told(lambda form=form, target=target: fill_form(form, values, target))
    return tuple(notices)


def _told(make: Callable[[], object]) -> list[JunhengError]:
    """Return what went wrong in making something that the report is complete without."""
    try:
        make()
    except JunhengError as error:
        return [error]
    return []


def _write_schools(run: FinishedRun, study: Study) -> None:
    """Write the pages of the schools."""
    analysis = analyse_year(study)
    data = SchoolData(
        resources=study.resources,
        compliance=analysis.compliance,
        gaps=analysis.gaps,
        ledger=analysis.ledger,
        classes=study.county.tables.get("classes"),
    )
    write_school_pages(run.folder / SCHOOLS_FOLDER, data, run.header)
