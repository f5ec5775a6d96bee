"""Variance of pupils' progress by teachers and by schools, sampling noise taken out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from toolkit.effects.guard import DesignGuard, GuardFinding, Severity
from toolkit.effects.switch_guard import switch_settings
from toolkit.effects.teacher_residuals import compute_teacher_residuals
from toolkit.errors import DesignError
from toolkit.indicators.teacher_cells import TeacherCells
from toolkit.models.teacher_school_effects import TeacherSchoolVariance, decompose_teacher_school_variance

VARIANCE_COLUMNS = ["component", "plug_in", "leave_out", "std_error", "share"]
CONNECTED_COLUMNS = ["step", "rows", "teachers", "schools", "movers"]
SEVERITIES: Mapping[str, Severity] = {
    "teacher_links_none": "refused",
    "teacher_links_few": "refused",
    "teacher_priors_none": "refused",
    "variance_few_teachers": "refused",
    "teacher_school_no_movers": "refused",
    "teacher_school_not_linked": "refused",
}


@dataclass(frozen=True, slots=True)
class TeacherVariance:
    """The decomposition of residual means of one stage.

    Attributes
    ----------
    stage : str
        Stage.
    guard : DesignGuard
        Why nothing was decomposed.
    table : pandas.DataFrame
        `VARIANCE_COLUMNS`, one row per component, in squared standard deviations of pupils; `share` of the
        variance of the means of teachers by year.
    connected : pandas.DataFrame
        `CONNECTED_COLUMNS`: what was given, lost on the way and used.
    advice : tuple of (str, mapping of str to float)
        Sentences that qualify the result, with their numbers.
    movers_per_school : float
        Moving teachers seen per school.
    """

    stage: str
    guard: DesignGuard
    table: pd.DataFrame
    connected: pd.DataFrame
    advice: tuple[tuple[str, Mapping[str, float]], ...]
    movers_per_school: float

    @property
    def is_refused(self) -> bool:
        """Whether nothing was decomposed."""
        return self.guard.is_refused

    def share(self, component: str) -> float:
        """Return the corrected share of a component in the variance of the means."""
        return float(self.table.loc[self.table["component"] == component, "share"].iloc[0])

    def tidy(self) -> pd.DataFrame:
        """Return one row per component."""
        return self.table.assign(stage=self.stage)


def study_teacher_variance(cells: TeacherCells, stage: str, *, seed: int = 1) -> TeacherVariance:
    """Decompose what pupils score beyond their earlier scores into teachers, schools and their sorting.

    Rows are the means of a teacher at a school in a year, grade and subject, scores less what the pupil's own
    earlier score predicts; effects of year, grade and subject are estimated beside. The mean earlier score of
    the school is not taken out: what it explains is part of what schools differ by. Uncorrected variances of
    estimated effects hold noise; those by leave-out do not. Only schools that teachers who moved link can be
    compared; teacher and school effects are taken to add up, and to last.

    Parameters
    ----------
    cells : TeacherCells
        Pupils linked to teachers.
    stage : {"primary", "junior"}
        Stage.
    seed : int
        Of the draws for standard errors.
    """
    own = cells.of_stage(stage)
    if own.refusal is not None:
        code, numbers = own.refusal
        return _refused(stage, code, numbers)
    rows = compute_teacher_residuals(own, peers=False).cells
    least, teachers = switch_settings("variance")["least_teachers"], rows["teacher"].nunique()
    if teachers < least:
        return _refused(stage, "variance_few_teachers", {"teachers": teachers, "least": least})
    # A teacher of two subjects has an effect in each.
    teacher = rows["teacher"] + "\n" + rows["subject"]
    test = rows.groupby(["year", "grade", "subject"]).ngroup()
    try:
        found = decompose_teacher_school_variance(
            rows["residual"], teacher, rows["school"], categories=(test,), seed=seed
        )
    except DesignError as error:
        return _refused(stage, error.name, {name: float(str(value)) for name, value in error.values.items()})
    return TeacherVariance(
        stage,
        DesignGuard((), switch_settings("variance")),
        found.tidy()[VARIANCE_COLUMNS],
        found.linked.tidy()[CONNECTED_COLUMNS],
        _advice(found),
        found.linked.movers_per_school,
    )


def _advice(found: TeacherSchoolVariance) -> tuple[tuple[str, Mapping[str, float]], ...]:
    return tuple((one.sentence, dict(one.values)) for one in found.advice)


def _refused(stage: str, code: str, numbers: Mapping[str, float]) -> TeacherVariance:
    guard = DesignGuard((GuardFinding(code, SEVERITIES[code], numbers),), switch_settings("variance"))
    empty: Sequence[pd.DataFrame] = [
        pd.DataFrame(columns=one) for one in (VARIANCE_COLUMNS, CONNECTED_COLUMNS)
    ]
    return TeacherVariance(stage, guard, *empty, advice=(), movers_per_school=np.nan)
