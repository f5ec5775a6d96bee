"""The limits beyond which a check raises a question, and the standard whose scope and items it uses."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from toolkit.standards import Standard, load_standard

PATH = Path(__file__).with_name("settings.toml")


@cache
def settings(section: str) -> dict[str, Any]:
    """Return one section of the settings of the checks."""
    return tomllib.loads(PATH.read_text(encoding="utf-8"))[section]


@cache
def national_standard() -> Standard:
    """Return the national standard in force."""
    return load_standard("national_2017")
