"""Archives that depend on their content only: Word and Excel files carry times that would tell runs apart."""

import zipfile
from collections.abc import Callable
from io import BytesIO

ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def with_fixed_times(archive: bytes, change: Callable[[str, bytes], bytes] = lambda _, part: part) -> bytes:
    """Return an archive with the same parts and one time for all of them.

    Parameters
    ----------
    archive : bytes
        A .docx or .xlsx file.
    change : callable
        Receives name and content of each part and returns what is put in its place.
    """
    tidy = BytesIO()
    with zipfile.ZipFile(BytesIO(archive)) as source, zipfile.ZipFile(tidy, "w") as target:
        for entry in source.infolist():
            fixed = zipfile.ZipInfo(entry.filename, date_time=ZIP_TIME)
            fixed.compress_type, fixed.create_system = zipfile.ZIP_DEFLATED, 0
            target.writestr(fixed, change(entry.filename, source.read(entry)))
    return tidy.getvalue()
