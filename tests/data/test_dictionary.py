from toolkit.data.dictionary import data_dictionary, write_dictionary
from toolkit.data.schema import TABLES


def test_the_committed_dictionary_is_the_one_generated_now(checkout):
    """Run `python -m toolkit.data.dictionary` after a change of schema or vocabulary."""
    assert (checkout / "data" / "README.md").read_text(encoding="utf-8") == data_dictionary()


def test_each_column_has_a_row_with_all_cells():
    lines = data_dictionary().splitlines()
    for table in TABLES.values():
        section = lines[lines.index(f'<a id="{table.name}"></a>') :]
        for column in table.columns:
            row = next(line for line in section if line.startswith(f"| `{column.name}` |"))
            assert row.count(" | ") == 8, row
            assert all(alias in row for alias in column.aliases)


def test_limits_units_and_relations_are_told():
    rows = {line.split("`")[1]: line for line in data_dictionary().splitlines() if line.startswith("| `")}
    assert "≤ `teachers_primary`" in rows["backbone_teachers_primary"]
    assert "0至100<br>0 to 100" in rows["experiments_offered_share"]
    assert "平方米 m²" in rows["teaching_area"]
    assert "上一自然年 previous calendar year" in rows["training_funds"]
    assert "| 可为空 may be empty |" in rows["former_names"]
    assert "| 初中 Junior secondary |" in rows["graduates_junior"]


def test_the_rules_for_joining_come_before_the_tables():
    text = data_dictionary()
    rules = text[: text.index("各表一览")]
    for fact in (
        "1 September 2025",
        "previous calendar year",
        "Zero is not missing",
        "in m², money in yuan",
        "Valid from",
    ):
        assert fact in rules


def test_writes_the_same_bytes_on_every_system(tmp_path):
    write_dictionary(tmp_path / "README.md")
    assert b"\r" not in (tmp_path / "README.md").read_bytes()
