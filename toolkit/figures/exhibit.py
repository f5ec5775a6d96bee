"""A figure with what a reader needs beside it: title, unit, sample size, alternative text, source."""

from base64 import b64encode
from dataclasses import dataclass
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
)
from toolkit.figures.theme import figure_png
from toolkit.vocabulary import sentence

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True, eq=False)
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

    def _repr_html_(self) -> str:
        return INTERACTIVE_STYLE + figure_html(self)


def figure_html(exhibit: FigureExhibit) -> str:
    """Return the figure as HTML with its picture inside."""
    caption = exhibit.caption
    picture = b64encode(figure_png(exhibit.figure)).decode("ascii")
    width, height = (round(inches * 96) for inches in exhibit.figure.get_size_inches())
    return (
        f'<figure class="exhibit exhibit-figure" id="{exhibit_id(caption.key)}">'
        f"{meta_html(caption)}"
        f'<img src="data:image/png;base64,{picture}" alt="{escape(exhibit.alt)}"'
        f' width="{width}" height="{height}">'
        f"<figcaption>{caption_html(caption, 'figure')}</figcaption>"
        f"{notes_html(caption, _table_line(exhibit))}</figure>"
    )


def _table_line(exhibit: FigureExhibit) -> tuple[str, ...]:
    """Return the line that points to the table behind the figure."""
    if not exhibit.table:
        return ()
    reference = f'<a class="exhibit-ref" href="#{exhibit_id(exhibit.table)}">{exhibit.table}</a>'
    line = escape(sentence("report_table_behind_figure", exhibit.caption.language, table="\0"))
    return (line.replace("\0", reference),)
