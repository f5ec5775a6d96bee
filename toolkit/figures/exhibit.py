"""A figure with what a reader needs beside it: title, unit, sample size, alternative text, source."""

from base64 import b64encode
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from toolkit.exhibits import (
    INTERACTIVE_STYLE,
    KEY_PATTERN,
    Caption,
    caption_html,
    exhibit_id,
    meta_html,
    notes_html,
    reference_html,
)
from toolkit.figures.theme import figure_png
from toolkit.vocabulary import sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CSS_PIXELS_PER_INCH = 96


@dataclass(frozen=True, eq=False)
class FigureExhibit:
    """A figure as it stands on a page. As the last expression of a notebook cell it shows itself.

    Attributes
    ----------
    caption : Caption
        Title, unit, sample size, interval type, source, notes.
    figure : matplotlib.figure.Figure
        Made by `toolkit.figures.theme.new_figure`.
    alt : str
        What the figure shows, in words, for those who cannot see it.
    table : str
        Key of the table with the numbers behind the figure, empty when the page has none.
    """

    caption: Caption
    figure: "Figure"
    alt: str
    table: str = ""

    def __post_init__(self) -> None:
        if not self.alt.strip():
            raise ValueError(f"figure {self.caption.key!r} has no alternative text")
        if self.table and not KEY_PATTERN.fullmatch(self.table):
            raise ValueError(f"figure {self.caption.key!r} refers to a table by no valid key: {self.table!r}")

    @cached_property
    def png(self) -> bytes:
        """The picture, drawn once: a second drawing may lay it out a little differently."""
        return figure_png(self.figure)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.caption.key}>"

    def _repr_html_(self) -> str:
        return INTERACTIVE_STYLE + figure_html(self)


def figure_html(exhibit: FigureExhibit) -> str:
    """Return the figure as HTML with its picture inside."""
    return picture_html(
        exhibit.caption,
        exhibit.png,
        size=page_size(exhibit.figure),
        alt=exhibit.alt,
        table=exhibit.table,
    )


def picture_html(
    caption: Caption, png: bytes, *, size: tuple[int, int], alt: str, table: str, table_title: str = ""
) -> str:
    """Return a picture as HTML with what stands around it.

    Parameters
    ----------
    caption : Caption
        Title, unit, sample size, source, notes.
    png : bytes
        The picture.
    size : (int, int)
        Width and height on the page, in CSS pixels.
    alt : str
        Alternative text.
    table : str
        Key of the table behind it, empty when there is none.
    table_title : str
        Title of that table, printed where a page does not have the table itself.
    """
    picture = b64encode(png).decode("ascii")
    width, height = size
    return (
        f'<figure class="exhibit exhibit-figure" id="{exhibit_id(caption.key)}">'
        f"{meta_html(caption)}"
        f'<img src="data:image/png;base64,{picture}" alt="{escape(alt)}"'
        f' width="{width}" height="{height}">'
        f"<figcaption>{caption_html(caption, 'figure')}</figcaption>"
        f"{notes_html(caption, _table_line(caption, table, table_title))}</figure>"
    )


def page_size(figure: "Figure") -> tuple[int, int]:
    """Return width and height that a figure has on a page, in CSS pixels."""
    width, height = (round(inches * CSS_PIXELS_PER_INCH) for inches in figure.get_size_inches())
    return width, height


def _table_line(caption: Caption, table: str, title: str) -> tuple[str, ...]:
    """Return the line that points to the table behind the figure."""
    if not table:
        return ()
    reference = reference_html(table, origin=caption.origin, title=title if caption.origin else "")
    line = escape(sentence("report_table_behind_figure", caption.language, table="\0"))
    return (line.replace("\0", reference),)
