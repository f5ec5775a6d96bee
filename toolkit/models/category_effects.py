"""Effects of year, grade or subject, estimated beside teacher and school effects."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from toolkit.models.school_system import build_school_system, settings
from toolkit.models.teacher_matches import Floats, Matches, Whole, collapse_to_matches, match_of_rows


def remove_category_effects(
    outcome: ArrayLike, teacher: ArrayLike, school: ArrayLike, categories: Sequence[ArrayLike]
) -> Floats:
    """Take effects of categories, such as year, grade and subject, out of the outcome.

    They are estimated beside the teacher and the school effects, so that a category in which better teachers
    work does not lose their part.

    Parameters
    ----------
    outcome, teacher, school : array_like, (n_rows,)
        As in `decompose_teacher_school_variance`.
    categories : sequence of array_like, each (n_rows,)
        One array of labels per category, without missing ones.

    Returns
    -------
    ndarray of float, (n_rows,)
        Outcome less the category effects; its mean is that of the outcome.
    """
    values = np.asarray(outcome, dtype=float)
    dummies = sparse.hstack([_dummies(category) for category in categories], format="csr")
    matches = collapse_to_matches(values, teacher, school)
    row = match_of_rows(teacher, school)
    pick = sparse.csr_array((np.ones(len(row)), (row, np.arange(len(row)))))
    sums = np.column_stack([pick @ (values - values.mean()), sparse.csr_array(pick @ dummies).toarray()])
    system = build_school_system(matches, _all_sets(matches))
    explained = system.fitted(*system.fit(sums[:, 1:], settings()["projection"]["tolerance_effects"]))
    cross = sparse.csr_array(dummies.T @ dummies).toarray()
    left = cross - sums[:, 1:].T @ explained
    aim = dummies.T @ (values - values.mean()) - explained.T @ sums[:, 0]
    slopes = np.linalg.pinv((left + left.T) / 2, rcond=1e-10, hermitian=True) @ aim
    fitted = dummies @ slopes
    return values - (fitted - fitted.mean())


def _dummies(category: ArrayLike) -> sparse.csr_array:
    """Return one column of zeros and ones per label."""
    codes, labels = pd.factorize(pd.Series(np.asarray(category)), sort=True)
    if (codes < 0).any():
        raise ValueError("categories must be complete")
    return sparse.csr_array(
        (np.ones(len(codes)), (np.arange(len(codes)), codes)), shape=(len(codes), len(labels))
    )


def _all_sets(matches: Matches) -> Whole:
    """Return the set of every school, unlinked ones being sets of one."""
    size = (len(matches.teachers) + len(matches.schools),) * 2
    graph = sparse.coo_array(
        (np.ones(len(matches.n)), (matches.teacher, len(matches.teachers) + matches.school)), shape=size
    )
    labels = connected_components(graph, directed=False)[1][len(matches.teachers) :]
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)
