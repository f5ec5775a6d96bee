"""One sheet turned into rows of one table, with the address of every value."""

from dataclasses import dataclass, field

import pandas as pd

from toolkit.data.problems import Severity
from toolkit.data.reading.blocks import STEM_MARK, Block, Options
from toolkit.data.reading.cells import Grid, is_blank
from toolkit.data.reading.columns import choose_headings, fill_merges
from toolkit.data.reading.layout import Heading, Layout
from toolkit.data.reading.log import Place, ReadingLog
from toolkit.data.reading.quantities import Converted, shown_cell, unit_factor
from toolkit.data.reading.rows import classify_rows
from toolkit.data.reading.values import allowed_labels, convert_column
from toolkit.data.schema import TABLES, Column, Table
from toolkit.data.text import squash, visible
from toolkit.data.words import ABSENT, NOTED_UNITS, SCORE_SUMS

STAGE = Column("stage", "choice", choices=("primary", "junior", "senior"))
"""The stage column of a sheet with one row per school and stage."""

SCHOOL_SUFFIXES = ("school_id", "receiver_id", "school_name", "receiver_name")
"""Ends of the names of the columns by which messages name a school, the best last."""

FILLED_DOWN = ("county_id", "county_name", "town")
"""Columns whose blanks repeat the row above."""


def read_block(grid: Grid, layout: Layout, log: ReadingLog, options: Options) -> Block:
    """Read the rows of a sheet for the table of its layout; problems go to the log."""
    table = TABLES[layout.table]
    place = (table.name, grid.file, grid.sheet)
    fates = classify_rows(grid, layout)
    fates |= {row: reason for row, reason in options.left_out.items() if not fates[row]}
    log.open_sheet(place, len(grid.rows))
    log.reasons[place].update(fates)
    kept = [row for row, fate in fates.items() if not fate]
    cells = fill_merges(grid, layout, place, log)
    headings = choose_headings(grid, layout, kept, place, log, options)
    reader = _SheetReader(grid, table, place, kept, cells, log, options, layout.unit_note, layout.first_row)
    block = reader.read(headings)
    _add_constants(block, table, layout, log, options)
    return block


@dataclass(slots=True)
class _SheetReader:
    grid: Grid
    table: Table
    place: Place
    kept: list[int]
    cells: dict[tuple[int, int], object]
    log: ReadingLog
    options: Options
    unit_note: str
    header_row: int
    rows: list[tuple[object, ...]] = field(default_factory=list)
    school_headings: list[Heading] = field(default_factory=list)
    absent: list[bool] = field(default_factory=list)

    def read(self, headings: list[Heading]) -> Block:
        """Convert all known columns and turn the wide form into the long one."""
        self.rows = [self.grid.rows[row - 1] for row in self.kept]
        self.school_headings = [
            heading
            for suffix in reversed(SCHOOL_SUFFIXES)
            for heading in reversed(headings)
            if heading.match.column.endswith(suffix)
        ]
        single = [heading for heading in headings if not heading.match.part]
        wide = [heading for heading in headings if heading.match.part]
        if wide:
            # Beside one column per subject, 总分 is the sum of the subjects and no full mark.
            single = [heading for heading in single if squash(heading.parts[-1]) not in SCORE_SUMS]
        series: dict[str, pd.Series] = {}
        letters: dict[str, str] = {}
        undeclared: set[str] = set()
        for heading in single:
            column, name = self._target(heading)
            converted = self._convert(heading, column, name, undeclared)
            series[name] = converted.series
            letters[name] = heading.letters
        frame = pd.DataFrame(series, index=pd.RangeIndex(len(self.kept)))
        if any(self.absent):
            away = pd.Series(self.absent, dtype="boolean")
            frame["absent"] = frame["absent"].fillna(False) | away if "absent" in frame else away
        block = Block(self.place, frame, list(self.kept), [""] * len(self.kept), letters, undeclared)
        return self._lengthened(block, wide) if wide else block

    def _target(self, heading: Heading) -> tuple[Column, str]:
        """Return the column of the contract that a heading stands for, and its name in the frame."""
        match = heading.match
        if match.stem:
            name = next(name for name in self.table.column_names if name.startswith(f"{match.stem}_"))
            return self.table.column(name), f"{match.stem}{STEM_MARK}"
        if match.column not in self.table.column_names:
            return STAGE, match.column
        return self.table.column(match.column), match.column

    def _raw(self, heading: Heading) -> list[object]:
        at = heading.position
        if any(column == at for _, column in self.cells):
            return [self._cell(row - 1, at) for row in self.kept]
        return [row[at] for row in self.rows]

    def _cell(self, row: int, position: int) -> object:
        return self.cells.get((row, position), self.grid.rows[row][position])

    def _convert(self, heading: Heading, column: Column, name: str, undeclared: set[str]) -> Converted:
        values = self._raw(heading)
        if name == "score":
            values = self._without_absences(values)
        if name in FILLED_DOWN:
            values = self._filled_down(values, name)
        unit = self._unit(heading, column, name)
        converted = convert_column(values, column, unit=unit, words=self.options.words.get(name))
        self._report(converted, heading, column, name)
        if column.quantity and not unit and not converted.has_own_units:
            undeclared.add(name)
        if column.required and not column.names_school_in and not name.endswith("_name"):
            self._report_blanks(converted, heading, column)
        return converted

    def _unit(self, heading: Heading, column: Column, name: str) -> str:
        unit = self.options.units.get(name) or heading.match.unit
        if column.quantity and not unit:
            fitting = (word for word in NOTED_UNITS if unit_factor(word, column) is not None)
            unit = next((word for word in fitting if word in self.unit_note), "")
        if unit and column.is_numeric and unit_factor(unit, column) is None:
            self._add("header_unit_unfit", "error", heading, name, unit=unit, column_label=f"@{column.name}")
            return ""
        return unit

    def _report(self, converted: Converted, heading: Heading, column: Column, name: str) -> None:
        label = f"@{column.name}"
        for issue in converted.issues:
            pairs = dict(issue.values)
            if issue.code in ("choice_unknown", "flag_unknown"):
                pairs["allowed"] = allowed_labels(column)
            self._add(
                issue.code,
                "error",
                heading,
                name,
                row=self.kept[issue.position],
                school=self._school(issue.position),
                column_label=label,
                **pairs,
            )
        for code, value in converted.doubts:
            self._add(code, "warning", heading, name, column_label=label, value=value)
        for conversion, count in converted.conversions.items():
            self.log.convert(self.place, name.removesuffix(STEM_MARK), conversion, count)
        if converted.placeholders:
            count = len(converted.placeholders)
            self.log.convert(self.place, name.removesuffix(STEM_MARK), "placeholder", count)
            first = self.kept[converted.placeholders[0]]
            self._add("placeholder", "notice", heading, name, row=first, column_label=label, count=count)
        if converted.conversions["lookalike"]:
            count = converted.conversions["lookalike"]
            self._add("lookalike", "notice", heading, name, column_label=label, count=count)

    def _report_blanks(self, converted: Converted, heading: Heading, column: Column) -> None:
        told = {issue.position for issue in converted.issues}
        for position in converted.series.isna().to_numpy().nonzero()[0].tolist():
            if position not in told:
                self._add(
                    "value_missing",
                    "error",
                    heading,
                    column.name,
                    row=self.kept[position],
                    school=self._school(position),
                    column_label=f"@{column.name}",
                )

    def _add(
        self,
        code: str,
        severity: Severity,
        heading: Heading,
        name: str,
        *,
        row: int = 0,
        school: str = "",
        **values: object,
    ) -> None:
        _, file, sheet = self.place
        cell = f"{heading.letters}{row or self.header_row}"
        values.setdefault("header", heading.text)
        self.log.add(
            code,
            severity,
            file=file,
            sheet=sheet,
            cell=cell,
            table=self.table.name,
            column=name.removesuffix(STEM_MARK),
            school=school,
            **values,
        )

    def _school(self, position: int) -> str:
        """Return how messages name the school of a row."""
        raw = (self._cell(self.kept[position] - 1, heading.position) for heading in self.school_headings)
        return next((shown_cell(value) for value in raw if not is_blank(value)), "")

    def _without_absences(self, values: list[object]) -> list[object]:
        """Note who was absent from a test (a word, or -1), and return the scores of the others."""
        self.absent = [
            value == -1 or (isinstance(value, str) and visible(value) in ABSENT) for value in values
        ]
        self.log.convert(self.place, "absent", "absent_mark", sum(self.absent))
        return ["" if away else value for value, away in zip(values, self.absent, strict=True)]

    def _filled_down(self, values: list[object], name: str) -> list[object]:
        """Repeat the county or town where only its first row is filled."""
        last, filled, result = None, 0, []
        for value in values:
            if is_blank(value) and last is not None:
                filled += 1
                result.append(last)
            else:
                last = None if is_blank(value) else value
                result.append(value)
        self.log.convert(self.place, name, "filled_down", filled)
        return result

    def _lengthened(self, block: Block, wide: list[Heading]) -> Block:
        """Return one row per subject or class-size band."""
        target = "score" if self.table.name == "scores" else "class_count"
        key = "subject" if self.table.name == "scores" else "size_band"
        pieces: list[pd.DataFrame] = []
        column = self.table.column(target)
        for heading in wide:
            values = self._raw(heading)
            scored = self.table.name == "scores"
            converted = convert_column(self._without_absences(values) if scored else values, column)
            absent = self.absent if scored else [False] * len(values)
            self._report(converted, heading, column, target)
            part = heading.match.part + (f"/{heading.match.stage}" if heading.match.stage else "")
            piece = block.frame.drop(columns=[target, key], errors="ignore")
            piece = piece.assign(**{key: heading.match.part, target: converted.series.to_numpy()})
            if self.table.name == "scores":
                away = pd.Series(absent, index=piece.index, dtype="boolean")
                piece["absent"] = piece["absent"].fillna(False) | away if "absent" in piece else away
            elif heading.match.stage:
                piece["stage"] = heading.match.stage
            said = converted.series.notna().to_numpy() | pd.Series(absent).to_numpy(dtype=bool)
            pieces.append(piece.assign(_row=block.rows, _part=part).loc[said])
            block.letters[f"{part}/{target}"] = heading.letters
            block.letters[f"{part}/{key}"] = heading.letters
        order = pd.concat(pieces).sort_values("_row", kind="stable")
        used = set(order["_row"])
        for row in block.rows:
            if row not in used:
                self.log.leave_out(self.place, row, "no_values")
        self.log.convert(self.place, target, "wide_to_long", len(order))
        rows, parts = order["_row"].tolist(), order["_part"].tolist()
        frame = order.drop(columns=["_row", "_part"]).reset_index(drop=True)
        return Block(block.place, frame, rows, parts, block.letters, block.undeclared)


def _add_constants(block: Block, table: Table, layout: Layout, log: ReadingLog, options: Options) -> None:
    """Add what holds for a whole sheet: declared constants, the year of its title, its stage."""
    constants = dict(options.constants)
    _, file, sheet = block.place
    if "year" in table.column_names and "year" not in block.frame and "year" not in constants:
        year = layout.year or options.year
        if year:
            constants["year"] = year
            source = "year_from_title" if layout.year else "year_from_option"
            log.add(source, "notice", file=file, sheet=sheet, table=table.name, column="year", year=year)
    if layout.stage and "stage" in table.column_names and "stage" not in block.frame:
        constants.setdefault("stage", layout.stage)
    if layout.stage and table.name == "school_years" and "stage" not in block.frame:
        block.frame["stage"] = pd.Series([layout.stage] * len(block.frame), dtype="str")
    for name, value in constants.items():
        column = table.column(name)
        converted = convert_column([value], column, words=options.words.get(name))
        filled = (
            pd.concat([converted.series] * len(block.frame), ignore_index=True)
            if len(block.frame)
            else converted.series[:0]
        )
        block.frame[name] = filled
