"""Missing cells, as a figure."""

import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import PALETTE, height_for_rows, new_figure, nice_limit, show_rows
from toolkit.vocabulary import Language, label, sentence

COLUMNS_DRAWN = 15


def plot_missing_cells(completeness: pd.DataFrame, language: Language) -> FigureExhibit:
    """Plot the share of missing cells of the columns that decide verdicts."""
    deciding = completeness[completeness["decides"]]
    drawn = deciding.sort_values("missing_share", ascending=False, kind="stable").head(COLUMNS_DRAWN)
    shares = 100 * drawn["missing_share"].fillna(0)
    figure = new_figure(16, height_for_rows(len(drawn)))
    axes = figure.subplots()
    axes.barh(range(len(drawn)), shares, color=PALETTE[0], height=0.6)
    for at, share in enumerate(shares):
        axes.annotate(
            f"{share:.1f}%", (share, at), xytext=(3, 0), textcoords="offset points", va="center", fontsize=8
        )
    show_rows(axes, [label(name, language) for name in drawn["column"]], width=22 if language == "zh" else 44)
    axes.set_xlim(0, nice_limit(shares, headroom=0.15))
    axes.set_xlabel(f"{label('axis_missing', language)} (%)")
    alt = sentence(
        "alt_completeness",
        language,
        column=label(drawn["column"].iloc[0], language),
        share=f"{shares.iloc[0]:.1f}%",
    )
    return FigureExhibit(exhibit_caption("figure_completeness", language), figure, alt, table="completeness")
