"""Results of the other notebooks of a run, shown again where a notebook refers to them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Literal, TypeVar

from toolkit.errors import RunError
from toolkit.exhibits import INTERACTIVE_STYLE, saved_exhibits
from toolkit.figures.saved import SavedFigure, load_saved_figure
from toolkit.reporting.findings import FILE_NAME as FINDINGS_NAME
from toolkit.reporting.findings import Finding, Findings, FindingsExhibit, load_findings
from toolkit.reporting.notebook import notebook_title, read_notebook
from toolkit.reporting.parameters import NOTEBOOKS
from toolkit.reporting.record import NotebookOutcome
from toolkit.reporting.study import Study, load_table_titles
from toolkit.share import resolve_path, share_path
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.saved import load_saved_table
from toolkit.vocabulary import Language, has_term, label, sentence

OUTCOMES_NAME = "outcomes.json"
STUDIES = ("03_group_schooling", "04_teacher_rotation", "05_value_added", "06_planning")
STUDY_KINDS = ("headline", "limit", "not_judged")

SavedKind = Literal["table", "figure"]
AnyExhibit = TypeVar("AnyExhibit", TableExhibit, SavedFigure)


@dataclass(frozen=True, slots=True)
class Notice:
    """One line in the place of what is not there. As the last expression of a cell it shows itself."""

    text: str

    def _repr_html_(self) -> str:
        return notice_html(self.text)


@dataclass(frozen=True, slots=True)
class StudiesExhibit:
    """The studies of a run one after another, each with its findings or the line that says why not."""

    parts: tuple[tuple[str, FindingsExhibit | Notice], ...]

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {len(self.parts)} studies>"

    def _repr_html_(self) -> str:
        return INTERACTIVE_STYLE + "".join(_study_html(title, shown) for title, shown in self.parts)


@dataclass(frozen=True, slots=True)
class SavedResults:
    """What the notebooks of a run left behind.

    Attributes
    ----------
    folder : pathlib.Path or None
        Folder with one folder of results for each notebook; None when a notebook is opened alone.
    language : {"zh", "en"}
        Language of what is shown.
    """

    folder: Path | None
    language: Language

    def was_run(self, notebook: str) -> bool:
        """Say whether a notebook was run to its end and left results."""
        if self.folder is None or not (self.folder / notebook).is_dir():
            return False
        outcome = _outcomes(self.folder).get(notebook)
        return outcome is None or outcome.status == "done"

    def findings(self, notebook: str) -> tuple[Finding, ...] | None:
        """Return the findings of a notebook, None when it left none that can be read."""
        found = self._findings(notebook)
        return found.findings if isinstance(found, Findings) else None

    def show_findings(self, notebook: str) -> FindingsExhibit | Notice:
        """Return the findings of a notebook as a list whose links lead to its tables."""
        found = self._findings(notebook)
        return self._shown(found) if isinstance(found, Findings) else found

    def show_table(self, notebook: str, key: str, *, rows: int = 0) -> TableExhibit | Notice:
        """Return a table of another notebook; its files stay with that notebook.

        Parameters
        ----------
        notebook, key : str
            Notebook that made the table, and the table's key.
        rows : int
            Rows shown at most; 0 for as many as that notebook shows.
        """
        shown = self._exhibit(notebook, key, "table", load_saved_table)
        if isinstance(shown, TableExhibit) and rows and len(shown.data) > rows:
            return replace(shown, rows_shown=rows)
        return shown

    def show_figure(self, notebook: str, key: str) -> SavedFigure | Notice:
        """Return a figure of another notebook."""
        return self._exhibit(notebook, key, "figure", load_saved_figure)

    def show_studies(self, studies: tuple[str, ...] = STUDIES) -> StudiesExhibit:
        """Return the headlines and limits of each study, or why it is not in this run."""
        parts = []
        for study in studies:
            found = self._findings(study)
            if isinstance(found, Findings):
                told = tuple(finding for finding in found.findings if finding.kind in STUDY_KINDS)
                found = self._shown(replace(found, findings=told or found.findings))
            parts.append((self.title(study), found))
        return StudiesExhibit(tuple(parts))

    def not_run(self, notebook: str) -> Notice:
        """Return the line that says that a notebook was not run, and why."""
        return Notice(
            sentence(
                "study_not_run" if notebook in NOTEBOOKS else "study_not_done",
                self.language,
                title=self.title(notebook),
                reason=self._reason(notebook),
            )
        )

    def title(self, notebook: str) -> str:
        """Return the title of a notebook, or of a study that this version does not have."""
        if notebook in NOTEBOOKS:
            return notebook_title(read_notebook(share_path("notebooks", f"{notebook}.ipynb")), self.language)
        return label(f"study_{notebook}", self.language) if has_term(f"study_{notebook}") else notebook

    def _findings(self, notebook: str) -> Findings | Notice:
        """Return what a notebook found, or the line in its place."""
        if self.folder is None or not self.was_run(notebook):
            return self.not_run(notebook)
        folder = self.folder / notebook
        if not (folder / FINDINGS_NAME).exists():
            return self._not_shown(notebook, label("not_run_no_findings", self.language))
        try:
            return load_findings(folder)
        except RunError as error:
            return self._not_shown(notebook, getattr(error, self.language))

    def _shown(self, found: Findings) -> FindingsExhibit | Notice:
        """Return findings of another notebook as a list, or the line in its place."""
        try:
            titles = load_table_titles(self.folder / found.notebook) if self.folder else {}
        except RunError as error:
            return self._not_shown(found.notebook, getattr(error, self.language))
        return FindingsExhibit(found, self.language, origin=found.notebook, titles=titles)

    def _exhibit(
        self, notebook: str, key: str, kind: SavedKind, load: Callable[[Path, str], AnyExhibit]
    ) -> AnyExhibit | Notice:
        """Return an exhibit of another notebook, or the line in its place."""
        if self.folder is None or not self.was_run(notebook):
            return self.not_run(notebook)
        folder = self.folder / notebook
        try:
            entry = saved_exhibits(folder).get(key)
            if entry is None or entry["kind"] != kind:
                return self._not_shown(notebook, label(f"exhibit_absent_{kind}", self.language), key)
            shown = load(folder, key)
        except RunError as error:
            return self._not_shown(notebook, getattr(error, self.language), key)
        return replace(shown, caption=replace(shown.caption, origin=notebook))

    def _not_shown(self, notebook: str, reason: str, key: str = FINDINGS_NAME) -> Notice:
        """Return the line in the place of a part that a notebook did not leave."""
        return Notice(
            sentence("exhibit_not_shown", self.language, title=self.title(notebook), key=key, reason=reason)
        )

    def _reason(self, notebook: str) -> str:
        """Return why a notebook left no results."""
        if self.folder is None:
            return label("not_run_alone", self.language)
        outcome = _outcomes(self.folder).get(notebook)
        if outcome is not None and outcome.reason:
            return outcome.reason
        return label("not_run_no_results" if notebook in NOTEBOOKS else "not_run_not_included", self.language)


def open_results(study: Study) -> SavedResults:
    """Return the results of the notebooks that were run with this one: the folders beside its own."""
    own = study.parameters.results_dir
    return SavedResults(resolve_path(own).parent if own else None, study.language)


def record_outcome(folder: Path, outcome: NotebookOutcome) -> None:
    """Write what became of a notebook, for those that run after it.

    Parameters
    ----------
    folder : pathlib.Path
        Folder with the results of all notebooks.
    outcome : NotebookOutcome
        Status and, unless it is "done", the reason on one line in the language of the run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    outcomes = {**_outcomes(folder), outcome.notebook: outcome}
    content = {
        name: {"status": known.status, "reason": known.reason} for name, known in sorted(outcomes.items())
    }
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (folder / OUTCOMES_NAME).write_bytes(f"{text}\n".encode())


def notice_html(text: str) -> str:
    """Return one line in the place of what is not there, as HTML."""
    return f'<p class="remark notice">{escape(text)}</p>'


def _study_html(title: str, shown: FindingsExhibit | Notice) -> str:
    """Return one study with its title, or the line that has the title in it."""
    if isinstance(shown, Notice):
        return notice_html(shown.text)
    return f'<p class="study-title"><strong>{escape(title)}</strong></p>{shown._repr_html_()}'


def _outcomes(folder: Path) -> Mapping[str, NotebookOutcome]:
    """Return what became of the notebooks of a run that were recorded."""
    path = folder / OUTCOMES_NAME
    if not path.exists():
        return {}
    content = json.loads(path.read_text(encoding="utf-8"))
    return {name: NotebookOutcome(name, entry["status"], entry["reason"]) for name, entry in content.items()}
