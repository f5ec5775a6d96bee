"""The one place that knows tables, columns, types, ranges, keys, periods and header aliases.

Template, data dictionary, reading, checks and messages are generated from it.
"""

from toolkit.data.schema.county import CLASSES, COUNTY_YEARS, SURVEYS
from toolkit.data.schema.frames import DTYPES, conform
from toolkit.data.schema.model import COMPULSORY_STAGES, STAGES, Column, Kind, Period, Quantity, Table
from toolkit.data.schema.people import ROTATIONS, SCORES, TEACHERS
from toolkit.data.schema.programmes import PROJECTS, SCHOOL_GROUPS, SUPPORT
from toolkit.data.schema.school_years import SCHOOL_YEARS
from toolkit.data.schema.schools import SCHOOL_LINKS, SCHOOLS

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        SCHOOLS,
        SCHOOL_LINKS,
        SCHOOL_YEARS,
        CLASSES,
        SCHOOL_GROUPS,
        SUPPORT,
        ROTATIONS,
        TEACHERS,
        SCORES,
        COUNTY_YEARS,
        SURVEYS,
        PROJECTS,
    )
}

__all__ = [
    "COMPULSORY_STAGES",
    "DTYPES",
    "STAGES",
    "TABLES",
    "Column",
    "Kind",
    "Period",
    "Quantity",
    "Table",
    "conform",
]
