"""Figures saved by one notebook and shown again by another or put into a document."""

from dataclasses import dataclass
from pathlib import Path

from toolkit.errors import RunError
from toolkit.exhibits import (
    INTERACTIVE_STYLE,
    Caption,
    save_exhibit,
    saved_caption,
    saved_exhibit,
    saved_exhibits,
)
from toolkit.figures.exhibit import FigureExhibit, page_size, picture_html


@dataclass(frozen=True, slots=True)
class SavedFigure:
    """A figure as it was drawn. As the last expression of a notebook cell it shows itself.

    Attributes
    ----------
    caption : Caption
        Title, unit, sample size, interval type, source, notes.
    png : bytes
        The picture.
    size : (int, int)
        Width and height on the page, in CSS pixels.
    alt : str
        What the figure shows, in words.
    table : str
        Key of the table with the numbers behind the figure, empty when there is none.
    table_title : str
        Title of that table.
    """

    caption: Caption
    png: bytes
    size: tuple[int, int]
    alt: str
    table: str = ""
    table_title: str = ""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.caption.key}>"

    def _repr_html_(self) -> str:
        return INTERACTIVE_STYLE + picture_html(
            self.caption,
            self.png,
            size=self.size,
            alt=self.alt,
            table=self.table,
            table_title=self.table_title,
        )


def save_figure(exhibit: FigureExhibit, folder: Path) -> Path:
    """Write a figure as ``<key>.png``, and beside it what is needed to show it again; return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = _picture(folder, exhibit.caption.key)
    path.write_bytes(exhibit.png)
    width, height = page_size(exhibit.figure)
    content = {"alt": exhibit.alt, "table": exhibit.table, "width": width, "height": height}
    save_exhibit(folder, "figure", exhibit.caption, content)
    return path


def load_saved_figure(folder: Path, key: str) -> SavedFigure:
    """Return a figure that `save_figure` wrote.

    Raises
    ------
    RunError
        If the folder has no such figure, or its picture is gone.
    """
    entry = saved_exhibit(folder, "figure", key)
    try:
        png = _picture(folder, key).read_bytes()
    except OSError as error:
        raise RunError("saved_figure_unreadable", key=key, reason=error.strerror or error) from error
    behind = saved_exhibits(folder).get(entry["table"])
    return SavedFigure(
        caption=saved_caption(entry),
        png=png,
        size=(entry["width"], entry["height"]),
        alt=entry["alt"],
        table=entry["table"],
        table_title=behind["caption"]["title"] if behind else "",
    )


def _picture(folder: Path, key: str) -> Path:
    """Return where the picture of a figure lies."""
    return folder / f"{key}.png"
