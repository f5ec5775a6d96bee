"""Missing cells, as a figure."""

import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.figures.exhibit import FigureExhibit
from toolkit.figures.theme import PALETTE, height_for_rows, new_figure, nice_limit, show_rows
from toolkit.vocabulary import Language, label, sentence

COLUMNS_DRAWN = 15


def plot_missing_cells(completeness: pd.DataFrame, language: Language) -> FigureExhibit:
    """Plot, for one year, the share of missing cells of the columns that the resource indicators need."""
    deciding = completeness[completeness["decides"]]
    share = (100 * deciding["missing_in_year"] / deciding["cells_in_year"]).fillna(0)
    shares = share.sort_values(ascending=False, kind="stable").head(COLUMNS_DRAWN)
    drawn = deciding.loc[shares.index]
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
    caption = exhibit_caption("figure_completeness", language, year=int(completeness["year"].iloc[0]))
    return FigureExhibit(caption, figure, alt, table="completeness")
