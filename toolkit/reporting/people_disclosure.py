"""Which counts of teachers and tested pupils the public edition withholds, over all tables together."""

from dataclasses import replace
from typing import Any

import pandas as pd

from toolkit.effects.rotation_data import DOSE_FLOWS
from toolkit.figures.programmes import Places
from toolkit.reporting.edition import (
    TOTAL,
    Edition,
    minimum_cell,
    suppress_count_table,
    suppress_counts,
    suppress_small_samples,
)
from toolkit.tables.exhibit import TableExhibit
from toolkit.tables.programmes import STEPS
from toolkit.tables.segregation import INDICES
from toolkit.variation.rotation import RotationYear
from toolkit.variation.rotation_dispersion import RotationDispersion
from toolkit.variation.rotation_profile import COMPLETED
from toolkit.vocabulary import sentence

# Parts of the teachers received or sent, and the two sides of the same spells.
PARTS_OF_DOSES = {"backbone_inflow": "inflow", "backbone_outflow": "outflow", "first_year_inflow": "inflow"}
SIDES_OF_DOSES = (("inflow", "outflow"), ("backbone_inflow", "backbone_outflow"))
ROUNDING = 1e-6
# Dimensions that count the same teachers as the table of flows.
LINKED_TO_FLOWS = ("location", "direction")
SHARE_COLUMNS = {
    "moved": ("moved", "eligible_share", "teacher_share", "backbone_share"),
    "backbone": ("backbone", "backbone_share"),
    "eligible": ("eligible", "eligible_share"),
}


def suppress_segregation(exhibit: TableExhibit, rows: pd.DataFrame, *, edition: Edition) -> TableExhibit:
    """Return a table of segregation as an edition shows it.

    Withheld are the numbers of groups of few tested pupils; counts that schools report are no
    person-level data.

    Parameters
    ----------
    exhibit : TableExhibit
        From `tabulate_segregation` or `tabulate_segregation_trend`.
    rows : pandas.DataFrame
        The rows of the result behind it, in the same order.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    tested = (rows["pupils"] == "low_prior_pupils").to_numpy(dtype=bool)
    persons = rows["members"].where(tested, float(minimum_cell()))
    return suppress_small_samples(exhibit, persons, ["members", "share", *INDICES], edition=edition)


def suppress_rotation_shares(
    exhibit: TableExhibit, rotation: RotationYear, *, edition: Edition
) -> TableExhibit:
    """Return the table of shares as an edition shows it: without small counts and what gives them away."""
    rows = rotation.compliance.to_dict("records")
    hidden = pd.DataFrame(False, index=range(len(rows)), columns=[column.name for column in exhibit.columns])
    of_year = withheld_totals(rotation, edition=edition)
    for at, row in enumerate(rows):
        withheld = of_year if row["year"] == rotation.year else set()
        for name, columns in SHARE_COLUMNS.items():
            if not is_shown(name, row, withheld, edition):
                hidden.loc[at, list(columns)] = True
        if "eligible_unknown" in hidden and 0 < row["eligible_unknown"] < minimum_cell():
            hidden.loc[at, "eligible_unknown"] = True
    return suppress_count_table(exhibit, hidden, edition=edition)


def suppress_rotation_profile(
    exhibit: TableExhibit, rotation: RotationYear, *, edition: Edition
) -> TableExhibit:
    """Return the table by kind of teacher as an edition shows it."""
    return suppress_count_table(exhibit, _withheld_profile(rotation), edition=edition)


def suppress_rotation_flows(
    exhibit: TableExhibit, rotation: RotationYear, *, edition: Edition
) -> TableExhibit:
    """Return the table of flows as an edition shows it."""
    if rotation.locations.empty:
        return exhibit
    withheld = suppress_counts(rotation.locations).withheld
    # Their sums would give away what is withheld.
    steps = bool(withheld.to_numpy().any())
    return suppress_count_table(exhibit, withheld.assign(**dict.fromkeys(STEPS, steps)), edition=edition)


def suppress_rotation_towns(exhibit: TableExhibit, *, edition: Edition) -> TableExhibit:
    """Return the table of flows between towns as an edition shows it: the public one gives a line instead."""
    if edition == "internal" or exhibit.data.empty:
        return exhibit
    line = sentence("people_towns_not_listed", exhibit.caption.language, minimum=minimum_cell())
    caption = replace(exhibit.caption, notes=())
    return replace(exhibit, caption=caption, data=exhibit.data.iloc[:0], total_rows=0, empty_text=line)


def suppress_rotation_use(exhibit: TableExhibit, use: pd.DataFrame, *, edition: Edition) -> TableExhibit:
    """Return the table of what the spells serve for as an edition shows it.

    Parameters
    ----------
    exhibit : TableExhibit
        From `tabulate_rotation_use`.
    use : pandas.DataFrame
        `reason` and `n_spells`, in the order of the table.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    if edition == "internal" or use.empty:
        return exhibit
    hidden = suppress_counts(use[["n_spells"]].reset_index(drop=True).astype(float)).withheld
    return suppress_count_table(exhibit, hidden[["n_spells"]], edition=edition)


def suppress_rotation_doses(exhibit: TableExhibit, doses: pd.DataFrame, *, edition: Edition) -> TableExhibit:
    """Return the table of teachers in and out by year as an edition shows it; `doses` as `withheld_doses`."""
    withheld = withheld_doses(doses, edition=edition)
    return exhibit if withheld is None else suppress_count_table(exhibit, withheld, edition=edition)


def withheld_doses(doses: pd.DataFrame, *, edition: Edition) -> pd.DataFrame | None:
    """Return the numbers of teachers by year that an edition withholds; none where it shows all.

    Full-time equivalents are never more than persons. Withheld are few teachers, parts of them that leave few
    others, the other side of the same spells, and those sent where they are few more or less than those
    received: spells of which one school is not known.

    Parameters
    ----------
    doses : pandas.DataFrame
        See `sum_doses`.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    if edition == "internal" or doses.empty:
        return None
    limit = minimum_cell()
    values = doses[list(DOSE_FLOWS)]
    hidden = (values > 0) & (values < limit)
    for part, whole in PARTS_OF_DOSES.items():
        others = values[whole] - values[part]
        hidden[part] |= (others > 0) & (others < limit)
    for one, other in SIDES_OF_DOSES:
        either = hidden[one] | hidden[other]
        apart = (values[other] - values[one]).abs()
        hidden[one], hidden[other] = either, either | ((apart > ROUNDING) & (apart < limit))
    return hidden


def suppress_placements(
    exhibit: TableExhibit, dispersion: RotationDispersion, *, edition: Edition
) -> TableExhibit:
    """Return the table of coefficients as an edition shows it: without counts of few teachers."""
    names = ["full_time_equivalent", "n_not_known", "n_outside"]
    counts = dispersion.table[names]
    few = ((counts > 0) & (counts < minimum_cell())).reset_index(drop=True)
    return suppress_count_table(exhibit, few, edition=edition)


def places_of_flows(edition: Edition) -> Places:
    """Return the places between which an edition draws the flows: towns have few teachers each."""
    return "towns" if edition == "internal" else "locations"


def withheld_flows(rotation: RotationYear, *, edition: Edition) -> pd.DataFrame | None:
    """Return the cells of the flows between locations that an edition withholds; none where it shows all."""
    if edition == "internal" or rotation.locations.empty:
        return None
    return suppress_counts(rotation.locations).withheld


def flows_fully_shown(rotation: RotationYear, edition: Edition) -> bool:
    """Say whether an edition shows every cell of the flows between locations."""
    withheld = withheld_flows(rotation, edition=edition)
    return withheld is None or not withheld.to_numpy().any()


def is_shown(name: str, row: dict[Any, Any], withheld: set[str], edition: Edition) -> bool:
    """Say whether an edition shows a count of one row of the table of shares.

    Parameters
    ----------
    name : {"moved", "backbone", "eligible"}
        The count.
    row : dict
        The row of `RotationYear.compliance`.
    withheld : set of str
        From `withheld_totals` for rows of the year; empty for earlier years.
    edition : {"internal", "public"}
        The internal edition shows all.
    """
    if edition == "internal":
        return True
    few = 0 < row[name] < minimum_cell()
    if name == "backbone":
        few = few or 0 < row["moved"] - row["backbone"] < minimum_cell()
    return not few and name not in withheld


def withheld_totals(rotation: RotationYear, *, edition: Edition) -> set[str]:
    """Return the totals of the year that an edition withholds in some table by kind or place.

    Names of counts in the table of shares: moved, backbone, eligible.
    """
    if edition == "internal":
        return set()
    found: set[str] = set()
    of_year = rotation.profile[rotation.profile["dimension"] != COMPLETED]
    for _, block in of_year.groupby("dimension", sort=False):
        for counts in _count_tables(block):
            hidden = suppress_counts(counts).withheld
            found |= {str(name) for name in hidden.columns[hidden.loc[[TOTAL]].to_numpy(dtype=bool)[0]]}
    flows = withheld_flows(rotation, edition=edition)
    if flows is not None and flows.at[TOTAL, TOTAL]:
        found.add(TOTAL)
    names = {TOTAL: "moved", "others": "backbone"}
    return {names.get(name, name) for name in found}


def _withheld_profile(rotation: RotationYear) -> pd.DataFrame:
    """Return which cells of the table by kind of teacher are withheld."""
    profile = rotation.profile.reset_index(drop=True)
    names = ["moved", "backbone", "others", "eligible", "eligible_share"]
    hidden = pd.DataFrame(False, index=profile.index, columns=names)
    flows_hidden = not flows_fully_shown(rotation, "public")
    for dimension, block in profile.groupby("dimension", sort=False):
        for counts in _count_tables(block):
            withheld = suppress_counts(counts).withheld.drop(index=TOTAL)
            for name in counts.columns:
                hidden.loc[block.index, name] |= withheld[name].to_numpy(dtype=bool)
            if "backbone" in counts.columns:
                hidden.loc[block.index, "moved"] |= withheld[TOTAL].to_numpy(dtype=bool)
        moves = ["moved", "backbone", "others"]
        if dimension in LINKED_TO_FLOWS and (flows_hidden or hidden.loc[block.index, moves].to_numpy().any()):
            hidden.loc[block.index, moves] = True
    hidden["eligible_share"] = (hidden["moved"] | hidden["eligible"]) & profile["eligible"].notna()
    return hidden


def _count_tables(block: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the counts of one dimension that add up: those who moved, and the eligible."""
    tables = [block[["backbone", "others"]].astype(float)]
    if block["eligible"].notna().all():
        tables.append(block[["eligible"]].astype(float))
    return tables
