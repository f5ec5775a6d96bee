"""A county's own text: a file made once, then theirs, printed as it is."""

import re
from pathlib import Path

from toolkit.errors import RunError
from toolkit.reporting.runfolder import ascii_name
from toolkit.vocabulary import Language, label

NARRATIVE_FOLDER = "narrative"
HEADING_NAMES = ("report_narrative_measures", "report_narrative_causes", "report_narrative_next_steps")
# utf-8-sig: the Windows editor writes a signature; gb18030: so do older ones, without one.
ENCODINGS = ("utf-8-sig", "gb18030")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
SECTION = re.compile(r"^(#{1,6}\s+.+)$", re.MULTILINE)


def narrative_path(folder: Path, county: str, year: int, notebook: str) -> Path:
    """Return where the text for a notebook is kept: ``<folder>/<county>-<year>/<notebook>.md``."""
    return folder / f"{ascii_name(county)}-{year}" / f"{notebook}.md"


def create_narrative(path: Path, language: Language) -> bool:
    """Write a file with headings to fill in, unless it is there. Return whether it was written."""
    heads = "".join(f"## {label(name, language)}\n\n\n" for name in HEADING_NAMES)
    text = f"<!-- {label('report_narrative_hint', language)} -->\n\n{heads}"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        return False
    return True


def read_narrative(path: Path) -> str:
    """Return the text as Markdown, without comments and headings left empty; empty if no file is there.

    Raises
    ------
    RunError
        If the file is text in no encoding that offices use.
    """
    if not path.exists():
        return ""
    text = COMMENT.sub("", _decoded(path)).replace("\r\n", "\n")
    before, *parts = SECTION.split(text)
    kept = [before.strip()] if before.strip() else []
    for heading, body in zip(parts[::2], parts[1::2], strict=True):
        if body.strip():
            kept.append(f"{heading.strip()}\n\n{body.strip()}")
    return "\n\n".join(kept)


def _decoded(path: Path) -> str:
    """Return the content of a text file."""
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise RunError("report_narrative_unreadable", path=path.name)
