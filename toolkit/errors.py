"""The errors that Junheng raises for its users, in Chinese and in English."""

from toolkit.vocabulary import sentence


class JunhengError(Exception):
    """An error whose text is written for the user, in both languages.

    Parameters
    ----------
    name : str
        Name of the sentence in the vocabulary.
    **values
        Values of the placeholders of that sentence.

    Attributes
    ----------
    zh, en : str
        The message in Chinese and in English.
    exit_code : int
        Exit code of the command line when this error ends the program.
    """

    exit_code = 1

    def __init__(self, name: str, /, **values: object) -> None:
        self.name = name
        self.values = values
        self.zh = sentence(name, "zh", **values)
        self.en = sentence(name, "en", **values)
        super().__init__(f"{self.zh}\n{self.en}")


class ParameterError(JunhengError):
    """Raised when a parameter or an option is not one that is understood."""

    exit_code = 2


class InputError(JunhengError):
    """Raised when a data file, mapping or standard cannot be used as it is."""

    exit_code = 3


class RunError(JunhengError):
    """Raised when a notebook failed or a report could not be put in place."""

    exit_code = 4


class DesignError(JunhengError):
    """Raised when the data do not identify the quantity that was asked for."""

    exit_code = 5
