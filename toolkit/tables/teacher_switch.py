"""Pupils linked to teachers: coverage, design, what lasts, switches, movers and variances, as tables."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from toolkit.data.schema import COMPULSORY_STAGES
from toolkit.effects.guard import DesignGuard, guard_sentence
from toolkit.effects.rotation_movers import RotationMovers
from toolkit.effects.study_words import p_value_text
from toolkit.effects.switch_guard import switch_settings
from toolkit.effects.teacher_switch import TeacherSwitch
from toolkit.effects.teacher_variance import TeacherVariance
from toolkit.exhibits import Caption, exhibit_caption
from toolkit.indicators.teacher_cells import TeacherCells
from toolkit.tables.adoption_extensions import table_of
from toolkit.tables.adoption_texts import range_text
from toolkit.tables.exhibit import PERCENT, ColumnKind, TableColumn, TableExhibit, vocabulary_column
from toolkit.vocabulary import Language, format_number, label, sentence

PREFIX = "teacher_switch_"
NUMBERS = ("std_error", "degrees", "conf_low", "conf_high")
PERSONS = ("teachers", "movers")
LINK_COUNTS = ["n_scores", "n_linked", "n_prior"]


def teacher_caption(
    key: str,
    language: Language,
    *,
    interval: str = "",
    level: float | None = None,
    notes: tuple[str, ...] = (),
) -> Caption:
    """Return the caption of an exhibit on pupils linked to teachers; `interval` names the kind of it."""
    percent = "" if level is None else format_number(PERCENT * level, 0)
    kind = "" if level is None else sentence(interval, language, percent=percent)
    caption = exhibit_caption(key, language, notes=notes)
    return replace(caption, interval=kind, source=sentence("source_teacher_study", language))


def tabulate_teacher_links(cells: TeacherCells, language: Language) -> TableExhibit:
    """Return how many scores are linked to a teacher and come with an earlier score, by grade and subject."""
    keys = ["stage", "grade", "subject"]
    sums = cells.coverage.groupby(keys)[[*LINK_COUNTS, "gives_residuals"]].sum().reset_index()
    found = sums.sort_values(["grade", "stage", "subject"]).assign(
        linked_share=sums["n_linked"] / sums["n_scores"],
        prior_share=sums["n_prior"] / sums["n_linked"].where(sums["n_linked"] > 0),
        n_tests=sums["gives_residuals"],
    )
    columns = (
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("grade", language),
        _column("subject", language, kind="code"),
        _column("n_scores", language),
        _column("n_linked", language),
        _column("linked_share", language, kind="share"),
        _column("n_prior", language),
        _column("prior_share", language, kind="share"),
        _column("n_tests", language),
    )
    rows = _records(found)
    return table_of(
        teacher_caption("teacher_links", language), columns, rows, (), _none("teacher_switch_none", language)
    )


def tabulate_teacher_switch_design(
    switches: Sequence[TeacherSwitch], movers: RotationMovers, language: Language
) -> TableExhibit:
    """Return what the check of the design found, for the switches by stage, and for the movers."""
    guards: list[tuple[str, DesignGuard]] = [(study.stage, study.guard) for study in switches]
    told = {code for _, guard in guards for code in guard.codes}
    own = tuple(finding for finding in movers.guard.findings if finding.code not in told)
    guards.append(("both_stages", replace(movers.guard, findings=own)))
    rows = [
        {"stage": stage, "verdict": finding.severity, "remark": guard_sentence(finding, language)}
        for stage, guard in guards
        for finding in guard.findings
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        _column("verdict", language, kind="code"),
        _column("remark", language),
    )
    caption = teacher_caption("teacher_switch_design", language)
    return table_of(caption, columns, rows, (), _none("teacher_switch_sound", language))


def tabulate_teacher_persistence(switch: TeacherSwitch, language: Language) -> TableExhibit:
    """Return what lasts of teachers' value added, and the shrinkage, by stage and subject."""
    least = switch_settings("moves")["least_moves"]
    rows = []
    for row in sorted(_records(switch.variances), key=lambda one: COMPULSORY_STAGES.index(one["stage"])):
        if row["n_teachers"] < least:
            continue
        few = row["n_other_pairs"] < switch_settings("signal")["least_other_pairs"]
        rows.append(
            row
            | {
                "teacher_sd": np.sqrt(row["teacher_variance"]) if row["teacher_variance"] > 0 else np.nan,
                "year_sd": np.sqrt(row["year_variance"]),
                "other_school": np.nan if few else row["other_school"],
                "n_seen": row["n_teachers"],
            }
        )
    columns = (
        vocabulary_column("stage", language, kind="code"),
        _column("subject", language, kind="code"),
        *(_column(name, language) for name in ("n_seen", "teacher_sd", "same_school", "other_school")),
        *(_column(name, language) for name in ("year_sd", "shrinkage")),
    )
    caption = teacher_caption("teacher_persistence", language)
    return table_of(caption, columns, rows, (), _none("teacher_switch_none", language))


def tabulate_teacher_switch(switches: Sequence[TeacherSwitch], language: Language) -> TableExhibit:
    """Return the slopes of scores and of earlier scores, for all changes and for rotation alone."""
    rows = [row for study in switches for row in _switch_rows(study, language)]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        _column("source", language, kind="code", below="window"),
        _column("window", language, kind="code", in_files_only=True),
        _column("outcome", language, kind="code"),
        *(_column(name, language) for name in ("estimate", "interval", "p_zero_text", "p_one_text")),
        *(_column(name, language) for name in ("n_changes", "effective", "n_moves", "why_none")),
        *(_column(name, language, in_files_only=True) for name in ("n_schools", "n_teachers", "first_stage")),
        *(_column(name, language, in_files_only=True) for name in (*NUMBERS, "p_zero", "p_one")),
    )
    notes = [sentence(f"note_teacher_switch_{name}", language) for name in ("windows", "placebo", "rotation")]
    level = next((study.confidence_level for study in switches if not study.is_refused), None)
    caption = teacher_caption(
        "teacher_switch",
        language,
        interval="teacher_switch_interval_kind",
        level=level,
        notes=tuple(notes) if rows else (),
    )
    return table_of(caption, columns, rows, (), _none("teacher_switch_none", language))


def tabulate_rotation_movers(movers: RotationMovers, language: Language) -> TableExhibit:
    """Return value added of movers and of matched stayers by direction and year since the move."""
    rows = [_mover_row(row, language) for row in _records(movers.table)]
    given = [row for row in rows if not row["why_none"]]
    withheld = [row for row in rows if row["why_none"]]
    columns = (
        _column("direction", language, kind="code"),
        _column("period", language, kind="code"),
        _column("since_text", language),
        *(_column(name, language) for name in ("movers", "stayers", "difference", "interval", "p_text")),
        *(_column(name, language) for name in ("n_movers", "n_stayers")),
        *(_column(name, language, in_files_only=True) for name in ("why_none", "since", *NUMBERS, "p_value")),
    )
    level = None if movers.is_refused else movers.confidence_level
    caption = teacher_caption(
        "rotation_movers", language, interval="teacher_movers_interval_kind", level=level
    )
    return table_of(caption, columns, given, withheld, _none("teacher_switch_none", language))


def tabulate_teacher_variance(variances: Sequence[TeacherVariance], language: Language) -> TableExhibit:
    """Return the variance of value added by teachers, schools and sorting, uncorrected and by leave-out."""
    rows = [row | {"stage": one.stage} for one in variances for row in _records(one.table)]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        _column("component", language, kind="code"),
        *(_column(name, language) for name in ("plug_in", "leave_out", "std_error")),
        _column("share", language, kind="share"),
    )
    notes = [text for one in variances for text in _qualified(one, language)]
    caption = teacher_caption("teacher_variance", language, notes=tuple(notes))
    return table_of(caption, columns, rows, (), _none("teacher_switch_none", language))


def tabulate_teacher_linked_schools(variances: Sequence[TeacherVariance], language: Language) -> TableExhibit:
    """Return how many schools moving teachers link, and what is lost on the way.

    Losses of a few persons are not counted out.
    """
    rows = [
        row | {"stage": one.stage, "step": f"accounting_{row['step']}"}
        for one in variances
        for row in _records(_without_small_losses(one.connected))
    ]
    columns = (
        vocabulary_column("stage", language, kind="code"),
        _column("step", language, kind="code"),
        *(_column(name, language) for name in ("rows", "linked_teachers", "linked_schools", "linked_movers")),
    )
    caption = teacher_caption("teacher_linked_schools", language)
    found = table_of(caption, columns, rows, (), _none("teacher_switch_none", language))
    return replace(found, marks=tuple(replace(mark, mark="suppressed") for mark in found.marks))


def _without_small_losses(connected: pd.DataFrame) -> pd.DataFrame:
    """Return the account of schools linked, with no count of a few persons, nor one that gives it away."""
    least = switch_settings("movers")["least_movers"]
    found = connected.rename(columns={name: f"linked_{name}" for name in (*PERSONS, "schools")})
    is_loss = ~found["step"].isin(["given", "kept"])
    for name in (f"linked_{one}" for one in PERSONS):
        found[name] = found[name].astype(float)
        losses = found.loc[is_loss, name]
        if ((losses > 0) & (losses < least)).any():
            found.loc[is_loss & (found[name] > 0), name] = np.nan
        if 0 < losses.sum() < least:
            found.loc[found["step"] == "kept", name] = np.nan
    return found


def _switch_rows(study: TeacherSwitch, language: Language) -> list[dict[str, Any]]:
    rows = []
    for row in _records(study.table):
        refused = str(row["refusal"])
        counts = {} if not refused else dict.fromkeys(("n_moves", "n_teachers"), np.nan)
        rows.append(
            row
            | counts
            | {
                "stage": study.stage,
                "window": f"switch_window_{row['window']}",
                "source": f"switch_source_{row['source']}",
                "outcome": f"switch_outcome_{row['outcome']}",
                "interval": range_text(row["conf_low"], row["conf_high"], language),
                "p_zero_text": p_value_text(row["p_zero"]),
                "p_one_text": p_value_text(row["p_one"]) if row["outcome"] == "score" else "",
                "why_none": sentence(refused, language) if refused else "",
            }
        )
    return rows


def _mover_row(row: dict[str, Any], language: Language) -> dict[str, Any]:
    refused = str(row["refusal"])
    year = row["since"]
    counts = {} if not refused else dict.fromkeys(("n_movers", "n_stayers"), np.nan)
    return (
        row
        | counts
        | {
            "direction": f"movers_{row['direction']}",
            "period": f"movers_{row['period']}",
            "since_text": label("movers_whole_period", language) if pd.isna(year) else format_number(year, 0),
            "interval": range_text(row["conf_low"], row["conf_high"], language),
            "p_text": p_value_text(row["p_value"]),
            "why_none": sentence(refused, language) if refused else "",
        }
    )


def _qualified(one: TeacherVariance, language: Language) -> list[str]:
    """Return why there is no decomposition, or what qualifies it."""
    stage = label(one.stage, language)
    told = [guard_sentence(finding, language) for finding in one.guard.findings]
    told = [sentence("teacher_variance_none", language, reason=reason) for reason in told]
    told += [sentence(name, language, **values) for name, values in one.advice]
    return [f"{stage}{'：' if language == 'zh' else ': '}{text}" for text in told]


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table by column name."""
    return [{str(name): value for name, value in row.items()} for row in table.to_dict("records")]


def _none(name: str, language: Language) -> str:
    return sentence(name, language)


def _column(
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
