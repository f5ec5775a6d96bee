"""The refusal of a run because its data have errors."""

from toolkit.data.problems import Problem
from toolkit.errors import InputError


class DataError(InputError):
    """Raised when the data have errors that must be mended before a report is made.

    Attributes
    ----------
    problems : tuple of Problem
        The errors.
    """

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("data_have_errors", count=len(problems))
        self.problems = problems
