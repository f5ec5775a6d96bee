"""Groups and rotation of the year, as tables. Counts of teachers only, never a person."""

from dataclasses import replace

import numpy as np
import pandas as pd

from toolkit.exhibits import exhibit_caption
from toolkit.standards import indicator_name
from toolkit.tables.exhibit import (
    CellMark,
    ColumnKind,
    Mark,
    TableColumn,
    TableExhibit,
    vocabulary_column,
)
from toolkit.tables.variation import school_year
from toolkit.variation.programmes import TOTAL, ProgrammeYear, programme_settings
from toolkit.variation.rotation import RotationYear
from toolkit.variation.rotation_dispersion import RotationDispersion
from toolkit.variation.rotation_profile import ARROW
from toolkit.vocabulary import Language, format_number, has_term, label, sentence, term

# A large county has hundreds of flows between towns; the files hold all rows.
ROWS_SHOWN = 60
WIDEST_MATRIX = 15
LENGTH_PREFIX = "length_"
# From the best to the least provided place: a move along this order goes down.
ORDER_OF_PLACES = ("urban", "town_area", "rural")
STEPS = ("moved_down", "moved_up", "moved_level")
NONE = "–"


def tabulate_school_groups(programmes: ProgrammeYear, language: Language) -> TableExhibit:
    """Return the groups, zones and projects of the year with their schools, and who joined or left."""
    separator = label("list_separator", language)
    data = programmes.school_groups.copy()
    data = data.assign(
        n_joined=data["joined"].map(len), n_gone=data["left"].map(len), is_running=data["n_schools"] > 0
    )
    for name in ("leads", "members", "joined", "left"):
        data[name] = [separator.join(names) or NONE for names in data[name]]
    data["start"] = [school_year(int(year)) for year in data["start_year"]]
    columns = (
        TableColumn("school_group", label("school_group", language)),
        vocabulary_column("programme", language, kind="code"),
        vocabulary_column("stage", language, kind="code"),
        _column("programme_form", language, "code", name="form"),
        TableColumn("start", label("programme_start", language)),
        *(TableColumn(name, label(f"programme_{name}", language)) for name in ("leads", "members")),
        *(_column(f"programme_{name}", language, "number", name=name) for name in ("n_schools", "students")),
        *(TableColumn(name, label(f"programme_{name}", language)) for name in ("joined", "left")),
        *(
            replace(_column(f"programme_{name}", language, "number", name=name), in_files_only=True)
            for name in ("n_joined", "n_gone")
        ),
        replace(_column("programme_is_running", language, "flag", name="is_running"), in_files_only=True),
    )
    marks = [
        CellMark(row, "form", "not_applicable") for row, form in enumerate(data["form"]) if pd.isna(form)
    ]
    marks += [CellMark(row, "students", "provisional") for row, n in enumerate(data["n_unknown"]) if n]
    return _exhibit("school_groups", columns, data, marks, programmes.year, language)


def tabulate_coverage(programmes: ProgrammeYear, language: Language) -> TableExhibit:
    """Return how many schools and students each programme covers, by stage and location."""
    data = programmes.coverage.reset_index(drop=True)
    columns = (
        vocabulary_column("programme", language, kind="code"),
        vocabulary_column("stage", language, kind="code"),
        vocabulary_column("location", language, kind="code"),
        _column("programme_covered_schools", language, "number", name="n_schools"),
        _column("programme_all_schools", language, "number", name="all_schools"),
        _column("programme_school_share", language, "share", name="school_share"),
        _column("programme_covered_students", language, "number", name="students"),
        _column("programme_all_students", language, "number", name="all_students"),
        _column("programme_student_share", language, "share", name="student_share"),
    )
    marks = [
        CellMark(row, name, "provisional")
        for row, n in enumerate(data["n_unknown"])
        if n
        for name in ("students", "all_students", "student_share")
        if not pd.isna(data[name].iloc[row])
    ]
    return _exhibit("programme_coverage", columns, data, marks, programmes.year, language)


def tabulate_support(programmes: ProgrammeYear, language: Language) -> TableExhibit:
    """Return the pairings that run in the year."""
    data = programmes.support.copy()
    for name in ("first_year", "last_year"):
        data[name] = [pd.NA if pd.isna(year) else school_year(int(year)) for year in data[name]]
    columns = (
        TableColumn("receiver", label("programme_receiver", language)),
        TableColumn("supporter", label("programme_supporter", language)),
        vocabulary_column("programme", language, kind="code"),
        TableColumn("first_year", label("programme_first_year", language)),
        TableColumn("last_year", label("programme_last_year", language)),
        _column("programme_cycle", language, "number", name="support_cycle"),
    )
    return _exhibit("programme_support", columns, data, [], programmes.year, language)


def tabulate_unusable_rows(
    programmes: ProgrammeYear, rotation: RotationYear, language: Language
) -> TableExhibit:
    """Return how many rows of the two tables could not be used, by reason."""
    parts = [
        found.groupby("reason").size().rename("n_rows").reset_index().assign(table=name)
        for name, found in (
            ("membership_rows", programmes.unusable),
            ("rotation_rows", rotation.unusable),
        )
    ]
    data = pd.concat(parts, ignore_index=True)
    columns = (
        _column("programme_source_table", language, "code", name="table"),
        _column("programme_reason", language, "code", name="reason"),
        _column("programme_n_rows", language, "number", name="n_rows"),
    )
    caption = exhibit_caption("programme_unusable", language)
    return TableExhibit(caption, columns, data, empty_text=sentence("people_all_rows_used", language))


def tabulate_rotation_shares(rotation: RotationYear, language: Language) -> TableExhibit:
    """Return teachers who began a rotation against eligible and all teachers, and the backbone share."""
    data = rotation.compliance.reset_index(drop=True)
    data = data.assign(
        year_name=[school_year(int(year)) for year in data["year"]],
        met=data["met"].replace("", pd.NA),
        backbone_met=data["backbone_met"].replace("", pd.NA),
    )
    columns = (
        TableColumn("year_name", label("rotation_year", language), below="source"),
        replace(_column("rotation_source", language, "code", name="source"), in_files_only=True),
        *(_rotation(name, language) for name in ("moved", "eligible")),
        *([_rotation("eligible_unknown", language)] if (data["eligible_unknown"] > 0).any() else []),
        _rotation("eligible_share", language, "share"),
        replace(_rotation("limit", language, "share"), in_files_only=True),
        replace(_rotation("met", language, "met"), below="limit"),
        _rotation("teachers", language),
        _rotation("teacher_share", language, "share"),
        _rotation("backbone", language),
        _rotation("backbone_share", language, "share"),
        replace(_rotation("backbone_limit", language, "share"), in_files_only=True),
        replace(_rotation("backbone_met", language, "met"), below="backbone_limit"),
    )
    doubtful: tuple[tuple[str, Mark, str], ...] = (
        ("eligible_share", "unsure" if rotation.mark else "provisional", "eligible"),
        ("teacher_share", "provisional", "teachers_unknown"),
        ("backbone_share", "provisional", "backbone_unknown"),
    )
    marks = [
        CellMark(row, name, mark)
        for row, cells in enumerate(data.to_dict("records"))
        for name, mark, of in doubtful
        if cells[of] and not pd.isna(cells[name])
    ]
    return _exhibit(
        "rotation_shares", columns, data, marks, rotation.year, language, notes=_doubts(rotation, language)
    )


def tabulate_rotation_profile(rotation: RotationYear, language: Language) -> TableExhibit:
    """Return the teachers who moved this year by stage, place, group, direction, length, subject and type."""
    data = rotation.profile.reset_index(drop=True)
    data = data.assign(
        dimension_code=data["dimension"],
        category_code=data["category"],
        dimension=[label(f"rotation_by_{name}", language) for name in data["dimension"]],
        category=[category_text(name, language) for name in data["category"]],
    )
    columns = (
        TableColumn("dimension", label("rotation_dimension", language)),
        TableColumn("category", label("rotation_category", language)),
        *(_rotation(name, language) for name in ("moved", "backbone", "others", "eligible")),
        _rotation("eligible_share", language, "share"),
        *(
            TableColumn(name, label(f"rotation_{name}", language), in_files_only=True)
            for name in ("dimension_code", "category_code")
        ),
    )
    marks = [
        CellMark(row, name, "not_applicable")
        for name in ("eligible", "eligible_share")
        for row, value in enumerate(data[name])
        if pd.isna(value)
    ]
    return _exhibit("rotation_profile", columns, data, marks, rotation.year, language)


def tabulate_rotation_flows(rotation: RotationYear, language: Language) -> TableExhibit:
    """Return teachers by location of the sending and the receiving school, with totals.

    The files add how many went to less, to better and to equally well provided places.
    """
    exhibit = _flows("rotation_flows", rotation.locations, rotation.year, language)
    if exhibit.data.empty:
        return exhibit
    steps = count_steps(rotation.locations)
    steps.loc[TOTAL] = steps.sum(axis=0)
    columns = tuple(replace(_rotation(name, language), in_files_only=True) for name in STEPS)
    data = exhibit.data.assign(**{name: steps[name].to_numpy() for name in STEPS})
    return replace(exhibit, columns=(*exhibit.columns, *columns), data=data)


def count_steps(flows: pd.DataFrame) -> pd.DataFrame:
    """Count the teachers sent from each place down, up and level in the order of provision.

    Moves from or to a place that is not known are not counted.
    """
    order = {name: at for at, name in enumerate(ORDER_OF_PLACES)}
    values = flows.to_numpy(dtype=int)
    counts = np.zeros((len(flows), len(STEPS)), dtype=int)
    for at, sent in enumerate(flows.index):
        for to, taken in enumerate(flows.columns):
            if sent in order and taken in order:
                step = order[taken] - order[sent]
                counts[at, 0 if step > 0 else 1 if step < 0 else 2] += values[at, to]
    return pd.DataFrame(counts, index=flows.index, columns=list(STEPS))


def tabulate_rotation_towns(rotation: RotationYear, language: Language) -> TableExhibit:
    """Return teachers by town of the sending and the receiving school, with totals.

    With many towns, as pairs with most teachers first: nobody reads a matrix of fifty columns.
    """
    if max(rotation.towns.shape) > WIDEST_MATRIX:
        return _flow_pairs("rotation_towns", rotation.towns, rotation.year, language)
    return _flows("rotation_towns", rotation.towns, rotation.year, language)


def tabulate_placements(dispersion: RotationDispersion, language: Language) -> TableExhibit:
    """Return the coefficients of the teacher indicators with rotating teachers at either school."""
    table = dispersion.table.reset_index(drop=True)
    data = table.assign(
        name=[indicator_name(dispersion.standard, indicator, language) for indicator in table["indicator"]],
        indicator_id=table["indicator"],
    )
    columns = (
        TableColumn("name", label("indicator", language)),
        vocabulary_column("stage", language, kind="code"),
        _column("placement_n_schools", language, "number", name="n_schools"),
        vocabulary_column("limit", language, kind="number", decimals=2),
        *(
            _column(f"placement_{name}", language, "number", name=name)
            for name in (
                "coefficient_reported",
                "coefficient_sending",
                "coefficient_receiving",
                "difference",
                "full_time_equivalent",
                "n_not_known",
                "n_outside",
                "n_below_zero",
            )
        ),
        vocabulary_column("indicator_id", language, in_files_only=True),
    )
    marks = [
        CellMark(row, name, "provisional")
        for row, n in enumerate(data["n_missing"])
        if n
        for name in ("coefficient_reported", "coefficient_sending", "coefficient_receiving")
        if not pd.isna(data[name].iloc[row])
    ]
    marks += [CellMark(row, "limit", "not_applicable") for row, x in enumerate(data["limit"]) if pd.isna(x)]
    return _exhibit("rotation_placements", columns, data, marks, dispersion.year, language)


def category_text(category: str, language: Language) -> str:
    """Return a category of the rotation profile in words."""
    if ARROW in category:
        sent, taken = category.split(ARROW)
        return sentence(
            "rotation_direction", language, sending=label(sent, language), receiving=label(taken, language)
        )
    if category.startswith(LENGTH_PREFIX):
        low, high = category.removeprefix(LENGTH_PREFIX).split("_")
        name = (
            "rotation_length_over"
            if not high
            else "rotation_length_up_to"
            if low == "0"
            else "rotation_length"
        )
        return sentence(name, language, low=low, high=high)
    return label(category, language) if has_term(category) else category


def _flows(key: str, flows: pd.DataFrame, year: int, language: Language) -> TableExhibit:
    """Return a matrix of teachers with its totals."""
    data = flows.assign(**{TOTAL: flows.sum(axis=1)})
    data.loc[TOTAL] = data.sum(axis=0)
    places = [str(name) for name in data.columns]
    data = data.rename_axis("sending").reset_index()
    columns = (
        _column("rotation_sending_location", language, "code", name="sending"),
        *(
            TableColumn(name, label(name, language) if has_term(name) else name, "number", decimals=0)
            for name in places
        ),
    )
    shown = data.iloc[:0] if flows.empty else data
    exhibit = _exhibit(key, columns, shown, [], year, language)
    return replace(exhibit, total_rows=min(1, len(shown)))


def _flow_pairs(key: str, flows: pd.DataFrame, year: int, language: Language) -> TableExhibit:
    """Return pairs of places between which teachers moved, those with most teachers first."""
    matrix = flows.rename_axis("sending").reset_index()
    pairs = matrix.melt(id_vars="sending", var_name="receiving", value_name="moved")
    pairs = pairs[pairs["moved"] > 0].sort_values("moved", ascending=False, kind="stable", ignore_index=True)
    columns = (
        _column("rotation_from_town", language, "code", name="sending"),
        _column("rotation_to_town", language, "code", name="receiving"),
        _rotation("moved", language),
    )
    return replace(_exhibit(key, columns, pairs, [], year, language), rows_shown=ROWS_SHOWN)


def _doubts(rotation: RotationYear, language: Language) -> tuple[str, ...]:
    """Return the rule by which eligible teachers are counted, and its doubt."""
    rule = programme_settings("eligible")
    told = sentence("rotation_eligible_rule", language, years=format_number(rule["years_at_school"], 0))
    if not rotation.mark:
        return (told,)
    return told, getattr(rotation.standard.marks[rotation.mark].doubt, language)


def _exhibit(
    key: str,
    columns: tuple[TableColumn, ...],
    data: pd.DataFrame,
    marks: list[CellMark],
    year: int,
    language: Language,
    *,
    notes: tuple[str, ...] = (),
) -> TableExhibit:
    """Return a table of the year, or the line that the year has no such data."""
    caption = exhibit_caption(key, language, year=school_year(year), notes=notes)
    if data.empty:
        caption = replace(caption, notes=())
    empty = sentence("people_no_data_this_year", language, year=school_year(year))
    return TableExhibit(caption, columns, data, marks=tuple(marks), rows_shown=ROWS_SHOWN, empty_text=empty)


def _rotation(name: str, language: Language, kind: ColumnKind = "number") -> TableColumn:
    return _column(f"rotation_{name}", language, kind, name=name)


def _column(entry: str, language: Language, kind: ColumnKind, *, name: str) -> TableColumn:
    """Return a column of the data labelled by a term of this part."""
    decimals = term(entry).decimals
    return TableColumn(name, label(entry, language), kind, decimals=1 if decimals is None else decimals)
