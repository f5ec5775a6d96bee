"""Small notebooks, records and a reader of pages, for the tests of reporting."""

from html.parser import HTMLParser
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from toolkit.reporting.page import page_header
from toolkit.reporting.record import InputFile, RunRecord

VOID = {"meta", "link", "img", "br", "hr", "input", "col"}


class Outline(HTMLParser):
    """Every start tag with its attributes, the text, and whether all elements are closed in order."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.tags, self.open, self.unbalanced, self.texts = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag in ("p", "li") and self.open[-1] != tag:
            return
        if not self.open or self.open.pop() != tag:
            self.unbalanced.append(tag)

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("style", "script"):
            self.texts.append(data)

    def all(self, *names):
        return [attributes for tag, attributes in self.tags if tag in names]

    def headings(self):
        return [int(tag[1]) for tag, _ in self.tags if tag in ("h1", "h2", "h3", "h4")]

    @property
    def text(self):
        return " ".join(" ".join(self.texts).split())


def prose(source, *tags):
    return new_markdown_cell(source, metadata={"tags": list(tags)})


def code(source, *tags, outputs=()):
    return new_code_cell(source, metadata={"tags": list(tags)}, outputs=list(outputs))


def html_output(html):
    return nbformat.v4.new_output(
        "execute_result", data={"text/html": html, "text/plain": "x"}, execution_count=1
    )


def notebook(*cells):
    made = new_notebook(cells=list(cells))
    made.metadata.kernelspec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return made


def write(path: Path, *cells):
    nbformat.write(notebook(*cells), path)
    return path


def record(**changes):
    values = {
        "county_id": "999001",
        "county_name": "东湖县",
        "year": 2024,
        "edition": "internal",
        "language": "zh",
        "parameters": {"02_x": {"year": 2024}},
        "inputs": (InputFile("东湖县.xlsx", "ab" * 32),),
        "standard": "national_2017",
        "standard_sha256": "cd" * 32,
        "plan": "",
        "plan_sha256": "",
        "packages": {"pandas": "3.0.0", "numpy": "2.2.0"},
        "python": "3.12.1",
        "seed": 7,
        "commit": "0123abc",
        "notebooks": (),
        "accounting": ({"table": "schools", "read": 60, "used": 60},),
    }
    return RunRecord(**{**values, **changes})


def header(**changes):
    return page_header(record(**changes), standard="教督〔2017〕6号", version="0.1.0")
