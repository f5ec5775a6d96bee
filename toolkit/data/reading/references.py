"""Codes of schools checked against the register, and names turned into codes."""

import pandas as pd

from toolkit.data.names import Found, SchoolNames
from toolkit.data.reading.corrections import Corrections
from toolkit.data.reading.stacking import Stack
from toolkit.data.schema import Column


class Register:
    """The schools that other tables may refer to.

    Parameters
    ----------
    schools : pandas.DataFrame
        Table `schools`.
    links : pandas.DataFrame or None
        Table `school_links`.
    corrections : Corrections or None
        Names put right by hand, which win over the matcher.
    """

    def __init__(
        self,
        schools: pd.DataFrame,
        links: pd.DataFrame | None = None,
        corrections: Corrections | None = None,
    ) -> None:
        self._corrections = corrections
        self.names = SchoolNames(schools, links)
        known = schools.dropna(subset=["school_id"])
        self.labels: dict[str, str] = dict(
            zip(known["school_id"], known["school_name"].fillna(""), strict=True)
        )
        self.types: dict[str, str] = dict(
            zip(known["school_id"], known["school_type"].fillna(""), strict=True)
        )
        without_zeros: dict[str, set[str]] = {}
        for code in self.labels:
            without_zeros.setdefault(code.lstrip("0"), set()).add(code)
        self.without_zeros = {short: codes.pop() for short, codes in without_zeros.items() if len(codes) == 1}
        self.written_codes = {**self.without_zeros, **{code: code for code in self.labels}}
        self._found: dict[str, Found] = {}

    def find_in(self, table: str, name: str) -> Found:
        """Return the school of a name in a table: as put right by hand, else as matched."""
        corrections = self._corrections
        found = corrections.find(name, table, self.written_codes) if corrections else None
        return found or self.find(name)

    def find(self, name: str) -> Found:
        """Return the school of a name, looking each different name up once."""
        if name not in self._found:
            self._found[name] = self.names.find(name)
        return self._found[name]

    def differs(self, code: str, name: str) -> bool:
        """Say whether a name clearly belongs to another school, or to none that is known."""
        found = self.find(name)
        return found.school_id != code and self.names.normal_form(name) not in self.names.names_of(code)


def settle_references(stack: Stack, register: Register) -> None:
    """Fill codes from names, and leave out rows that refer to no known school."""
    references = [column for column in stack.table.columns if column.names_school_in]
    required = [column for column in references if column.required]
    usable = pd.Series(False, index=stack.frame.index)
    unknown = pd.Series(False, index=stack.frame.index)
    pending: list[tuple[int, Column, str, str]] = []
    for column in references:
        found, wrong, unmatched = _settle_column(stack, column, register)
        unknown |= wrong
        if column.required:
            usable |= found
        pending.extend((index, column, name, nearest) for index, (name, nearest) in unmatched.items())
    told: set[tuple[object, ...]] = set()
    for index, column, name, nearest in pending:
        address = (stack.addresses[index][:3], column.name)
        if address in told:
            continue
        told.add(address)
        _tell_unmatched(stack, index, column, name, nearest, is_usable=bool(usable.at[index]))
    stack.leave_out(unknown, "school_unknown")
    if required:
        stack.leave_out(~usable.reindex(stack.frame.index), "school_unmatched")


def _settle_column(
    stack: Stack, column: Column, register: Register
) -> tuple[pd.Series, pd.Series, dict[int, tuple[str, str]]]:
    """Return rows with a known school, rows with an unknown code, and unmatched names by row."""
    frame = stack.frame
    empty = pd.Series([None] * len(frame), index=frame.index, dtype="str")
    codes = frame.get(column.name, empty).astype("object").where(lambda values: values.notna(), None)
    names = frame.get(column.names_school_in, empty)
    present = column.name in frame or column.names_school_in in frame
    wrong: set[int] = set()
    unmatched: dict[int, tuple[str, str]] = {}
    settled: dict[int, str] = {}
    zeros = 0
    differing: set[tuple[str, str]] = set()
    for index, code, name in zip(frame.index, codes.tolist(), names.tolist(), strict=True):
        has_name = isinstance(name, str) and bool(name)
        if code is not None and code not in register.labels and code.lstrip("0") in register.without_zeros:
            settled[index] = code = register.without_zeros[code.lstrip("0")]
            zeros += 1
        if code is None:
            if has_name:
                found = register.find_in(stack.table.name, name)
                key = (stack.table.name, column.name, name)
                stack.log.matches[key] = (found.school_id, found.how)
                stack.log.name_cells[key] += 1
                if found.school_id:
                    settled[index] = found.school_id
                elif found.how != "corrected":
                    unmatched[index] = (name, found.nearest)
            elif column.required and present:
                unmatched[index] = ("", "")
        elif code not in register.labels:
            wrong.add(index)
            stack.tell(
                "school_unknown",
                "error",
                index,
                column.name,
                school=name if has_name else code,
                school_code=code,
            )
        elif has_name and (code, name) not in differing and register.differs(code, name):
            differing.add((code, name))
            stack.tell(
                "school_name_differs",
                "warning",
                index,
                column.names_school_in,
                school=name,
                school_code=code,
                written=name,
                registered=register.labels[code],
            )
    codes = pd.Series(
        [settled.get(index, code) for index, code in zip(frame.index, codes.tolist(), strict=True)],
        frame.index,
    )
    if zeros:
        stack.log.convert(
            (stack.table.name, *stack.place(frame.index[0])), column.name, "leading_zeros", zeros
        )
    stack.frame = frame.assign(**{column.name: codes.astype("str")})
    return codes.isin(register.labels.keys()), pd.Series(frame.index.isin(wrong), frame.index), unmatched


def _tell_unmatched(
    stack: Stack, index: int, column: Column, name: str, nearest: str, *, is_usable: bool
) -> None:
    """Tell an unmatched name: an error where the row says nothing without it."""
    if not name:
        if not is_usable:
            stack.tell("value_missing", "error", index, column.name, column_label=f"@{column.name}")
        return
    severity = "error" if column.required and not is_usable else "warning" if column.required else "notice"
    code = "school_unmatched" if severity == "error" else "school_left_blank"
    extra = {"nearest": nearest} if nearest else {}
    stack.tell(
        f"{code}_near" if nearest else code,
        severity,
        index,
        column.names_school_in,
        school=name,
        written=name,
        column_label=f"@{column.names_school_in}",
        **extra,
    )
