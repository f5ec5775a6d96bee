"""What an average effect hangs on: single groups, weak years and choices of the design, as tables."""

from dataclasses import replace

import numpy as np
import pandas as pd

from toolkit.effects.adoption_sensitivity import LeaveOneGroupOut, PlaceboAdoption
from toolkit.effects.adoption_study import AdoptionStudy
from toolkit.effects.specification_curve import CHOICES, SpecificationCurve
from toolkit.effects.study_words import in_words_of_unit
from toolkit.exhibits import Caption
from toolkit.tables.adoption_texts import (
    adoption_caption,
    adoption_column,
    code_words,
    interval_of,
    not_applicable,
    ranges,
    refusal_words,
)
from toolkit.tables.exhibit import PERCENT, TableColumn, TableExhibit
from toolkit.vocabulary import Language, format_number, label, sentence

SPECIFICATIONS_SHOWN = 12
GROUP_COLUMNS = ("n_schools", "effect", "std_error", "change", "why_none")
SPREAD_COLUMNS = ("n_groups", "n_none", "effect_all", "lowest", "median", "highest")


@in_words_of_unit
def tabulate_leave_one_out(
    result: LeaveOneGroupOut | None, study: AdoptionStudy, language: Language, *, named: bool = True
) -> TableExhibit:
    """Return the average effect without each group in turn, or its distribution where none is named.

    Parameters
    ----------
    result : LeaveOneGroupOut or None
        None where the study was refused.
    study : AdoptionStudy
        The study that the groups are taken out of.
    language : {"zh", "en"}
        Language.
    named : bool
        Whether groups are named.
    """
    key = "adoption_leave_one_out"
    if not named:
        columns = tuple(adoption_column(name, language) for name in SPREAD_COLUMNS)
        data = pd.DataFrame(
            [] if result is None or result.table.empty else [_spread(result)], columns=list(SPREAD_COLUMNS)
        )
        caption = adoption_caption(f"{key}_unnamed", language, study=study, own_key=True)
        caption = replace(caption, key=caption.key.replace("_unnamed", ""))
        return _of_study(caption, columns, data, ("lowest", "median", "highest"))
    columns = (
        TableColumn("school_group", label("school_group", language)),
        *(
            adoption_column(name, language, entry="adoption_effect_without" if name == "effect" else "")
            for name in GROUP_COLUMNS
        ),
    )
    data = pd.DataFrame(columns=[column.name for column in columns])
    if result is not None:
        data = result.table.assign(
            school_group=[
                name or label("adoption_without_group", language) for name in result.table["school_group"]
            ],
            why_none=code_words(result.table["reason"], language),
        )
        if not data["why_none"].any():
            columns = columns[:-1]
    caption = adoption_caption(key, language, study=study, own_key=True)
    return _of_study(caption, columns, data, ("effect", "std_error", "change"))


@in_words_of_unit
def tabulate_placebo(
    result: PlaceboAdoption | None, study: AdoptionStudy, language: Language
) -> TableExhibit:
    """Return what the design finds among schools as weak that joined nothing, by base year."""
    table = pd.DataFrame() if result is None else result.table
    hidden = ("anticipation", "conf_low", "conf_high")
    columns = (
        adoption_column("base", language),
        *(adoption_column(name, language) for name in ("n_schools", "effect", "std_error", "interval")),
        *(adoption_column(name, language, in_files_only=True) for name in hidden),
    )
    names = [column.name for column in columns]
    data = pd.DataFrame(columns=names)
    if len(table):
        base = [
            _base(int(years), bool(own), language)
            for years, own in zip(table["anticipation"], table["is_study_base"], strict=True)
        ]
        data = table.assign(base=base, interval=ranges(table, "conf_low", "conf_high", language))
    none = "adoption_not_estimated" if study.is_refused else "adoption_too_few_placebos"
    level = study.settings.event_study.confidence_level
    caption = adoption_caption(
        "adoption_placebo",
        language,
        study=study,
        own_key=True,
        interval=interval_of("adoption_interval_t_schools", level, language),
    )
    marks = not_applicable(data, ("conf_low", "conf_high"))
    return TableExhibit(caption, columns, data, marks=marks, empty_text=sentence(none, language))


@in_words_of_unit
def tabulate_specifications(
    curve: SpecificationCurve | None, study: AdoptionStudy, language: Language
) -> TableExhibit:
    """Return the average effect of every specification in the order of the effects, and their spread."""
    columns = (
        adoption_column("place", language),
        *(adoption_column(name, language, entry=f"adoption_choice_{name}") for name in CHOICES),
        *(adoption_column(name, language) for name in ("sides", "effect", "interval", "why_none")),
        *(
            adoption_column(name, language, in_files_only=True)
            for name in ("n_adopters", "n_comparison", "std_error", "conf_low", "conf_high")
        ),
    )
    names = [column.name for column in columns]
    data, n_totals = pd.DataFrame(columns=names), 0
    if curve is not None and len(curve.table):
        rows = _specification_rows(curve.table, language)
        totals = _curve_summary(curve, language)
        n_totals = len(totals)
        data = pd.concat([rows, totals], ignore_index=True)[names]
        texts = [column.name for column in columns if column.kind == "text"]
        data[texts] = data[texts].fillna("")
    level = study.settings.event_study.confidence_level
    caption = adoption_caption(
        "adoption_specifications",
        language,
        study=study,
        own_key=True,
        interval=interval_of("adoption_interval_t", level, language),
    )
    numbers = [column.name for column in columns if column.is_numeric]
    return TableExhibit(
        caption,
        columns,
        data,
        marks=not_applicable(data, numbers),
        total_rows=n_totals,
        rows_shown=SPECIFICATIONS_SHOWN,
        empty_text=sentence("adoption_not_estimated", language),
    )


def _of_study(
    caption: Caption, columns: tuple[TableColumn, ...], data: pd.DataFrame, numbers: tuple[str, ...]
) -> TableExhibit:
    """Return a table of one study, or that it was refused."""
    empty = sentence("adoption_not_estimated", caption.language)
    return TableExhibit(caption, columns, data, marks=not_applicable(data, numbers), empty_text=empty)


def _spread(result: LeaveOneGroupOut) -> dict[str, float]:
    """Return how the effects without one group are distributed."""
    known = result.table["effect"].dropna()
    return {
        "n_groups": len(result.table),
        "n_none": len(result.table) - len(known),
        "effect_all": result.effect,
        "lowest": known.min(),
        "median": known.median(),
        "highest": known.max(),
    }


def _base(anticipation: int, is_study: bool, language: Language) -> str:
    words = (
        sentence("adoption_base_before", language, years=anticipation + 1)
        if anticipation
        else sentence("adoption_base_year_before", language)
    )
    return sentence("adoption_base_of_study", language, base=words) if is_study else words


def _specification_rows(table: pd.DataFrame, language: Language) -> pd.DataFrame:
    """Return the specifications with their choices in words."""
    this = label("adoption_this_study", language)
    sides = zip(table["n_adopters"], table["n_comparison"], strict=True)
    words = {name: code_words(table[name], language, "adoption_option_") for name in CHOICES}
    return table.assign(
        **words,
        place=[this if own else str(place) for place, own in enumerate(table["is_study"], start=1)],
        sides=[f"{joined} / {others}" for joined, others in sides],
        interval=ranges(table, "conf_low", "conf_high", language),
        why_none=refusal_words(table["refusal"], language),
    )


def _curve_summary(curve: SpecificationCurve, language: Language) -> pd.DataFrame:
    """Return median, lowest and highest effect as rows below the specifications."""
    known = curve.estimated["effect"]
    if known.empty:
        return pd.DataFrame()
    own = curve.estimated.loc[curve.estimated["is_study"], "effect"]
    count = format_number(len(known), 0)
    if len(own):
        share = PERCENT * float((np.sign(known) == np.sign(own.iloc[0])).mean())
        words = sentence("adoption_curve_median", language, count=count, share=format_number(share, 0))
    else:
        words = sentence("adoption_curve_median_no_study", language, count=count)
    places = [words, label("adoption_lowest", language), label("adoption_highest", language)]
    return pd.DataFrame({"place": places, "effect": [known.median(), known.min(), known.max()]})
