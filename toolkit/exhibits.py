"""What every exhibit of a report carries, whether it is a table or a figure."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from html import escape
from pathlib import Path
from typing import Any, Literal

from toolkit.errors import RunError
from toolkit.vocabulary import Language, has_sentence, label, sentence

ExhibitKind = Literal["table", "figure"]

KEY_PATTERN = re.compile(r"[a-z][a-z0-9_]*")
EXHIBITS_NAME = "exhibits.json"
EXHIBITS_VERSION = 1
# How the list of exhibits begins and ends in the file.
LIST_START = f'{{\n "schema_version": {EXHIBITS_VERSION},\n "exhibits": ['.encode()
LIST_END = b"\n ]\n}\n"
# A sample that names itself, such as "学校数：57", takes no label in front.
OWN_LABEL = re.compile(r"[:：]")

# JupyterLab shows an exhibit outside the report's own style sheet; the renderer takes this away.
INTERACTIVE_STYLE = (
    "<style>"
    ".exhibit{margin:.5em 0;max-width:62em;overflow-x:auto}"
    ".exhibit table{border-collapse:collapse;border-block:2px solid currentColor;margin:.3em 0}"
    ".exhibit th,.exhibit td{text-align:left;vertical-align:top;padding:.2em .6em;max-width:28em}"
    ".exhibit td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}"
    ".exhibit th.n{text-align:right}"
    ".exhibit thead th{border-bottom:1px solid currentColor;vertical-align:bottom;word-break:keep-all}"
    ".exhibit tbody th{min-width:8em}"
    ".exhibit .unit{display:block;font-weight:400;opacity:.8}"
    ".exhibit .word,.exhibit [class^=verdict]{white-space:nowrap}"
    ".exhibit caption,.exhibit figcaption{text-align:left;font-weight:600}"
    ".exhibit-meta,.exhibit-notes{font-size:.9em;opacity:.8;margin:.2em 0}"
    ".exhibit img{max-width:100%;height:auto}"
    "</style>"
)


@dataclass(frozen=True, slots=True)
class Caption:
    """What is printed around an exhibit.

    Attributes
    ----------
    key : str
        Name of the exhibit: lower-case ASCII letters, digits, underscores. The name of its
        files, and what prose refers to as ``[@key]``.
    title : str
        Title without a number; numbers are given when the page is rendered.
    language : {"zh", "en"}
        Language of the labels around the exhibit.
    unit : str
        Unit of all numbers, empty where the columns have their own.
    n : str
        Sample size in words, such as "57 所学校".
    interval : str
        Kind of the intervals shown, empty when there are none.
    source : str
        Where the data come from.
    notes : tuple of str
        Remarks printed below.
    origin : str
        Notebook that computed it and holds its files, when another one shows it again.
    """

    key: str
    title: str
    language: Language
    unit: str = ""
    n: str = ""
    interval: str = ""
    source: str = ""
    notes: tuple[str, ...] = ()
    origin: str = ""

    def __post_init__(self) -> None:
        if not KEY_PATTERN.fullmatch(self.key):
            raise ValueError(
                f"an exhibit's key is lower-case ASCII, digits and underscores, not {self.key!r}"
            )
        if not self.title.strip():
            raise ValueError(f"exhibit {self.key!r} has no title")


def exhibit_caption(
    key: str,
    language: Language,
    *,
    n: str = "",
    unit: str = "",
    notes: tuple[str, ...] = (),
    **values: object,
) -> Caption:
    """Return the caption of an exhibit: title, source and note from the sentences of its key.

    Parameters
    ----------
    key : str
        Sentences `title_<key>` and, where there is one, `note_<key>`.
    language : {"zh", "en"}
        Language.
    n, unit : str
        Sample size in words; unit of all numbers.
    notes : tuple of str
        Further notes, already in the language.
    **values
        Placeholders of title and note.
    """
    own = (sentence(f"note_{key}", language, **values),) if has_sentence(f"note_{key}") else ()
    return Caption(
        key=key,
        title=sentence(f"title_{key}", language, **values),
        language=language,
        unit=unit,
        n=n,
        source=sentence("source_reported", language),
        notes=(*own, *notes),
    )


def schools_counted(count: int, language: Language) -> str:
    """Return a number of schools in words."""
    return sentence("n_schools", language, count=count)


def exhibit_id(key: str) -> str:
    """Return the id that an exhibit has on its page."""
    return f"exhibit-{key}"


def caption_html(caption: Caption, kind: ExhibitKind) -> str:
    """Return number and title; the number is filled in when the page is rendered."""
    return (
        f'<span class="exhibit-number" data-kind="{kind}" data-key="{caption.key}">'
        f"{escape(label(f'report_{kind}', caption.language))}</span> "
        f'<span class="exhibit-title">{escape(caption.title)}</span>'
    )


def meta_html(caption: Caption) -> str:
    """Return the line with unit, what the exhibit covers, and interval type."""
    parts = (("report_unit", caption.unit), ("report_n", caption.n), ("report_interval", caption.interval))
    shown = [
        escape(text)
        if name == "report_n" and OWN_LABEL.search(text)
        else labelled(name, text, caption.language)
        for name, text in parts
        if text
    ]
    return (
        f'<p class="exhibit-meta">{" ".join(f"<span>{part}</span>" for part in shown)}</p>' if shown else ""
    )


def notes_html(caption: Caption, more: tuple[str, ...] = ()) -> str:
    """Return notes, then further HTML lines, then the source and a place for the links to the files."""
    lines = [labelled("report_note", note, caption.language) for note in caption.notes]
    lines += more
    if caption.source:
        lines.append(labelled("report_source", caption.source, caption.language))
    paragraphs = "".join(f"<p>{line}</p>" for line in lines)
    files = f'<p class="exhibit-files" data-key="{caption.key}"{_origin_attribute(caption.origin)}></p>'
    return f'<div class="exhibit-notes">{paragraphs}{files}</div>'


def reference_html(key: str, *, origin: str = "", title: str = "") -> str:
    """Return a link to an exhibit; its number is filled in when the page is rendered.

    Parameters
    ----------
    key : str
        Key of the exhibit.
    origin : str
        Notebook whose page the link leads to when the page itself does not have the exhibit.
    title : str
        What the link then reads; the key when it is empty.
    """
    text = escape(title or key)
    return f'<a class="exhibit-ref" href="#{exhibit_id(key)}"{_origin_attribute(origin)}>{text}</a>'


def save_exhibit(folder: Path, kind: ExhibitKind, caption: Caption, content: Mapping[str, Any]) -> None:
    """Add what an exhibit is to ``exhibits.json`` of a folder, in the place of one with its key.

    The file is replaced as a whole: it holds the exhibits before, or those and the new one, and never a part.
    """
    entry = {"kind": kind, "caption": asdict(caption), **content}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / EXHIBITS_NAME
    before = path.read_bytes() if path.exists() else b""
    text = _appended(before, entry) or _json({**saved_exhibits(folder), caption.key: entry}.values())
    beside = path.with_name(f"{path.name}.part")
    beside.write_bytes(text)
    beside.replace(path)


def _json(entries: Iterable[Mapping[str, Any]]) -> bytes:
    """Return the content of ``exhibits.json``, each exhibit on one line: the quick way to write it."""
    return LIST_START + b",".join(_line(entry) for entry in entries) + LIST_END


def _line(entry: Mapping[str, Any]) -> bytes:
    """Return an exhibit as it stands in the file."""
    return f"\n  {json.dumps(entry, ensure_ascii=False, allow_nan=False)}".encode()


def _appended(before: bytes, entry: Mapping[str, Any]) -> bytes:
    """Return a file with one more exhibit as `_json` writes it, without reading what is in it.

    Empty where that cannot be done: the file is not of this form, or may have an exhibit of that key.
    """
    key = f'"key": "{entry["caption"]["key"]}"'.encode()
    if not (before.startswith(LIST_START) and before.endswith(b"}" + LIST_END)) or key in before:
        return b""
    return before[: -len(LIST_END)] + b"," + _line(entry) + LIST_END


def saved_exhibits(folder: Path) -> dict[str, dict[str, Any]]:
    """Return what is saved of the exhibits of a notebook, by key, in the order of the notebook.

    Raises
    ------
    RunError
        If the file is damaged or of another version.
    """
    path = folder / EXHIBITS_NAME
    if not path.exists():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["schema_version"] != EXHIBITS_VERSION:
            raise ValueError(f"schema_version {content['schema_version']}, not {EXHIBITS_VERSION}")
        return {entry["caption"]["key"]: entry for entry in content["exhibits"]}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RunError("saved_exhibits_unreadable", path=path.name, reason=error) from error


def saved_exhibit(folder: Path, kind: ExhibitKind, key: str) -> dict[str, Any]:
    """Return what is saved of one exhibit.

    Raises
    ------
    RunError
        If the folder has no such exhibit.
    """
    entries = saved_exhibits(folder)
    if key not in entries or entries[key]["kind"] != kind:
        known = [name for name, entry in entries.items() if entry["kind"] == kind]
        raise RunError("saved_exhibit_absent", key=key, folder=folder.name, known=", ".join(known))
    return entries[key]


def saved_caption(entry: Mapping[str, Any]) -> Caption:
    """Return the caption of a saved exhibit."""
    caption = entry["caption"]
    return Caption(**{**caption, "notes": tuple(caption["notes"])})


def _origin_attribute(origin: str) -> str:
    """Return the attribute that names the notebook an exhibit comes from."""
    return f' data-origin="{escape(origin)}"' if origin else ""


def labelled(name: str, text: str, language: Language) -> str:
    """Return an escaped text behind its label."""
    return escape(sentence("report_labelled", language, label=label(name, language), text=text))
