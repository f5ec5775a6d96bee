"""Teachers who rotate between places, as a matrix."""

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import INK, SEQUENTIAL, new_figure, pinyin_order, show_rows, wrapped_name
from toolkit.variation.programmes import UNKNOWN
from toolkit.variation.rotation import RotationYear
from toolkit.vocabulary import Language, has_term, label, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Places = Literal["towns", "locations"]

TOWNS_DRAWN = 24
WITHHELD_COLOUR = "#e6eaee"


def plot_rotation_flows(
    rotation: RotationYear,
    language: Language,
    *,
    places: Places = "towns",
    withheld: pd.DataFrame | None = None,
) -> FigureExhibit:
    """Plot how many teachers went from where to where this year, as a heat map with its numbers.

    Parameters
    ----------
    rotation : RotationYear
        The flows.
    language : {"zh", "en"}
        Language.
    places : {"towns", "locations"}
        Rows and columns.
    withheld : pandas.DataFrame of bool, optional
        Cells that an edition does not show, labelled as the flows; none by default.
    """
    flows = rotation.towns if places == "towns" else rotation.locations
    flows = _drawn(flows) if places == "towns" else flows
    names = [label(str(name), language) if has_term(str(name)) else str(name) for name in flows.index]
    hidden = np.zeros(flows.shape, dtype=bool)
    if withheld is not None:
        hidden = withheld.reindex(index=flows.index, columns=flows.columns).fillna(False).to_numpy(dtype=bool)
    figure = new_figure(16, min(3.0 + 0.75 * max(len(flows), 3), 21.0))
    axes = figure.subplots()
    if flows.empty:
        axes.set_axis_off()
        axes.text(0.5, 0.5, sentence("people_no_data", language), ha="center", va="center", color=INK)
    else:
        _matrix(axes, flows.to_numpy(dtype=float), hidden, names, language)
    counts = flows.to_numpy(dtype=float)
    alt = sentence(
        "alt_rotation_flows_withheld" if hidden.any() else "alt_rotation_flows",
        language,
        places=len(flows),
        inside=f"{np.trace(counts) if len(flows) else 0:,.0f}",
        total=f"{counts.sum():,.0f}",
    )
    marked = sentence(
        "report_labelled",
        language,
        label=label("report_mark_suppressed", language),
        text=label("report_mark_suppressed_meaning", language),
    )
    caption = exhibit_caption(
        f"figure_rotation_{places}",
        language,
        notes=(marked,) if hidden.any() else (),
        year=f"{rotation.year}/{rotation.year + 1}",
    )
    table = "rotation_towns" if places == "towns" else "rotation_flows"
    return FigureExhibit(caption, figure, alt, table=table)


def _drawn(flows: pd.DataFrame) -> pd.DataFrame:
    """Return the flows between the towns with most teachers, in the order of their pinyin."""
    size = flows.sum(axis=0) + flows.sum(axis=1)
    known = size.drop(UNKNOWN, errors="ignore")
    chosen = known.sort_values(ascending=False, kind="stable").index[:TOWNS_DRAWN]
    order = [*pinyin_order(str(name) for name in chosen), *([UNKNOWN] if UNKNOWN in size.index else [])]
    return flows.loc[order, order]


def _matrix(
    axes: "Axes", values: np.ndarray, hidden: np.ndarray, names: list[str], language: Language
) -> None:
    """Draw the matrix: darker for more teachers, the number in each cell."""
    from matplotlib.colors import LinearSegmentedColormap

    shades = LinearSegmentedColormap.from_list("teachers", SEQUENTIAL).with_extremes(bad=WITHHELD_COLOUR)
    top = max(float(values[~hidden].max(initial=0.0)), 1.0)
    shown = np.ma.masked_array(values, mask=hidden)
    axes.imshow(shown, cmap=shades, vmin=0, vmax=top, aspect="auto")
    symbol = label("report_mark_suppressed", language)
    for row, column in np.ndindex(*values.shape):
        value = values[row, column]
        if not hidden[row, column] and value == 0:
            continue
        text = symbol if hidden[row, column] else f"{value:,.0f}"
        colour = "white" if not hidden[row, column] and value > 0.45 * top else INK
        axes.text(column, row, text, ha="center", va="center", fontsize=8.5, color=colour)
    width = 8 if language == "zh" else 14
    axes.set_xticks(
        range(len(names)), labels=[wrapped_name(name, 4 if len(names) > 6 else 8) for name in names]
    )
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.tick_params(length=0)
    show_rows(axes, names, width=width)
    axes.grid(visible=False)
    axes.set_xlabel(label("rotation_receiving", language))
    axes.set_ylabel(label("rotation_sending", language))
    for spine in axes.spines.values():
        spine.set_visible(False)
