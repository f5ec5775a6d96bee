"""The template that the tool hands out is read without a word."""

import pytest

from toolkit.data.reading import load_county
from toolkit.data.reading.layout import find_layout
from toolkit.data.reading.sources import read_file
from toolkit.data.schema import TABLES
from toolkit.data.workbook import write_workbook
from toolkit.vocabulary import label


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_header_of_the_template_finds_its_column(language, tmp_path):
    write_workbook(tmp_path / "template.xlsx", language=language)
    grids = {grid.sheet: grid for grid in read_file(tmp_path / "template.xlsx")}

    for table in TABLES.values():
        layout = find_layout(grids[label(f"table_{table.name}", language)])
        assert layout is not None
        assert layout.table == table.name
        found = {heading.match.column or heading.text for heading in layout.headings}
        assert found == set(table.column_names)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_filled_template_gives_back_what_was_written(language, read, tmp_path):
    plain = read().county
    path = tmp_path / "filled.xlsx"
    write_workbook(path, plain.tables, language=language, county_id="350102", county_name="示例县")

    reading = load_county(path)

    assert [problem for problem in reading.problems if problem.code != "table_empty"] == []
    assert (reading.county.county_id, reading.county.name) == ("350102", "示例县")
    for name, table in plain.tables.items():
        written = table.drop(columns=["county_id", "county_name"], errors="ignore")
        assert reading.county.tables[name][written.columns].equals(written)
