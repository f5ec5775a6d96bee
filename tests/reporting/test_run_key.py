"""What decides a result beside its inputs, as hashes."""

import shutil
import time

import pytest

from tests.reporting.pages import code, html_output, prose, write
from toolkit.reporting import run_key
from toolkit.reporting.run_key import code_digest, notebook_digest, package_files, source_digest

FILES = {
    "__init__.py": b"",
    "standards/own.toml": b"minimum = 1\nmaximum = 2\n",
    "template/page.html.j2": b"<p>\n</p>\n",
    "models/coverage.csv": b"a,b\n1,2\n",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return the folder of a small package that takes the place of this one."""
    folder = tmp_path / "toolkit"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    monkeypatch.setattr(run_key, "PACKAGE", folder)
    return folder


@pytest.mark.parametrize("name", list(FILES))
def test_every_kind_of_file_counts(package, name):
    before = source_digest()
    (package / name).write_bytes(FILES[name] + b"# other\n")
    assert source_digest() != before


def test_a_new_file_and_a_renamed_one_count(package):
    digests = [source_digest()]
    (package / "new.py").write_bytes(b"")
    digests.append(source_digest())
    (package / "new.py").rename(package / "other.py")
    digests.append(source_digest())
    assert len(set(digests)) == 3


def test_line_ends_and_the_place_of_the_package_do_not_count(package, tmp_path, monkeypatch):
    before = source_digest()
    for name, content in FILES.items():
        (package / name).write_bytes(content.replace(b"\n", b"\r\n"))
    assert source_digest() == before
    moved = tmp_path / "elsewhere" / "toolkit"
    shutil.copytree(package, moved)
    monkeypatch.setattr(run_key, "PACKAGE", moved)
    assert source_digest() == before


@pytest.mark.parametrize("name", ["__pycache__/a.pyc", "_share/data/demo.xlsx", ".hidden", "~$open.toml"])
def test_what_decides_nothing_does_not_count(package, name):
    before = source_digest()
    (package / name).parent.mkdir(parents=True, exist_ok=True)
    (package / name).write_bytes(b"x")
    assert source_digest() == before


def test_versions_of_packages_and_of_python_count(package, monkeypatch):
    before = code_digest()
    run_key._code_digest.cache_clear()
    monkeypatch.setattr(run_key, "package_versions", lambda: {"numpy": "0.1"})
    by_package = code_digest()
    run_key._code_digest.cache_clear()
    monkeypatch.setattr(run_key, "python_version", lambda: "9.9")
    assert len({before, by_package, code_digest()}) == 3
    run_key._code_digest.cache_clear()


def test_the_digest_of_this_package_is_quick_and_covers_standards_and_words():
    code_digest()
    started = time.perf_counter()
    code_digest()
    assert time.perf_counter() - started < 0.5
    names = set(package_files())
    assert {
        "standards/national_2017.toml",
        "vocabulary/sentences/repeat.toml",
        "reporting/template/report/report.css",
        "reporting/run_key.py",
    } <= names


def test_outputs_and_metadata_of_a_notebook_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(run_key, "share_path", lambda _, name: tmp_path / name)
    cells = prose("# 题", "zh"), code("1 + 1", "hidden")

    def digest(*changed):
        write(tmp_path / "01.ipynb", *changed)
        run_key._notebook_digest.cache_clear()
        return notebook_digest("01")

    before = digest(*cells)
    shown = code("1 + 1", "hidden")
    shown.outputs = [html_output("<p>2</p>")]
    shown.execution_count = 7
    shown.metadata["collapsed"] = True
    assert digest(cells[0], shown) == before
    assert digest(cells[0], code("1 + 2", "hidden")) != before
    assert digest(cells[0], code("1 + 1")) != before
    assert digest(*reversed(cells)) != before
