"""Why a file, or a whole county, cannot be read at all."""

from toolkit.data.problems import Problem
from toolkit.errors import InputError


class UnreadableFileError(Exception):
    """Raised when one file cannot be read; becomes a problem when others of its folder can.

    Attributes
    ----------
    code : str
        Code of the problem; the sentence `unreadable_<code>` says the same as one text.
    placeholders : mapping of str to str
        Placeholders of the sentences.
    """

    def __init__(self, code: str, file: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.placeholders = {"file": file} | {name: str(value) for name, value in values.items()}

    def as_input_error(self) -> InputError:
        """Return the error that ends the reading."""
        return InputError(f"unreadable_{self.code}", **self.placeholders)

    def as_problem(self) -> Problem:
        """Return the problem that stands for the file when others could be read."""
        return Problem(
            self.code, "error", file=self.placeholders["file"], values=tuple(self.placeholders.items())
        )
