"""Tests in words: stage, grade, subject, and the name of the test where a grade has several in a subject."""

from typing import Any

import pandas as pd

from toolkit.vocabulary import Language, label, sentence


def name_tests(tests: pd.DataFrame, language: Language, *, with_stage: bool = True) -> list[str]:
    """Return each test in words.

    Parameters
    ----------
    tests : pandas.DataFrame
        `stage`, `grade`, `subject`, `test`.
    language : {"zh", "en"}
        Language.
    with_stage : bool, default True
        Whether the stage is said, too.
    """
    tested = tests[["stage", "grade", "subject", "test"]].drop_duplicates()
    several = set(
        tested[tested.duplicated(["stage", "grade", "subject"], keep=False)].itertuples(
            index=False, name=None
        )
    )
    words = []
    for row in tests[["stage", "grade", "subject", "test"]].itertuples(index=False, name=None):
        name = grade_subject(row, language, with_stage=with_stage)
        if row in several and row[3]:
            name = sentence("tested_named", language, tested=name, name=row[3])
        words.append(name)
    return words


def grade_subject(test: tuple[Any, ...], language: Language, *, with_stage: bool = True) -> str:
    """Return stage, grade and subject in words."""
    stage, grade, subject = test[:3]
    name = "tested_grade_subject" if with_stage else "grade_subject"
    values = {"stage": label(str(stage), language)} if with_stage else {}
    return sentence(
        name,
        language,
        grade=label(f"in_grade_{int(grade)}", language),
        subject=label(str(subject), language),
        **values,
    )
