"""A page of the report printed to PDF by the browser of this machine."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from toolkit.errors import RunError

# A browser of one's own choice, such as one carried on a stick.
BROWSER_VARIABLE = "JUNHENG_BROWSER"
TIMEOUT_SECONDS = 120
COMMANDS = (
    "msedge",
    "microsoft-edge",
    "microsoft-edge-stable",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "chromium",
    "chromium-browser",
    "brave-browser",
)
WINDOWS_FOLDERS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
WINDOWS_PLACES = (
    "Microsoft/Edge/Application/msedge.exe",
    "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
)
MAC_PLACES = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Chromium.app/Contents/MacOS/Chromium",
)
LINUX_PLACES = ("/snap/bin/chromium", "/usr/lib/chromium/chromium", "/opt/google/chrome/chrome")
# The pages need no network; a browser started to print must not look for updates either.
OFFLINE = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--proxy-server=127.0.0.1:9",
)
REASON_LENGTH = 200


def write_pdf(page: Path, target: Path, *, browser: Path | None = None) -> Path:
    """Print an HTML page to a PDF file and return its path.

    Parameters
    ----------
    page : pathlib.Path
        The page.
    target : pathlib.Path
        The file to write; one that is there stays as it is until the new one is complete.
    browser : pathlib.Path, optional
        The browser to print with, by default the first that is found.

    Raises
    ------
    RunError
        If no browser is found, or it prints nothing. The message says how to print by hand.
    """
    chosen = browser or find_browser()
    if chosen is None:
        raise RunError("pdf_no_browser", page=page.name, variable=BROWSER_VARIABLE)
    with TemporaryDirectory(prefix="junheng-print-", ignore_cleanup_errors=True) as folder:
        printed = Path(folder) / "page.pdf"
        reason = _print(chosen, page.resolve(), printed, Path(folder) / "profile")
        if not _is_pdf(printed):
            raise RunError("pdf_not_printed", browser=chosen.name, page=page.name, reason=reason or "–")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(printed, target)
        except OSError as error:
            raise RunError("file_not_written", path=target, reason=error.strerror or error) from error
    return target


def find_browser() -> Path | None:
    """Return a browser of this machine that can print: Edge, Chrome or Chromium, None if there is none."""
    return next((path for path in _candidates() if path.is_file() and os.access(path, os.X_OK)), None)


def _candidates() -> Iterator[Path]:
    """Give the places where a browser may be."""
    named = os.environ.get(BROWSER_VARIABLE)
    if named:
        yield Path(named)
    for command in COMMANDS:
        found = shutil.which(command)
        if found:
            yield Path(found)
    if sys.platform == "win32":
        folders = [Path(os.environ[name]) for name in WINDOWS_FOLDERS if os.environ.get(name)]
        yield from (folder / place for folder in folders for place in WINDOWS_PLACES)
    elif sys.platform == "darwin":
        folders = [Path("/Applications"), Path.home() / "Applications"]
        yield from (folder / place for folder in folders for place in MAC_PLACES)
    else:
        yield from map(Path, LINUX_PLACES)


def _print(browser: Path, page: Path, printed: Path, profile: Path) -> str:
    """Let a browser print a page; return why it did not, empty when it ended well."""
    command = [
        str(browser),
        "--headless",
        "--disable-gpu",
        *OFFLINE,
        *_sandbox(),
        f"--user-data-dir={profile}",
        "--no-pdf-header-footer",
        "--print-to-pdf-no-header",
        f"--print-to-pdf={printed}",
        page.as_uri(),
    ]
    try:
        ended = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"> {TIMEOUT_SECONDS} s"
    except OSError as error:
        return error.strerror or str(error)
    if not ended.returncode:
        return ""
    lines = ended.stderr.decode("utf-8", "replace").split("\n")
    told = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return f"{ended.returncode}: {told}"[:REASON_LENGTH]


def _sandbox() -> tuple[str, ...]:
    """Return the option without which Chromium refuses to run for the administrator of Linux."""
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return ("--no-sandbox",) if is_root else ()


def _is_pdf(path: Path) -> bool:
    """Say whether a file is a complete PDF."""
    if not path.is_file():
        return False
    content = path.read_bytes()
    return content.startswith(b"%PDF-") and b"%%EOF" in content[-1024:]
