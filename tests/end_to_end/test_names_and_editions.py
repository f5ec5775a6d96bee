"""Reports 02 and 07 with names, with pseudonyms, for the public: same numbers, no school singled out."""

import csv
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.annual import ANNUAL, VARIATION, quick_files, run_notebook
from tests.notebooks.cells import small_county
from toolkit.data.pseudonyms import pseudonymise
from toolkit.data.reading import load_county
from toolkit.exhibits import saved_exhibits
from toolkit.figures.theme import pinyin_order
from toolkit.reporting.pseudonym_key import SECRET_NAME
from toolkit.reporting.study import INTERNAL_TABLES

pytestmark = pytest.mark.slow

PLAN = "meizhou"
SECRET = "5e" * 32
# Verdicts of the schools themselves, public by decision 0050.
VERDICTS = {"school_verdicts", "school_values", "unmet", "readings", "missed_units"}
# Lists by a rule, not by a result.
BY_RULE = {
    "left_out", "special_cases", "assumed", "item_special_cases", "school_groups", "programme_support",
    "programme_coverage", "school_sizes",
}  # fmt: skip
# Only the first few of a long list are named, in the order of the register.
FIRST_FEW = {("sensitivities", "deciding_schools")}
LIST = "、"


@dataclass(frozen=True, slots=True)
class Reports:
    """The tables of reports 02 and 07 by kind of run, and the names of the schools."""

    folder: Path
    workbook: Path

    def tables(self, kind):
        """Return heading and rows of every table by report and key."""
        found = {}
        for path in sorted((self.folder / kind).glob("*/*.csv")):
            with path.open(encoding="utf-8-sig", newline="") as file:
                heading, *rows = csv.reader(file)
            found[path.parent.name, path.stem] = heading, rows
        return found


@pytest.fixture(scope="module")
def reports(workspace, tmp_path_factory):
    (workspace / "restricted").mkdir()
    (workspace / "restricted" / SECRET_NAME).write_text(SECRET, encoding="utf-8")
    workbook = small_county(tmp_path_factory.getbasetemp())
    kinds = {
        "real": {},
        "pseudonym": {"school_names": "pseudonym"},
        "public": {"edition": "public"},
    }
    with quick_files():
        for kind, parameters in kinds.items():
            for name in (VARIATION, ANNUAL):
                results = workspace / kind / name
                run_notebook(name, data_path=str(workbook), results_dir=str(results), plan=PLAN, **parameters)
    return Reports(workspace, workbook)


@pytest.fixture(scope="module")
def county(reports):
    return load_county(reports.workbook).county


@pytest.fixture(scope="module")
def restore(county):
    """Return a function that puts the names back for the pseudonyms in a text."""
    key = pseudonymise(county, "zh", secret=SECRET)[1]
    names = dict(zip(key["pseudonym"], key["original_name"], strict=True))
    names |= dict(zip(key["pseudonym_id"], key["original_id"], strict=True))
    pattern = re.compile("|".join(sorted(map(re.escape, names.keys() - {""}), key=len, reverse=True)))
    return lambda text: pattern.sub(lambda found: names[found[0]], text)


def number(text):
    try:
        return float(text)
    except ValueError:
        return None


def sorted_rows(heading, rows):
    """Return the rows as mappings in an order that no order of the schools changes."""
    made = [
        {name: LIST.join(sorted(cell.split(LIST))) for name, cell in zip(heading, row, strict=True)}
        for row in rows
    ]
    return sorted(
        made,
        key=lambda row: [
            cell if number(cell) is None else f"{number(cell):.9g}" for _, cell in sorted(row.items())
        ],
    )


def same(one, other):
    """Say whether two cells are the same text, or the same number but for the order of a sum."""
    if number(one) is None or number(other) is None:
        return one == other
    return math.isclose(number(one), number(other), rel_tol=1e-9, abs_tol=1e-12)


def test_every_cell_under_pseudonyms_is_that_under_the_names(reports, restore):
    real, hidden = reports.tables("real"), reports.tables("pseudonym")
    assert real.keys() == hidden.keys()
    assert {report for report, _ in real} == {VARIATION, ANNUAL}
    compared = 0
    for (report, key), (heading, rows) in real.items():
        if key in INTERNAL_TABLES:
            assert hidden[report, key][1] == []
            continue
        made_heading, made_rows = hidden[report, key]
        made_heading = [restore(name) for name in made_heading]
        assert sorted(made_heading) == sorted(heading), key
        expected = sorted_rows(heading, rows)
        found = sorted_rows(made_heading, [[restore(cell) for cell in row] for row in made_rows])
        assert len(found) == len(expected), key
        wrong = [
            (name, row[name], made[name])
            for row, made in zip(expected, found, strict=True)
            for name in row
            if (key, name) not in FIRST_FEW and not same(row[name], made[name])
        ]
        assert wrong == [], key
        compared += len(rows) * len(heading)
    assert compared > 4000


def test_findings_under_pseudonyms_have_the_same_numbers(reports):
    def stated(kind, report):
        found = json.loads((reports.folder / kind / report / "findings.json").read_text(encoding="utf-8"))
        return {one["id"]: one["numbers"] for one in found["findings"]}

    for report in (VARIATION, ANNUAL):
        real, hidden = stated("real", report), stated("pseudonym", report)
        assert real.keys() == hidden.keys()
        for name, numbers in real.items():
            assert [one["value"] for one in hidden[name]] == pytest.approx([one["value"] for one in numbers])


def test_no_name_or_code_of_a_school_or_town_is_left_under_pseudonyms(reports, county):
    register = county.tables["schools"]
    secrets = {*register["school_name"], *register["school_id"], *register["town"].dropna()}
    texts = [path.read_text(encoding="utf-8") for path in (reports.folder / "pseudonym").rglob("*.[cj]s*")]
    assert [secret for secret in secrets for text in texts if secret in text] == []
    real = [path.read_text(encoding="utf-8") for path in (reports.folder / "real").rglob("*.csv")]
    assert sum(any(name in text for text in real) for name in register["school_name"]) > 15


def named_in(texts, names):
    return [name for text in texts for name in names if name in text]


def test_no_public_table_lists_some_schools_by_a_result(reports, county):
    names = set(county.tables["schools"]["school_name"])
    internal, public = reports.tables("real"), reports.tables("public")
    assert internal.keys() == public.keys()
    singled_out = [
        key
        for (_, key), (_, rows) in public.items()
        if key not in VERDICTS | BY_RULE and 0 < len(set(named_in(map(str, rows), names))) < len(names)
    ]
    assert singled_out == []
    # Every school with students of the stage: as many as the office sees.
    assert len(public[ANNUAL, "school_sizes"][1]) == len(internal[ANNUAL, "school_sizes"][1])
    listed = {key for (_, key), (_, rows) in internal.items() if named_in(map(str, rows), names)}
    assert listed >= {"drivers", "additions"}
    assert {"drivers", "additions", "sensitivities"} <= {
        key for (_, key), (_, rows) in public.items() if rows
    }


def test_public_lists_of_schools_stand_in_pinyin_order(reports):
    orders = 0
    for (_, key), (heading, rows) in reports.tables("public").items():
        column = "name" if key == "readings" else "school_name"
        if column not in heading:
            continue
        at = heading.index(column)
        blocks = {}
        for row in rows:
            stage = row[heading.index("stage")] if "stage" in heading else ""
            blocks.setdefault((*row[:at], stage), []).append(row[at])
        for names in blocks.values():
            assert names == pinyin_order(names), key
            orders += len(set(names)) > 1
    assert orders > 3


def test_no_caption_or_finding_of_the_public_edition_names_a_school(reports, county):
    names = set(county.tables["schools"]["school_name"])
    for report in (VARIATION, ANNUAL):
        folder = reports.folder / "public" / report
        entries = saved_exhibits(folder).values()
        captions = [json.dumps(entry["caption"], ensure_ascii=False) for entry in entries]
        assert named_in([*captions, (folder / "findings.json").read_text(encoding="utf-8")], names) == []
