"""The province's own form filled in: placeholders such as {{county_name}} in a workbook or a document."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import InputError
from toolkit.reporting.form_values import FormValue, FormValues

PLACEHOLDER = re.compile(r"\{\{\s*(?P<name>[^{}]+?)\s*\}\}")
TABLE_PREFIX = "table:"
OLD_FORMATS = {".xls": ".xlsx", ".doc": ".docx", ".et": ".xlsx", ".wps": ".docx"}
MACRO_FORMATS = {".xlsm": ".xlsx", ".docm": ".docx", ".xlsb": ".xlsx"}
NEAREST = 3
NEAREST_SCORE = 55


@dataclass(frozen=True, slots=True)
class Found:
    """A placeholder and where it stands.

    Attributes
    ----------
    place : str
        Sheet and cell, or paragraph.
    name : str
        Name between the braces.
    is_alone : bool
        Whether nothing else stands in the cell or paragraph.
    is_fillable : bool
        Whether it can be filled there: not inside a formula, and a table has room.
    """

    place: str
    name: str
    is_alone: bool
    is_fillable: bool = True

    @property
    def table(self) -> str:
        """Key of the table asked for, empty when it is a single value."""
        return self.name.removeprefix(TABLE_PREFIX).strip() if self.name.startswith(TABLE_PREFIX) else ""


def fill_form(form: Path, values: FormValues, target: Path) -> Path:
    """Fill a form and return the path of the filled copy; the form itself is not changed.

    A cell of a workbook that holds one placeholder only becomes a number where the value is one.
    ``{{table:<key>}}`` alone in a cell or paragraph becomes a table. Values are put in as they are: text that
    looks like a formula stays text.

    Parameters
    ----------
    form : pathlib.Path
        An .xlsx or .docx file.
    values : FormValues
        From `collect_form_values`.
    target : pathlib.Path
        The file to write.

    Raises
    ------
    InputError
        If the form is of another kind or cannot be read; if it holds unknown placeholders, which are all
        listed with their places; if one stands where it cannot be filled. Nothing is written then.
    """
    kind = form.suffix.lower()
    if kind in OLD_FORMATS or kind in MACRO_FORMATS:
        name = "form_old_format" if kind in OLD_FORMATS else "form_with_macros"
        raise InputError(name, form=form.name, kind=(OLD_FORMATS | MACRO_FORMATS)[kind])
    if kind not in (".xlsx", ".docx"):
        raise InputError("form_other_kind", form=form.name)
    if target.resolve() == form.resolve():
        raise InputError("form_is_target", form=form.name)
    from toolkit.reporting import form_document, form_workbook

    filler = form_workbook if kind == ".xlsx" else form_document
    content = filler.filled(form, values)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    except OSError as error:
        raise InputError("file_not_written", path=target, reason=error.strerror or error) from error
    return target


def placeholders_in(text: str) -> list[str]:
    """Return the names of the placeholders in a text."""
    return [found["name"] for found in PLACEHOLDER.finditer(text)]


def is_alone(text: str) -> bool:
    """Say whether a text is one placeholder and nothing else."""
    return PLACEHOLDER.fullmatch(text.strip()) is not None


def replaced(text: str, values: FormValues) -> str:
    """Return a text with its placeholders replaced by what the report prints."""
    return PLACEHOLDER.sub(lambda found: values.named[found["name"]].text, text)


def value_of(name: str, values: FormValues) -> FormValue:
    """Return the value of a placeholder."""
    return values.named[name]


def check_placeholders(form: Path, found: Iterable[Found], values: FormValues) -> None:
    """Refuse a form with placeholders that are unknown, or that stand where they cannot be filled.

    Raises
    ------
    InputError
        Naming every one of them with its place.
    """
    placed = list(found)
    if not placed:
        raise InputError("form_without_placeholders", form=form.name)
    unknown = [each for each in placed if not _is_known(each, values)]
    if unknown:
        lines = "\n".join(f"  {each.place}: {{{{{each.name}}}}}{_nearest(each, values)}" for each in unknown)
        raise InputError("form_placeholders_unknown", form=form.name, count=len(unknown), lines=lines)
    misplaced = [each for each in placed if not each.is_fillable or (each.table and not each.is_alone)]
    if misplaced:
        lines = "\n".join(f"  {each.place}: {{{{{each.name}}}}}" for each in misplaced)
        raise InputError("form_placeholders_misplaced", form=form.name, count=len(misplaced), lines=lines)


def _is_known(found: Found, values: FormValues) -> bool:
    """Say whether there is a value or table of a name."""
    return found.table in values.tables if found.table else found.name in values.named


def _nearest(found: Found, values: FormValues) -> str:
    """Return the names that are most like an unknown one."""
    from rapidfuzz import process

    names = [f"{TABLE_PREFIX}{key}" for key in values.tables] if found.table else list(values.named)
    near = process.extract(found.name, names, limit=NEAREST, score_cutoff=NEAREST_SCORE)
    return f" ≈ {', '.join(name for name, *_ in near)}" if near else ""
