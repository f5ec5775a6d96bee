"""The command line as a person uses it: what was typed, printed and left behind."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

from toolkit.cli import main
from toolkit.tables.export import load_exported_table

QUALITY, VARIATION, ANNUAL = "01_data_quality", "02_inter_school_variation", "07_annual_report"
PAGES = ("index", QUALITY, VARIATION, ANNUAL)
NUMBERS = ("stage", "indicator")


@dataclass(frozen=True, slots=True)
class Answer:
    """Exit code and texts of one command."""

    code: int
    output: str
    errors: str

    @property
    def text(self):
        return self.output + self.errors


def junheng(*arguments):
    """Give a command and return its answer; texts are one long line each, as on a wide terminal."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        code = main([str(argument) for argument in arguments])
    return Answer(code, output.getvalue(), errors.getvalue())


@dataclass(frozen=True, slots=True)
class Report:
    """The folder of one run."""

    folder: Path

    def page(self, name):
        return (self.folder / f"{name}.html").read_text(encoding="utf-8")

    def table(self, notebook, key):
        return load_exported_table(self.folder / "results" / notebook / f"{key}.csv")

    def school_verdicts(self):
        """Return the verdict of each school by stage and name."""
        table = self.table(VARIATION, "school_verdicts")
        keys = list(zip(table["stage"], table["school_name"].astype(str), strict=True))
        assert len(set(keys)) == len(keys)
        return dict(zip(keys, table["verdict"], strict=True))

    def coefficients(self):
        """Return coefficients and verdicts by stage and indicator."""
        table = self.table(VARIATION, "coefficients")
        return table.assign(indicator=table["name"].str.split().str[0]).set_index(list(NUMBERS))

    def stages(self):
        """Return the verdicts of the stages."""
        return self.table(VARIATION, "stage_verdicts").set_index("stage")


def only_report(reports):
    """Return the one report of a folder, in which nothing else was left."""
    (folder,) = reports.iterdir()
    return Report(folder)
