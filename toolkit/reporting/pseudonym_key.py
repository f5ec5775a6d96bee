"""The key to the pseudonyms of schools and the secret behind them: kept apart from every report."""

import hashlib
import os
import re
import secrets
from pathlib import Path

import pandas as pd

from toolkit.data.pseudonyms import KEY_COLUMNS
from toolkit.errors import InputError, RunError
from toolkit.exhibits import Caption
from toolkit.share import workspace
from toolkit.tables.exhibit import TableExhibit, vocabulary_column
from toolkit.tables.export import TableFiles, export_table
from toolkit.vocabulary import Language, sentence

REPORTS_FOLDER = "reports"
RESTRICTED_FOLDER = "restricted"
KEY_NAME = "pseudonym_key"
SECRET_NAME = "pseudonym_secret.txt"
SECRET_BYTES = 32
SECRET_PATTERN = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")
REMARK = "#"
FINGERPRINT_LENGTH = 8
FOR_ONE_USER = 0o600


def secret_path() -> Path:
    """Return where the workspace keeps the secret of its pseudonyms."""
    return workspace() / RESTRICTED_FOLDER / SECRET_NAME


def open_secret(reports: Path | None = None) -> str:
    """Return the secret of the workspace, made when pseudonyms are asked for the first time.

    A secret that is there is never written to, whatever it looks like.

    Parameters
    ----------
    reports : pathlib.Path, optional
        Folder of the reports, by default `reports` in the workspace. Where it holds keys to pseudonyms
        there was a secret, and no other takes its place.

    Raises
    ------
    InputError
        If the file holds no secret, cannot be read, or is gone although keys were made with it.
    RunError
        If a new one cannot be written.
    """
    path = secret_path()
    if path.exists():
        return load_secret(path)
    folder = (reports or workspace() / REPORTS_FOLDER) / RESTRICTED_FOLDER
    keys = sorted(folder.glob(f"*/{KEY_NAME}.csv"))
    if keys:
        raise InputError("pseudonym_secret_missing", path=path, key=keys[0])
    return create_secret(path)


def load_secret(path: Path) -> str:
    """Load a secret: the one line of its file that is no remark.

    Raises
    ------
    InputError
        If the file cannot be read or holds anything else.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("pseudonym_secret_damaged", path=path) from error
    found = [line.strip() for line in lines if line.strip() and not line.startswith(REMARK)]
    if len(found) != 1 or not SECRET_PATTERN.fullmatch(found[0]):
        raise InputError("pseudonym_secret_damaged", path=path)
    return found[0]


def create_secret(path: Path) -> str:
    """Write a new secret where there is none; one that another run wrote in the meantime is loaded.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    remarks = [f"{REMARK} {sentence('pseudonym_secret_remark', language)}" for language in ("zh", "en")]
    secret = secrets.token_hex(SECRET_BYTES)
    content = "\n".join([*remarks, secret, ""]).encode("utf-8")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_new(path, content)
    except OSError as error:
        if path.is_file():
            return load_secret(path)
        raise RunError("file_not_written", path=path, reason=error.strerror or error) from error
    return secret


def _write_new(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read; fail where there is one."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FOR_ONE_USER), "wb") as file:
        file.write(content)


def secret_fingerprint(secret: str) -> str:
    """Return eight hexadecimal digits that tell secrets apart and do not give one away."""
    return hashlib.sha256(f"{KEY_NAME}:{secret}".encode("ascii")).hexdigest()[:FINGERPRINT_LENGTH]


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
