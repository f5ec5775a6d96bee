"""What is wrong with a county's data, where, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

from toolkit.vocabulary import Language, has_term, label, sentence

Severity = Literal["error", "warning", "notice"]

_SEPARATORS = {"zh": "、", "en": ", "}


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding of reading or checking.

    Attributes
    ----------
    code : str
        Sentences `problem_<code>` and `remedy_<code>` of the vocabulary tell it.
    severity : {"error", "warning", "notice"}
        An error stops a run; a warning needs an eye; a notice tells what was converted.
    file, sheet, cell : str
        Address in the input, as a person finds it; empty where it has none.
    table, column : str
        Canonical names; empty where they do not apply.
    school : str
        Name (or code) of the school concerned; empty where none is.
    values : tuple of (str, str)
        Placeholders of the sentences. A value `@name`, or `@name|@name`, stands for labels of the
        vocabulary.
    """

    code: str
    severity: Severity
    file: str = ""
    sheet: str = ""
    cell: str = ""
    table: str = ""
    column: str = ""
    school: str = ""
    values: tuple[tuple[str, str], ...] = ()

    def message(self, language: Language) -> str:
        """Say what is wrong."""
        return sentence(f"problem_{self.code}", language, **self._shown(language))

    def remedy(self, language: Language) -> str:
        """Say what to do about it."""
        return sentence(f"remedy_{self.code}", language, **self._shown(language))

    def _shown(self, language: Language) -> dict[str, str]:
        return {name: _labelled(value, language) for name, value in self.values}


def _labelled(value: str, language: Language) -> str:
    """Return a value with its label references replaced."""
    names = value.split("|")
    if not all(name.startswith("@") and has_term(name[1:]) for name in names):
        return value
    return _SEPARATORS[language].join(label(name[1:], language) for name in names)
