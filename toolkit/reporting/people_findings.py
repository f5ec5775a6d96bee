"""What the spread of pupils, the groups and the rotation of the year say, in sentences from the numbers."""

import math
from typing import Any

import pandas as pd

from toolkit.reporting.edition import Edition, minimum_cell
from toolkit.reporting.findings import (
    Finding,
    FindingNumber,
    build_finding,
    number_in_cell,
    number_in_sum,
    number_of_rows,
)
from toolkit.reporting.people_disclosure import flows_fully_shown, is_shown, withheld_totals
from toolkit.tables.programmes import STEPS, count_steps
from toolkit.tables.segregation import LEFT_OUT
from toolkit.tables.variation import school_year
from toolkit.variation.programmes import ANY_PROGRAMME, TOTAL, ProgrammeYear
from toolkit.variation.pupil_segregation import PupilSegregation
from toolkit.variation.rotation import RotationYear
from toolkit.variation.rotation_dispersion import RotationDispersion
from toolkit.variation.rotation_profile import INSIDE, OUTSIDE
from toolkit.vocabulary import Language, Term, format_number, label, sentence, term

INDEX_DECIMALS = 3
COEFFICIENTS = ("coefficient_sending", "coefficient_receiving")
COUNTS_COMPARED = ("moved", "eligible", "backbone")
INDEX_NUMBERS = (
    "share",
    "dissimilarity",
    "dissimilarity_random",
    "dissimilarity_corrected",
    "information_corrected",
)

Row = dict[str, Any]


def find_segregation(segregation: PupilSegregation, *, edition: Edition = "internal") -> list[Finding]:
    """Return the findings on how unevenly groups of pupils are spread over schools."""
    latest = _rows(segregation.latest)
    if not latest:
        name = "finding_people_segregation_no_data"
        return [build_finding("segregation_no_data", name, kind="not_judged", importance=6)]
    found = [_segregation(row, segregation) for row in latest if _told(row, edition)]
    found += [_left_out(row) for row in latest if row["n_missing"] + row["n_inconsistent"]]
    if "low_prior_pupils" not in set(segregation.latest["pupils"]):
        name = "finding_people_segregation_no_prior"
        found.append(build_finding("segregation_no_prior", name, kind="not_judged", importance=6))
    return found


def find_programmes(
    programmes: ProgrammeYear,
    rotation: RotationYear,
    dispersion: RotationDispersion,
    *,
    edition: Edition = "internal",
) -> list[Finding]:
    """Return the findings on groups and rotation of the year: a description, no effect.

    Those of the public edition state no count of persons that its tables withhold.
    """
    withheld = withheld_totals(rotation, edition=edition)
    return [
        *_groups(programmes),
        *_shares(rotation, withheld, edition),
        *_sources(rotation, withheld, edition),
        *_directions(rotation, edition),
        *_inside(rotation, withheld, edition),
        *_placements(dispersion),
        *_limits(programmes, rotation, edition),
    ]


def _told(row: Row, edition: Edition) -> bool:
    """Say whether an edition states the index of a group: not that of few tested pupils."""
    few = row["pupils"] == "low_prior_pupils" and 0 < row["members"] < minimum_cell()
    return edition == "internal" or not few


def _segregation(row: Row, segregation: PupilSegregation) -> Finding:
    key = f"segregation_{row['pupils']}_{row['part']}"
    who = {"pupils": term(row["pupils"]), "part": term(row["part"])}
    if row["state"]:
        return build_finding(
            key,
            "finding_people_segregation_undefined",
            kind="not_judged",
            importance=6,
            reason=term(row["state"]),
            **who,  # pyright: ignore[reportArgumentType]
        )
    table = segregation.table
    own = (table["pupils"] == row["pupils"]) & (table["part"] == row["part"])
    before = _rows(
        table[own & (table["year"] < row["year"])].dropna(subset="dissimilarity_corrected").head(1)
    )
    values: dict[str, object] = {
        "share": _percentage(row["share"]),
        "raw": format_number(row["dissimilarity"], INDEX_DECIMALS),
        "random": format_number(row["dissimilarity_random"], INDEX_DECIMALS),
        "corrected": format_number(row["dissimilarity_corrected"], INDEX_DECIMALS),
        "information": format_number(row["information_corrected"], INDEX_DECIMALS),
    }
    group = _of_group(row)
    numbers = [_number(name, row[name], "segregation", group) for name in INDEX_NUMBERS]
    name = "finding_people_segregation"
    if before:
        name = "finding_people_segregation_change"
        earlier = before[0]["dissimilarity_corrected"]
        values |= {
            "before": format_number(earlier, INDEX_DECIMALS),
            "first": school_year(int(before[0]["year"])),
        }
        rows = group | {"year_name": school_year(int(before[0]["year"]))}
        numbers.append(
            _number(
                "dissimilarity_corrected_before",
                earlier,
                "segregation_trend",
                rows,
                column="dissimilarity_corrected",
            )
        )
    return build_finding(
        key,
        name,
        kind="finding",
        importance=5,
        numbers=tuple(numbers),
        **(who | values),  # pyright: ignore[reportArgumentType]
    )


def _left_out(row: Row) -> Finding:
    count = int(row["n_missing"] + row["n_inconsistent"])
    return build_finding(
        f"segregation_missing_{row['pupils']}_{row['part']}",
        "finding_people_segregation_missing",
        kind="limit",
        importance=6,
        numbers=(_number(LEFT_OUT, count, "segregation", _of_group(row)),),
        pupils=term(row["pupils"]),
        part=term(row["part"]),
        count=count,
    )


def _groups(programmes: ProgrammeYear) -> list[Finding]:
    """Say how many groups there are and what they cover, by stage, and who joined or left."""
    groups, coverage = programmes.school_groups, programmes.coverage
    if coverage.empty:
        name = "finding_people_no_groups"
        return [build_finding("programmes_none", name, kind="not_judged", importance=6)]
    everything = coverage[coverage["location"] == TOTAL]
    widest = (
        ANY_PROGRAMME if (everything["programme"] == ANY_PROGRAMME).any() else everything["programme"].iloc[0]
    )
    running = groups[groups["n_schools"] > 0]
    found = [
        build_finding(
            f"programmes_{row['stage']}",
            "finding_people_groups",
            kind="finding",
            importance=5,
            numbers=(
                *(
                    _number(
                        name,
                        row[name],
                        "programme_coverage",
                        {key: str(row[key]) for key in ("programme", "stage", "location")},
                    )
                    for name in ("student_share", "n_schools", "all_schools")
                ),
                number_of_rows(
                    "n_groups",
                    int((running["stage"] == row["stage"]).sum()),
                    "school_groups",
                    {"stage": str(row["stage"]), "is_running": "True"},
                ),
            ),
            stage=term(row["stage"]),
            groups=int((running["stage"] == row["stage"]).sum()),
            schools=int(row["n_schools"]),
            all_schools=int(row["all_schools"]),
            share=_percentage(row["student_share"]),
        )
        for row in _rows(everything[everything["programme"] == widest])
    ]
    joined, left = (int(groups[name].map(len).sum()) for name in ("joined", "left"))
    if joined or left:
        name = "finding_people_groups_changed"
        numbers = (
            number_in_sum("joined", joined, "school_groups", "n_joined"),
            number_in_sum("left", left, "school_groups", "n_gone"),
        )
        values = {"numbers": numbers, "joined": joined, "left": left}
        found.append(build_finding("programmes_changed", name, kind="finding", importance=6, **values))  # pyright: ignore[reportArgumentType]
    return found


def _shares(rotation: RotationYear, withheld: set[str], edition: Edition) -> list[Finding]:
    """Set the share of teachers who rotate, and of backbone teachers among them, beside the standard."""
    rows = _rows(rotation.now)
    if not rows:
        name = "finding_people_no_rotations"
        return [build_finding("rotation_none", name, kind="not_judged", importance=6)]
    if len(rows) > 1 and all(rows[0][name] == rows[1][name] for name in COUNTS_COMPARED):
        rows = [rows[0] | {"source": "entered_and_counted", "row_source": rows[0]["source"]}]
    found = []
    for row in rows:
        found += [_share(row, withheld, edition), *_backbone(row, withheld, edition)]
    return found


def _share(row: Row, withheld: set[str], edition: Edition) -> Finding:
    key, source = f"rotation_{row['source']}", term(row["source"])
    if not is_shown("moved", row, withheld, edition):
        name = "finding_people_rotation_withheld"
        return build_finding(key, name, kind="finding", importance=5, source=source)
    known = not math.isnan(row["eligible_share"]) and is_shown("eligible", row, withheld, edition)
    numbers = ["moved", "teacher_share", *(["eligible", "eligible_share", "limit"] if known else [])]
    return build_finding(
        key,
        "finding_people_rotation" if known else "finding_people_rotation_all",
        kind="finding",
        importance=4,
        numbers=tuple(_number(name, row[name], "rotation_shares", _of_source(row)) for name in numbers),
        source=source,
        moved=format_number(row["moved"], 0),
        eligible=format_number(row["eligible"], 0),
        eligible_share=_percentage(row["eligible_share"]),
        teacher_share=_percentage(row["teacher_share"]),
        limit=_percentage(row["limit"], 0),
    )


def _backbone(row: Row, withheld: set[str], edition: Edition) -> list[Finding]:
    shown = all(is_shown(name, row, withheld, edition) for name in ("moved", "backbone"))
    if math.isnan(row["backbone_share"]) or not shown:
        return []
    return [
        build_finding(
            f"rotation_backbone_{row['source']}",
            "finding_people_backbone",
            kind="finding",
            importance=4,
            numbers=tuple(
                _number(name, row[name], "rotation_shares", _of_source(row))
                for name in ("backbone", "backbone_share", "backbone_limit")
            ),
            source=term(row["source"]),
            backbone=format_number(row["backbone"], 0),
            share=_percentage(row["backbone_share"]),
            limit=_percentage(row["backbone_limit"], 0),
        )
    ]


def _sources(rotation: RotationYear, withheld: set[str], edition: Edition) -> list[Finding]:
    """Name a difference between what the county entered and what the rows say."""
    rows = _rows(rotation.now)
    moved = [row["moved"] for row in rows if is_shown("moved", row, withheld, edition)]
    if len(moved) < 2 or any(math.isnan(count) for count in moved) or moved[0] == moved[1]:
        return []
    return [
        build_finding(
            "rotation_sources",
            "finding_people_sources_differ",
            kind="limit",
            importance=5,
            numbers=tuple(_number("moved", row["moved"], "rotation_shares", _of_source(row)) for row in rows),
            entered=format_number(moved[0], 0),
            counted=format_number(moved[1], 0),
        )
    ]


def _directions(rotation: RotationYear, edition: Edition) -> list[Finding]:
    """Count the moves to less and to better provided places."""
    flows = rotation.locations
    if flows.empty or not flows_fully_shown(rotation, edition):
        return []
    steps = count_steps(flows).sum(axis=0)
    return [
        build_finding(
            "rotation_directions",
            "finding_people_directions",
            kind="finding",
            importance=5,
            numbers=tuple(_number(name, steps[name], "rotation_flows", {"sending": TOTAL}) for name in STEPS),
            **{name.removeprefix("moved_"): int(steps[name]) for name in STEPS},  # pyright: ignore[reportArgumentType]
        )
    ]


def _inside(rotation: RotationYear, withheld: set[str], edition: Edition) -> list[Finding]:
    """Count the moves inside groups, where there are groups."""
    own = rotation.profile[rotation.profile["dimension"] == "inside"].set_index("category")["moved"]
    counts = [int(own.get(name, 0)) for name in (INSIDE, OUTSIDE)]
    few = any(0 < int(count) < minimum_cell() for count in own)
    if not counts[0] or (edition == "public" and (few or withheld)):
        return []
    return [
        build_finding(
            "rotation_inside",
            "finding_people_inside",
            kind="finding",
            importance=6,
            numbers=tuple(
                _number(
                    "moved",
                    count,
                    "rotation_profile",
                    {"dimension_code": "inside", "category_code": category},
                )
                for category, count in zip((INSIDE, OUTSIDE), counts, strict=True)
                if category in own.index
            ),
            inside=counts[0],
            outside=counts[1],
        )
    ]


def _placements(dispersion: RotationDispersion) -> list[Finding]:
    """Set the coefficients with rotating teachers at either school side by side, by stage."""
    table = dispersion.table.dropna(subset=list(COEFFICIENTS))
    return [
        build_finding(
            f"rotation_placement_{stage}",
            "finding_people_placement",
            kind="finding",
            importance=6,
            numbers=tuple(
                _number(
                    f"{row['indicator']}_{name}",
                    row[name],
                    "rotation_placements",
                    {"stage": str(stage), "indicator_id": row["indicator"]},
                    column=name,
                )
                for row in _rows(own)
                for name in COEFFICIENTS
            ),
            stage=term(str(stage)),
            indicators=_told_coefficients(_rows(own)),
        )
        for stage, own in table.groupby("stage", sort=False)
    ]


def _told_coefficients(rows: list[Row]) -> Term:
    """Return the indicators of a stage with both coefficients, in words."""

    def told(language: Language) -> str:
        words = [
            sentence(
                "finding_people_placement_one",
                language,
                indicator=row["indicator"],
                sending=format_number(row["coefficient_sending"], INDEX_DECIMALS),
                receiving=format_number(row["coefficient_receiving"], INDEX_DECIMALS),
            )
            for row in rows
        ]
        return label("report_list_separator", language).join(words)

    return Term(zh=told("zh"), en=told("en"))


def _limits(programmes: ProgrammeYear, rotation: RotationYear, edition: Edition) -> list[Finding]:
    """Say what the numbers leave open."""
    found = []
    unmatched = rotation.n_sending_unmatched, rotation.n_receiving_unmatched
    if any(unmatched):
        few = edition == "public" and any(0 < count < minimum_cell() for count in unmatched)
        name = "finding_people_unmatched_some" if few else "finding_people_unmatched"
        values = {} if few else {"sending": unmatched[0], "receiving": unmatched[1]}
        found.append(build_finding("rotation_unmatched", name, kind="limit", importance=6, **values))  # pyright: ignore[reportArgumentType]
    rows = len(programmes.unusable) + len(rotation.unusable)
    if rows:
        name = "finding_people_unusable"
        numbers = (number_in_sum("n_rows", rows, "programme_unusable", "n_rows"),)
        found.append(
            build_finding(
                "programmes_unusable", name, kind="limit", importance=6, numbers=numbers, count=rows
            )
        )
    if rotation.mark and len(rotation.now):
        doubt = rotation.standard.marks[rotation.mark].doubt
        words = Term(zh=doubt.zh, en=doubt.en)
        name = "finding_people_eligible_doubt"
        found.append(build_finding("rotation_doubt", name, kind="limit", importance=6, doubt=words))
    return found


def _number(name: str, value: float, table: str, rows: dict[str, str], *, column: str = "") -> FindingNumber:
    unit = "percent" if name.endswith(("share", "limit")) else ""
    return number_in_cell(name, value, table, column or name, rows, unit=unit)


def _of_group(row: Row) -> dict[str, str]:
    """Return what tells a group of pupils from the others."""
    return {name: str(row[name]) for name in ("pupils", "part")}


def _of_source(row: Row) -> dict[str, str]:
    """Return what tells a row of the table of shares from the others."""
    source = row.get("row_source", row["source"])
    return {"year_name": school_year(int(row["year"])), "source": str(source)}


def _percentage(share: float, decimals: int = 1) -> str:
    return format_number(share, 0) if math.isnan(share) else f"{format_number(100 * share, decimals)}%"


def _rows(table: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in table.to_dict(orient="records")]
