"""One look for all figures: legible in print, safe for the colour-blind, the same on every machine."""

import math
import textwrap
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from toolkit.figures.fonts import LATIN_FONT, figure_font, missing_characters
from toolkit.vocabulary import sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 144
COLOURS = 96
CM_PER_INCH = 2.54
OPENING_BRACKETS = ("（", "(", "【", "〔", "“", "《")

INK = "#1c2733"
MUTED = "#5d6b78"
RULE = "#c8d0d8"
GRID = "#e6eaee"

# Okabe and Ito (2008), darkened where the original is too light on white, ordered so that
# neighbours differ in lightness as well; yellow is left out.
PALETTE = ("#1f5a8c", "#d17a00", "#00806a", "#c76a9a", "#5d6b78", "#6fb0dc", "#a33c00")
SEQUENTIAL = ("#f2f6f9", "#c3d7e6", "#8bb3d0", "#4f88b3", "#1f5a8c", "#123a5c")


class FontWarning(UserWarning):
    """Warns that figures are drawn with another font than the packaged one, or with boxes."""


def use_report_theme() -> None:
    """Give matplotlib the look of the reports for the rest of this process.

    Seaborn's functions follow it too, as long as `seaborn.set_theme` is not called afterwards.
    """
    import matplotlib as mpl

    font = figure_font()
    if font.origin != "packaged":
        notice = "report_font_system" if font.origin == "system" else "report_font_missing"
        warnings.warn(_in_both_languages(notice, family=font.family), FontWarning, stacklevel=2)
    families = [font.family] if font.family == LATIN_FONT else [font.family, LATIN_FONT]
    mpl.rcParams.update(_settings(tuple(families)))


def new_figure(width_cm: float = 16.0, height_cm: float = 9.0) -> "Figure":
    """Return an empty figure in the look of the reports, made without pyplot.

    Parameters
    ----------
    width_cm, height_cm : float
        Size on the page. A4 leaves 16 cm between the margins.
    """
    from matplotlib.figure import Figure

    use_report_theme()
    return Figure(figsize=(width_cm / CM_PER_INCH, height_cm / CM_PER_INCH), dpi=DPI, layout="constrained")


def height_for_rows(n_rows: int) -> float:
    """Return the height in cm of a figure with so many named rows on its y axis."""
    return 2.2 + 0.52 * max(n_rows, 3)


def show_rows(axes: "Axes", names: Sequence[str], *, width: int = 14) -> None:
    """Name the rows of the y axis, the first on top, long names broken after `width` characters."""
    axes.set_yticks(range(len(names)), labels=[wrapped_name(name, width) for name in names])
    axes.set_ylim(len(names) - 0.5, -0.5)
    axes.grid(visible=False, axis="y")


def wrapped_name(name: str, width: int) -> str:
    """Return a name broken into lines of `width` characters, no line ending in an opening bracket."""
    lines = textwrap.wrap(name, width, break_on_hyphens=False) or [name]
    for position, line in enumerate(lines[:-1]):
        if line.endswith(OPENING_BRACKETS):
            lines[position] = line[:-1]
            lines[position + 1] = line[-1] + lines[position + 1]
    return "\n".join(lines)


def pinyin_order(names: Iterable[str]) -> list[str]:
    """Return names in the order of their pinyin with tones; equal readings by code point."""
    from pypinyin import Style, lazy_pinyin

    def reading(name: str) -> tuple[list[str], str]:
        return lazy_pinyin(name, style=Style.TONE3, neutral_tone_with_five=True), name

    return sorted(names, key=reading)


def explicit_order(names: Iterable[str], order: Sequence[str]) -> list[str]:
    """Return names in a given order; those not in it follow by pinyin."""
    found = set(names)
    return [name for name in order if name in found] + pinyin_order(found - set(order))


def positive_zero(value: float) -> float:
    """Return the value, with 0.0 for a negative zero."""
    return 0.0 if value == 0 else value


def tick_text(value: float, decimals: int) -> str:
    """Return the text of an axis tick: thousands separators, a true minus, no negative zero."""
    text = f"{positive_zero(round(value, decimals)):,.{decimals}f}"
    return text.replace("-", "−")


def figure_png(figure: "Figure") -> bytes:
    """Return the figure as PNG with the same bytes on every call.

    Warns
    -----
    FontWarning
        If the figure holds characters that the font lacks; they are listed.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    lacking = missing_in_figure(figure)
    if lacking:
        characters = "".join(lacking)
        warnings.warn(
            _in_both_languages("report_glyphs_missing", characters=characters), FontWarning, stacklevel=2
        )
    # Laid out and drawn in one go: saving would do both again, for formats that need it.
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        if lacking:
            # Named above in one sentence; matplotlib's own warning prints a path of this machine per glyph.
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        canvas.draw()
    # Charts have few colours: a palette takes a third of the bytes, and pages are mailed.
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])
    buffer = BytesIO()
    drawn.quantize(COLOURS, dither=Image.Dither.NONE).save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def missing_in_figure(figure: "Figure") -> tuple[str, ...]:
    """Return the characters in a figure that its font lacks."""
    from matplotlib.text import Text

    texts = [artist.get_text() for artist in figure.findobj(Text) if isinstance(artist, Text)]
    return missing_characters("".join(text for text in texts if "$" not in text))


def nice_limit(values: Iterable[float], *, headroom: float = 0.08) -> float:
    """Return an upper axis limit above all finite values, at least slightly above zero."""
    largest = max((value for value in values if math.isfinite(value)), default=0.0)
    return largest * (1 + headroom) if largest > 0 else 1.0


def _in_both_languages(name: str, **values: object) -> str:
    """Return a sentence in Chinese, then in English."""
    return f"{sentence(name, 'zh', **values)}\n{sentence(name, 'en', **values)}"


@cache
def _settings(families: tuple[str, ...]) -> dict[Any, Any]:
    """Return the matplotlib settings of the reports."""
    from cycler import cycler

    return {
        # Named by family, not as "sans-serif": a later change of the generic family has no effect.
        "font.family": list(families),
        "font.size": 9,
        # The packaged font has one weight; asking for bold would draw another font.
        "font.weight": "normal",
        "axes.labelweight": "normal",
        "axes.titleweight": "normal",
        "figure.titleweight": "normal",
        "axes.titlesize": 10,
        "axes.titlelocation": "left",
        "axes.labelsize": 9,
        "axes.labelcolor": INK,
        "axes.edgecolor": MUTED,
        "axes.linewidth": 0.7,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "axes.grid": True,
        "axes.prop_cycle": cycler(color=PALETTE),
        "axes.unicode_minus": True,
        "grid.color": GRID,
        "grid.linewidth": 0.7,
        "text.color": INK,
        "text.usetex": False,
        "mathtext.fontset": "dejavusans",
        "xtick.color": MUTED,
        "ytick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "xtick.labelsize": 8.5,
        "ytick.labelsize": 8.5,
        "xtick.major.width": 0.7,
        "ytick.major.width": 0.7,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "lines.linewidth": 1.6,
        "lines.markersize": 5,
        "patch.linewidth": 0.5,
        "errorbar.capsize": 2.5,
        "figure.facecolor": "white",
        "axes.facecolor": "white",
        "savefig.facecolor": "white",
        "figure.dpi": DPI,
        "savefig.dpi": DPI,
        "svg.hashsalt": "junheng",
        "svg.fonttype": "path",
    }
