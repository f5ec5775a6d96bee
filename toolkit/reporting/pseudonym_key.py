"""The key to the pseudonyms of schools: kept apart from every report."""

from pathlib import Path

import pandas as pd

from toolkit.data.pseudonyms import KEY_COLUMNS
from toolkit.exhibits import Caption
from toolkit.tables.exhibit import TableExhibit, vocabulary_column
from toolkit.tables.export import TableFiles, export_table
from toolkit.vocabulary import Language, sentence

RESTRICTED_FOLDER = "restricted"
KEY_NAME = "pseudonym_key"


def write_pseudonym_key(folder: Path, key: pd.DataFrame, language: Language) -> TableFiles:
    """Write the key as CSV and as workbook; nothing links there.

    Parameters
    ----------
    folder : pathlib.Path
        Folder beside the report, in ``restricted/``.
    key : pandas.DataFrame
        From `toolkit.data.pseudonyms.pseudonymise`.
    language : {"zh", "en"}
        Language of the headings in the workbook.
    """
    columns = tuple(
        vocabulary_column(name, language, kind="code" if name == "pseudonym_kind" else "text")
        for name in KEY_COLUMNS
    )
    caption = Caption(KEY_NAME, sentence(f"title_{KEY_NAME}", language), language)
    return export_table(TableExhibit(caption, columns, key), folder)
