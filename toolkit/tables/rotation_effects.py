"""What rotation did, as tables: use of the records, design, effects, net effects, kinds and paths."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.effects.first_receipt import FirstReceipt
from toolkit.effects.flow_effects import FlowStudy
from toolkit.effects.flow_families import ADJUSTED
from toolkit.effects.flow_paths import FlowPaths
from toolkit.effects.flow_projection import FlowProjection
from toolkit.effects.guard import guard_sentence
from toolkit.effects.rotation_channel import RotationChannel
from toolkit.effects.rotation_data import DOSE_FLOWS, RotationCounty, sum_doses
from toolkit.effects.study_words import p_value_text
from toolkit.exhibits import Caption, exhibit_caption
from toolkit.tables.adoption_extensions import table_of
from toolkit.tables.adoption_texts import range_text
from toolkit.tables.exhibit import PERCENT, ColumnKind, TableColumn, TableExhibit, vocabulary_column
from toolkit.tables.variation import school_year
from toolkit.vocabulary import Language, format_number, label, sentence

PREFIX = "rotation_effect_"
ALONE = "rotation_interval_by_school"
NUMBERS = ("std_error", "degrees", "conf_low", "conf_high", "p_value")
BESIDE = (
    "wild_low",
    "wild_high",
    "placebo_p_value",
    "detrended_effect",
    "detrended_low",
    "detrended_high",
)
MEANINGS = {
    "backbone_inflow": "flow_receiving_effect",
    "inflow": "flow_receiving_effect",
    "backbone_outflow": "flow_sending_effect",
    "outflow": "flow_sending_effect",
    "first_year_inflow": "flow_disruption_effect",
}


def rotation_caption(
    key: str,
    language: Language,
    *,
    level: float | None = None,
    interval: str = "rotation_interval",
    notes: tuple[str, ...] = (),
    **values: Any,
) -> Caption:
    """Return the caption of an exhibit on the effects of rotation.

    `level` is that of its intervals, `interval` the sentence that says what they are.
    """
    caption = exhibit_caption(key, language, notes=notes, **values)
    percent = "" if level is None else format_number(PERCENT * level, 0)
    told = "" if level is None else sentence(interval, language, percent=percent)
    return replace(caption, interval=told, source=sentence("source_rotation_study", language))


def tabulate_rotation_use(use: pd.DataFrame, language: Language) -> TableExhibit:
    """Return how many spells count at both schools, at one or at none, and why.

    Parameters
    ----------
    use : pandas.DataFrame
        `reason` and `n_spells`; see `RotationDoses.use`.
    language : {"zh", "en"}
        Language.
    """
    rows = [
        {"reason": label(str(row["reason"]), language), "n_spells": row["n_spells"]}
        for row in use.to_dict("records")
    ]
    columns = (rotation_column("reason", language), rotation_column("n_spells", language))
    total = {"reason": label("total", language), "n_spells": int(use["n_spells"].sum())}
    found = table_of(
        rotation_caption("rotation_use", language),
        columns,
        [*rows, total] if rows else [],
        (),
        sentence("rotation_without_spells", language),
    )
    return replace(found, total_rows=1) if rows else found


def tabulate_doses(counties: Sequence[RotationCounty], language: Language) -> TableExhibit:
    """Return teachers in and out by stage and school year, over all schools."""
    table = sum_doses(counties)
    rows = [{**row, "year": school_year(int(row["year"]))} for row in table.to_dict("records")]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        *(rotation_column(name, language) for name in ("year", *DOSE_FLOWS)),
    )
    caption = rotation_caption("rotation_doses", language)
    return table_of(caption, columns, rows, (), sentence("rotation_without_spells", language))


def tabulate_rotation_design(studies: Sequence[FlowStudy], language: Language) -> TableExhibit:
    """Return what the check of the design found, stage by stage."""
    rows = [
        {
            "stage": study.sample.stage,
            "verdict": finding.severity,
            "remark": guard_sentence(finding, language),
        }
        for study in studies
        for finding in study.guard.findings
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("verdict", language, kind="code"),
        rotation_column("remark", language),
    )
    return table_of(
        rotation_caption("rotation_design", language),
        columns,
        rows,
        (),
        sentence("rotation_without_remarks", language),
    )


def tabulate_flow_effects(studies: Sequence[FlowStudy], language: Language) -> TableExhibit:
    """Return receiving, sending and first-year effects of every stage, with what they can tell."""
    rows = [row for study in studies for row in _effect_rows(study, language)]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code", below="meaning"),
        rotation_column("meaning", language, in_files_only=True),
        *(rotation_column(name, language) for name in ("effect", "interval", "p", "wild_p", "detrended")),
        *(rotation_column(name, language) for name in ("detectable", "effective", "spread")),
        *(rotation_column(name, language, in_files_only=True) for name in (*NUMBERS, *BESIDE)),
    )
    notes = [sentence(f"rotation_note_{name}", language) for name in ("unit", "wild", "trends")]
    notes += [_next_year(study, language) for study in studies if not study.is_refused]
    caption = rotation_caption("rotation_flow_effects", language, level=_level(studies), notes=tuple(notes))
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_net_effects(studies: Sequence[FlowStudy], language: Language) -> TableExhibit:
    """Return what the effects come to when both schools of a move are counted, and for the county."""
    rows = [
        {
            **_numbers(row, language),
            "stage": study.sample.stage,
            "net": row["net"],
        }
        for study in studies
        for row in study.net.to_dict("records")
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("net", language, kind="code"),
        *(rotation_column(name, language) for name in ("effect", "interval", "p")),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in ("std_error", "conf_low", "conf_high", "p_value")
        ),
    )
    caption = rotation_caption("rotation_net_effects", language, level=_level(studies))
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_flow_kinds(found: Mapping[str, Sequence[FlowStudy]], language: Language) -> TableExhibit:
    """Return effects of the flow in by spell year, direction and group.

    Parameters
    ----------
    found : mapping of str to sequence of FlowStudy
        By division, a vocabulary code: one study per stage with the flow in split in kinds; p-values adjusted
        for the family as in `adjust_flow_kinds`, otherwise the column is empty.
    language : {"zh", "en"}
        Language.
    """
    rows = [row for division, studies in found.items() for row in _kind_rows(division, studies, language)]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("division", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        *(
            rotation_column(name, language)
            for name in ("effect", "interval", "p", "adjusted_p", "detectable")
        ),
        rotation_column("why_none", language),
        *(rotation_column(name, language, in_files_only=True) for name in (*NUMBERS, ADJUSTED)),
    )
    level = _level([study for studies in found.values() for study in studies])
    caption = rotation_caption("rotation_flow_kinds", language, level=level)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_projections(found: Sequence[FlowProjection], language: Language) -> TableExhibit:
    """Return the path of the outcome after a clean change of one flow."""
    rows = [
        {
            **_numbers(row, language),
            "stage": one.sample.stage,
            "flow": f"flow_{row['flow']}",
            "changes": f"{row['n_changes']} / {row['n_clean']}",
            "schools": row["n_changed_schools"],
            "why_none": sentence(str(row["refusal"]), language) if row["refusal"] else "",
        }
        for one in found
        for row in one.table.to_dict("records")
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        *(
            rotation_column(name, language)
            for name in ("horizon", "effect", "interval", "changes", "schools")
        ),
        rotation_column("why_none", language),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in ("std_error", "conf_low", "conf_high")
        ),
    )
    caption = rotation_caption("rotation_projections", language, level=_later_level(found), interval=ALONE)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_paths(found: Sequence[FlowPaths], language: Language) -> TableExhibit:
    """Return effects of receiving and sending by year since the first change of the flow."""
    rows = [
        {
            **_numbers(row, language),
            "stage": one.sample.stage,
            "flow": f"flow_{row['flow']}",
            "band": range_text(row["band_low"], row["band_high"], language),
            "schools": row["n_switchers"],
        }
        for one in found
        for row in one.table.to_dict("records")
    ]
    rows += [
        {
            "stage": one.sample.stage,
            "flow": f"flow_{flow}",
            "why_none": refusal.zh if language == "zh" else refusal.en,
        }
        for one in found
        for flow, refusal in one.refusals.items()
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        *(rotation_column(name, language) for name in ("event_time", "effect", "interval", "band")),
        *(rotation_column(name, language) for name in ("dose_change", "schools", "why_none")),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in ("std_error", "conf_low", "conf_high", "total")
        ),
    )
    caption = rotation_caption("rotation_paths", language, level=_later_level(found), interval=ALONE)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_path_averages(found: Sequence[FlowPaths], language: Language) -> TableExhibit:
    """Return the total effect of a teacher over all years, and the test of the years before the change."""
    rows = [
        {
            **_numbers(row, language),
            "stage": one.sample.stage,
            "flow": f"flow_{row['flow']}",
            "placebo_p": p_value_text(row["placebo_p_value"]),
            "compared": f"{row['n_compared']} / {row['n_changed']}",
        }
        for one in found
        for row in one.averages.to_dict("records")
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("flow", language, kind="code"),
        *(
            rotation_column(name, language)
            for name in ("effect", "interval", "p", "detectable", "placebo_p", "compared")
        ),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in (
                *("std_error", "conf_low", "conf_high", "p_value", "placebo_p_value"),
                *("n_compared", "n_changed"),
            )
        ),
    )
    caption = rotation_caption("rotation_path_averages", language, level=_later_level(found), interval=ALONE)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_channels(found: Sequence[RotationChannel], language: Language) -> TableExhibit:
    """Return how much of the effect of joining a group moves of backbone teachers could account for."""
    rows = [
        _numbers(row, language)
        | {
            "stage": one.stage,
            "step": row["step"],
            "why_none": sentence(_reason(str(row["refusal"])), language) if row["refusal"] else "",
        }
        for one in found
        for row in one.table.to_dict("records")
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("step", language, kind="code"),
        *(rotation_column(name, language) for name in ("effect", "interval", "why_none")),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in ("std_error", "conf_low", "conf_high")
        ),
    )
    caption = rotation_caption("rotation_channels", language)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def tabulate_first_receipt(found: FirstReceipt, language: Language) -> TableExhibit:
    """Return what changed once schools began to receive teachers, by how many they went on to receive."""
    rows = [
        _numbers(row, language)
        | {
            "schools": f"{row['n_dosed']} / {row['n_never']}",
            "why_none": sentence(str(row["refusal"]), language) if row["refusal"] else "",
        }
        for row in found.table.to_dict("records")
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        rotation_column("quantity", language, kind="code"),
        *(rotation_column(name, language) for name in ("effect", "interval", "p")),
        replace(rotation_column("received_never", language), name="schools"),
        rotation_column("why_none", language),
        *(
            rotation_column(name, language, in_files_only=True)
            for name in ("std_error", "conf_low", "conf_high", "p_value")
        ),
    )
    caption = rotation_caption("rotation_first_receipt", language, level=found.confidence_level)
    return table_of(caption, columns, rows, (), sentence("rotation_not_estimated", language))


def _reason(code: str) -> str:
    """Return the sentence of a step without number: what the guard refuses is said in the study of groups."""
    return code if code == "channel_incomplete" else "channel_joining_refused"


def _later_level(found: Sequence[FlowPaths] | Sequence[FlowProjection]) -> float | None:
    """Return the level of the intervals by year since a change; None where there is no estimate."""
    estimated = [one for one in found if one.table["effect"].notna().any()]
    return estimated[0].confidence_level if estimated else None


def _effect_rows(study: FlowStudy, language: Language) -> list[dict[str, Any]]:
    rows = []
    trended = study.without_trends.set_index("flow")
    for row, wild in zip(study.table.to_dict("records"), study.wild, strict=True):
        flow = str(row["flow"])
        limits = [trended[name].get(flow, np.nan) for name in ("conf_low", "conf_high")]
        rows.append(
            {
                **_numbers(row, language),
                "stage": study.sample.stage,
                "flow": f"flow_{flow}",
                "meaning": label(MEANINGS[flow], language) if flow in MEANINGS else "",
                "wild_p": p_value_text(wild.p_value),
                "wild_low": wild.conf_low,
                "wild_high": wild.conf_high,
                "placebo_p_value": study.placebo_p_value,
                "detrended": range_text(limits[0], limits[1], language),
                "detrended_effect": trended["effect"].get(flow, np.nan),
                "detrended_low": limits[0],
                "detrended_high": limits[1],
            }
        )
    return rows


def _kind_rows(division: str, studies: Sequence[FlowStudy], language: Language) -> list[dict[str, Any]]:
    rows = []
    for study in studies:
        about = {"stage": study.sample.stage, "division": division}
        if study.is_refused:
            rows.append(about | {"why_none": guard_sentence(study.guard.findings[0], language)})
        rows += [
            _numbers(row, language)
            | about
            | {"flow": f"flow_{row['flow']}", "adjusted_p": p_value_text(row.get(ADJUSTED, np.nan))}
            for row in study.table.to_dict("records")
            if row["flow"] not in study.settings.flows[1:2] and row["flow"] not in MEANINGS
        ]
    return rows


def _numbers(row: Mapping[Any, Any], language: Language) -> dict[str, Any]:
    """Return the cells of an estimate, with its interval and p-value in words."""
    p_value = row.get("p_value", np.nan)
    return dict(row) | {
        "interval": range_text(row["conf_low"], row["conf_high"], language),
        "p": p_value_text(p_value) if np.isfinite(p_value) else "",
    }


def _next_year(study: FlowStudy, language: Language) -> str:
    """Return what the test of next year's flows says."""
    name = "rotation_next_year" if np.isfinite(study.placebo_p_value) else "rotation_next_year_none"
    return sentence(
        name,
        language,
        stage=label(study.sample.stage, language),
        p_value=p_value_text(study.placebo_p_value),
    )


def _level(studies: Sequence[FlowStudy]) -> float | None:
    estimated = [study for study in studies if not study.is_refused]
    return estimated[0].settings.confidence_level if estimated else None


def rotation_column(
    name: str,
    language: Language,
    *,
    kind: ColumnKind | None = None,
    in_files_only: bool = False,
    below: str = "",
) -> TableColumn:
    """Return a column labelled by the entry of its name in this part of the vocabulary."""
    column = vocabulary_column(PREFIX + name, language, kind=kind, in_files_only=in_files_only, below=below)
    return replace(column, name=name)
