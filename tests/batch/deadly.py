"""A data file that kills whoever looks into it. Apart from other stand-ins: every new worker imports it."""

import os
from pathlib import Path

from toolkit.batch.survey import CountyYears


def look_or_die(source, with_years):
    """Look into a data file, and die there if it says so, once or every time."""
    path = Path(source[0])
    order, mark = path.read_text(encoding="utf-8"), path.with_suffix(".died")
    if order == "die" or (order == "die once" and not mark.exists()):
        mark.touch()
        os._exit(1)
    return source, (CountyYears(path.stem, ()),)
