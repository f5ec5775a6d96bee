"""A county's tables as a workbook in the layout of the template."""

from toolkit.data.workbook.headers import header_text, sheet_name
from toolkit.data.workbook.writing import write_workbook

__all__ = ["header_text", "sheet_name", "write_workbook"]
