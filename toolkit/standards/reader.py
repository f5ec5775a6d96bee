"""Strict reading of one table of a standard file: every key is asked for, or reported."""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from toolkit.errors import InputError
from toolkit.standards.values import Text
from toolkit.vocabulary import has_term

NO_TEXT = Text("", "")


class StandardError(InputError):
    """Raised once for all problems of a standard file.

    Attributes
    ----------
    problems : tuple of InputError
        One error for each problem, in the order of the file.
    """

    def __init__(self, problems: Sequence[InputError]) -> None:
        super().__init__(problems[0].name, **problems[0].values)
        self.problems = tuple(problems)
        self.zh = "\n".join(problem.zh for problem in problems)
        self.en = "\n".join(problem.en for problem in problems)
        self.args = (f"{self.zh}\n{self.en}",)


class Section:
    """One table of a standard file, with its address and the problems found so far."""

    def __init__(self, table: dict[str, Any], file: str, path: str, problems: list[InputError]) -> None:
        self.table = table
        self.file = file
        self.path = path
        self.problems = problems
        self.asked: dict[str, None] = {}

    def report(self, name: str, key: str, **values: object) -> None:
        """Note a problem at one key."""
        self.problems.append(InputError(name, file=self.file, key=self.address(key), **values))

    def address(self, key: str) -> str:
        """Return the address of a key, as `indicators.R1.minimum`."""
        return ".".join(part for part in (self.path, key) if part)

    def has(self, key: str) -> bool:
        """Say whether the table has a key."""
        self.asked[key] = None
        return key in self.table

    def finish(self) -> None:
        """Report the keys that nobody asked for."""
        for key in self.table:
            if key not in self.asked:
                near = difflib.get_close_matches(key, self.asked, n=1)
                known = ", ".join(near or sorted(self.asked))
                self.report("standard_unknown_key", key, known=known)

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text; without a default the key is required."""
        return self._typed(key, str, "", default)

    def flag(self, key: str, default: bool) -> bool:
        """Return true or false."""
        return self._typed(key, bool, default, default)

    def whole_number(self, key: str, low: int, high: int) -> int:
        """Return a whole number within a range."""
        number = self.number(key, low, high)
        if number != int(number):
            self.report("standard_wrong_type", key, expected="1, 2, 3 …", found=number)
        return int(number)

    def year(self, key: str, low: int, high: int) -> int | None:
        """Return a year, or None where the document names none."""
        return self.whole_number(key, low, high) if self.has(key) else None

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """Return a number within a range."""
        if not self.has(key) and default is not None:
            return default
        value = self._typed(key, (int, float), low, None)
        self._check_range(key, value, low, high)
        return float(value)

    def numbers(self, key: str, low: float, high: float, default: Sequence[float] = ()) -> tuple[float, ...]:
        """Return a list of numbers within a range; a single number is a list of one."""
        if not self.has(key):
            return tuple(default)
        value = self.table[key]
        values = value if isinstance(value, list) else [value]
        if not all(isinstance(entry, int | float) and not isinstance(entry, bool) for entry in values):
            self.report("standard_wrong_type", key, expected="[0.5, 1]", found=value)
            return ()
        for entry in values:
            self._check_range(key, entry, low, high)
        return tuple(float(entry) for entry in values)

    def mapping(self, key: str, keys: Collection[str], low: float, high: float) -> dict[Any, float]:
        """Return a table of numbers whose keys come from a closed list; empty list: any key."""
        section = self.section(key)
        if keys:
            section.asked.update(dict.fromkeys(keys))
            section.finish()
        return {name: section.number(name, low, high) for name in section.table if not keys or name in keys}

    def choice(self, key: str, choices: Sequence[Any], default: str | None = None) -> Any:
        """Return a word of a closed list."""
        value = self.text(key, default)
        if value not in choices and self.has(key):
            self.report("standard_unknown_choice", key, found=value, choices=", ".join(choices))
            return choices[0]
        return value

    def words(self, key: str, choices: Collection[str] = (), default: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a list of words, of a closed list if one is given."""
        if not self.has(key):
            return tuple(default)
        value = self.table[key]
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            self.report("standard_wrong_type", key, expected='["…", "…"]', found=value)
            return ()
        for word in value:
            if choices and word not in choices:
                self.report("standard_unknown_choice", key, found=word, choices=", ".join(choices))
        return tuple(value)

    def vocabulary(self, key: str, default: str | None = None) -> str:
        """Return a code name that the vocabulary holds."""
        name = self.text(key, default)
        if name and not has_term(name):
            self.report("standard_unknown_name", key, found=name)
        return name

    def bilingual(self, key: str, required: bool = False) -> Text:
        """Return a text in Chinese and in English, empty when absent."""
        if not self.has(key) and not required:
            return NO_TEXT
        section = self.section(key)
        text = Text(section.text("zh"), section.text("en"))
        section.finish()
        return text

    def date(self, key: str, pattern: str, example: str, default: str) -> str:
        """Return a date written as the pattern says."""
        value = self.text(key, default)
        if value and not re.fullmatch(pattern, value):
            self.report("standard_unknown_choice", key, found=value, choices=example)
        return value

    def section(self, key: str) -> "Section":
        """Return a table inside this one, empty when it is absent."""
        value = self.table.get(key, {})
        self.asked[key] = None
        if not isinstance(value, dict):
            self.report("standard_wrong_type", key, expected="{ … }", found=value)
            value = {}
        return Section(value, self.file, self.address(key), self.problems)

    def entries(self, key: str) -> Iterator[tuple[str, "Section"]]:
        """Yield the tables inside a table, in the natural order of their names."""
        section = self.section(key)
        for name in sorted(section.table, key=_natural_order):
            yield name, section.section(name)

    def tables(self, key: str) -> list["Section"]:
        """Return the tables of a list."""
        if not self.has(key):
            return []
        value = self.table[key]
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            self.report("standard_wrong_type", key, expected="[{ … }]", found=value)
            return []
        return [
            Section(entry, self.file, self.address(f"{key}[{number}]"), self.problems)
            for number, entry in enumerate(value, start=1)
        ]

    def _check_range(self, key: str, value: float, low: float, high: float) -> None:
        if low <= value <= high:
            return
        if high == 1 and 1 < value <= 100:
            self.report("standard_percent_for_share", key, found=value, share=value / 100)
        else:
            self.report("standard_out_of_range", key, found=value, low=f"{low:g}", high=f"{high:g}")

    def _typed(self, key: str, kinds: Any, fallback: Any, default: Any) -> Any:
        if not self.has(key):
            if default is None:
                self.report("standard_missing_key", key)
                return fallback
            return default
        value = self.table[key]
        is_stray_flag = isinstance(value, bool) and kinds is not bool
        if is_stray_flag or not isinstance(value, kinds):
            expected = {str: '"…"', bool: "true / false"}.get(kinds, "0.5")
            self.report("standard_wrong_type", key, expected=expected, found=value)
            return fallback
        return value


def _natural_order(name: str) -> list[tuple[int, int, str]]:
    """Order R2 before R10."""
    parts = re.findall(r"\d+|\D+", name)
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts]
