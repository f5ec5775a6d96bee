"""Printing to PDF: by a browser that stands in for one, and by a real one where there is one."""

import stat
import sys
from pathlib import Path

import pytest

from toolkit.errors import RunError
from toolkit.reporting import pdf

PAGE = '<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>页</title><h1>均衡</h1></html>'
PRINTS = """
import sys
(target,) = [value.partition("=")[2] for value in sys.argv if value.startswith("--print-to-pdf=")]
with open(target, "wb") as file:
    file.write(b"%PDF-1.4\\n" + "\\n".join(sys.argv[1:]).encode() + b"\\n%%EOF")
"""
FAILS = "import sys; sys.stderr.write('first\\nno display\\n'); sys.exit(3)"
WRITES_HALF = PRINTS.replace("%%EOF", "")
HANGS = "import time; time.sleep(30)"

needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for the browser")


@pytest.fixture
def page(tmp_path):
    path = tmp_path / "报告 一.html"
    path.write_text(PAGE, encoding="utf-8")
    return path


def script(folder: Path, source: str) -> Path:
    path = folder / "browser"
    path.write_text(f"#!{sys.executable}\n{source}", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@needs_scripts
def test_the_browser_prints_the_page_without_network_or_the_users_profile(page, tmp_path):
    target = pdf.write_pdf(page, tmp_path / "out" / "page.pdf", browser=script(tmp_path, PRINTS))
    options = target.read_bytes().decode().splitlines()
    assert "--headless" in options
    assert page.resolve().as_uri() in options
    assert "--proxy-server=127.0.0.1:9" in options
    (profile,) = [option.partition("=")[2] for option in options if option.startswith("--user-data-dir=")]
    assert not Path(profile).exists()


@needs_scripts
@pytest.mark.parametrize(
    ("source", "reason"),
    [(FAILS, "3: no display"), (WRITES_HALF, "–"), ("pass", "–")],
    ids=["fails", "half", "nothing"],
)
def test_a_browser_that_prints_nothing_leaves_the_old_file_and_says_how_to_print_by_hand(
    page, tmp_path, source, reason
):
    target = tmp_path / "page.pdf"
    target.write_bytes(b"old")
    with pytest.raises(RunError, match="Ctrl") as refused:
        pdf.write_pdf(page, target, browser=script(tmp_path, source))
    assert refused.value.values["reason"] == reason
    assert target.read_bytes() == b"old"


@needs_scripts
def test_a_browser_that_hangs_is_ended(page, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "TIMEOUT_SECONDS", 0.3)
    with pytest.raises(RunError, match=r"> 0\.3 s"):
        pdf.write_pdf(page, tmp_path / "page.pdf", browser=script(tmp_path, HANGS))


def test_without_a_browser_the_message_says_how_to_print_by_hand(page, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "_candidates", lambda: iter([tmp_path / "absent"]))
    with pytest.raises(RunError, match=r"Open 报告 一\.html in any browser, press Ctrl\+P"):
        pdf.write_pdf(page, tmp_path / "page.pdf")


@needs_scripts
def test_a_browser_that_is_named_goes_first(tmp_path, monkeypatch):
    monkeypatch.setenv(pdf.BROWSER_VARIABLE, str(script(tmp_path, PRINTS)))
    assert pdf.find_browser() == tmp_path / "browser"


@pytest.mark.slow
@pytest.mark.skipif(pdf.find_browser() is None, reason="no browser on this machine")
def test_a_real_browser_prints_a_page(page, tmp_path):
    content = pdf.write_pdf(page, tmp_path / "page.pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > 1000
