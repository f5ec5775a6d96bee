"""Which columns of a sheet are read, and what merged cells stand for."""

from collections import Counter

from toolkit.data.reading.blocks import Options
from toolkit.data.reading.cells import Grid, column_letters, is_blank
from toolkit.data.reading.headers import is_order_header, match_header, nearest_header
from toolkit.data.reading.layout import Heading, Layout
from toolkit.data.reading.log import Place, ReadingLog
from toolkit.data.schema import TABLES


def fill_merges(grid: Grid, layout: Layout, place: Place, log: ReadingLog) -> dict[tuple[int, int], object]:
    """Return the value of each further cell of merged ranges that name rows; merged numbers are told."""
    table = TABLES[layout.table]
    matches = {heading.position: heading.match.column for heading in layout.headings}
    filled: dict[tuple[int, int], object] = {}
    for top, left, bottom, right in grid.merged:
        if bottom < layout.first_row or top >= len(grid.rows) or bottom == top:
            continue
        for column in range(left, right + 1):
            name = matches.get(column, "")
            if name not in table.column_names:
                continue
            if table.column(name).is_numeric:
                address = f"{column_letters(left)}{top + 1}:{column_letters(right)}{bottom + 1}"
                log.add(
                    "merged_numbers",
                    "warning",
                    file=place[1],
                    sheet=place[2],
                    cell=f"{column_letters(left)}{top + 1}",
                    table=table.name,
                    column=name,
                    area=address,
                    column_label=f"@{name}",
                )
                continue
            value = grid.rows[top][left]
            for row in range(max(top + 1, layout.first_row), min(bottom, len(grid.rows) - 1) + 1):
                filled[row, column] = value
    counts = Counter(matches[column] for _, column in filled)
    for name, count in counts.items():
        log.convert(place, name, "merged_filled", count)
    return filled


def choose_headings(
    grid: Grid, layout: Layout, kept: list[int], place: Place, log: ReadingLog, options: Options
) -> list[Heading]:
    """Return one heading per known column; doubles and unknown headers are told."""
    chosen: dict[tuple[str, str, str, str], Heading] = {}
    for heading in layout.headings:
        match = heading.match
        if not match.is_known:
            values = [grid.rows[row - 1][heading.position] for row in kept]
            if not options.is_mapped and heading.position not in options.used_elsewhere:
                _report_unknown(heading, layout, values, place, log)
            continue
        key = (match.column, match.stem, match.part, match.stage if match.part else "")
        first = chosen.get(key)
        if first is None:
            chosen[key] = heading
            continue
        values, before = (
            [grid.rows[row - 1][position] for row in kept] for position in (heading.position, first.position)
        )
        if all(map(is_blank, before)):
            chosen[key] = heading
        elif values != before and not all(map(is_blank, values)):
            log.add(
                "column_twice",
                "error",
                file=place[1],
                sheet=place[2],
                cell=f"{heading.letters}{layout.first_row}",
                table=place[0],
                column=match.column,
                header=heading.text,
                other=first.text,
                first=first.letters,
                second=heading.letters,
            )
    return list(chosen.values())


def _report_unknown(
    heading: Heading, layout: Layout, values: list[object], place: Place, log: ReadingLog
) -> None:
    table = layout.table
    if is_order_header(heading.parts[-1]) or all(map(is_blank, values)):
        return
    elsewhere = next(
        (other for other in TABLES if other != table and match_header(heading.parts, other).column), ""
    )
    address = {
        "file": place[1],
        "sheet": place[2],
        "cell": f"{heading.letters}{layout.first_row}",
        "table": table,
    }
    if elsewhere:
        log.add(
            "column_of_other_table", "notice", **address, header=heading.text, other=f"@table_{elsewhere}"
        )
        return
    nearest = nearest_header(heading.text, table)
    code = "column_unknown_near" if nearest else "column_unknown"
    log.add(
        code, "warning", **address, header=heading.text, **({"nearest": f"@{nearest}"} if nearest else {})
    )
