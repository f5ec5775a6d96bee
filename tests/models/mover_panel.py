"""Simulated teachers who move between schools, and the slow formulas of the decomposition."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Panel:
    outcome: np.ndarray
    teacher: np.ndarray
    school: np.ndarray
    teacher_effect: np.ndarray
    school_effect: np.ndarray


def simulate_movers(
    n_teachers=60, n_years=5, n_schools=8, *, zone=4, move=0.25, far=0.2, seed=0, noise=0.5
) -> Panel:
    """Teachers stay or move inside a zone of schools, some of them anywhere."""
    rng = np.random.default_rng(seed)
    of_teacher, of_school = rng.normal(0, 0.3, n_teachers), rng.normal(0, 0.3, n_schools)
    place = np.empty((n_teachers, n_years), dtype=int)
    place[:, 0] = rng.integers(0, n_schools, n_teachers)
    for year in range(1, n_years):
        before = place[:, year - 1]
        near = before // zone * zone + rng.integers(0, zone, n_teachers)
        anywhere = rng.integers(0, n_schools, n_teachers)
        aim = np.where(rng.random(n_teachers) < far, anywhere, near)
        place[:, year] = np.where(rng.random(n_teachers) < move, aim, before)
    teacher, school = np.repeat(np.arange(n_teachers), n_years), place.ravel()
    errors = rng.normal(0, noise, len(teacher)) * (0.5 + (teacher % 3) / 2)
    outcome = of_teacher[teacher] + of_school[school] + errors
    return Panel(outcome, teacher, school, of_teacher, of_school)


def rows_kept(panel: Panel, linked) -> np.ndarray:
    """Return which rows belong to a match that is kept."""
    matches = linked.matches
    pairs = set(zip(matches.teachers[matches.teacher], matches.schools[matches.school], strict=True))
    return np.array([pair in pairs for pair in zip(panel.teacher, panel.school, strict=True)])


def dense_decomposition(panel: Panel, linked, leave_out: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return effects, plug-in and leave-out components by dense algebra, block by block."""
    kept = rows_kept(panel, linked)
    teacher = np.searchsorted(linked.matches.teachers, panel.teacher[kept])
    school = np.searchsorted(linked.matches.schools, panel.school[kept])
    sets, outcome = linked.set_of_school[school], panel.outcome[kept].copy()
    n, n_teachers = len(outcome), len(linked.matches.teachers)
    centre = np.eye(n)
    for each in np.unique(sets):
        inside = (sets == each).astype(float)
        centre -= np.outer(inside, inside) / inside.sum()
    outcome = centre @ outcome
    design = np.hstack([np.eye(n_teachers)[teacher], np.eye(len(linked.matches.schools))[school]])
    of_teacher, of_school = design.copy(), design.copy()
    of_teacher[:, n_teachers:], of_school[:, :n_teachers] = 0, 0
    both = of_teacher.T @ centre @ of_school
    forms = [of_teacher.T @ centre @ of_teacher, (both + both.T) / 2, of_school.T @ centre @ of_school]
    inverse = np.linalg.pinv(design.T @ design)
    effects = inverse @ design.T @ outcome
    hat = design @ inverse @ design.T
    blocks = left_out_blocks(teacher, school, leave_out)
    plug_in = np.array([effects @ form @ effects / n for form in forms])
    corrected = plug_in.copy()
    for block in blocks:
        chosen = np.ix_(block, block)
        without = np.linalg.solve(np.eye(len(block)) - hat[chosen], (outcome - hat @ outcome)[block])
        for position, form in enumerate(forms):
            spread = (design[block] @ inverse @ form @ inverse @ design[block].T) / n
            corrected[position] -= np.trace(spread @ np.outer(without, outcome[block]))
    return design @ effects, plug_in, corrected


def left_out_blocks(teacher: np.ndarray, school: np.ndarray, leave_out: str) -> list[np.ndarray]:
    """Return the rows of each block that is left out."""
    blocks = []
    for each in np.unique(teacher):
        own = np.flatnonzero(teacher == each)
        places = np.unique(school[own])
        if leave_out == "observation" or len(places) == 1:
            blocks += [np.array([row]) for row in own]
        else:
            blocks += [own[school[own] == place] for place in places]
    return blocks
