"""Where the notebooks, the template and the demonstration county lie, and where a user's files belong.

In a checkout they are the folders at its root, in an installed package a copy inside it. A user's own files
belong to a workspace.
"""

import os
from pathlib import Path

from toolkit.errors import InputError

PACKAGE = Path(__file__).resolve().parent

WORKSPACE_VARIABLE = "JUNHENG_WORKSPACE"
WORKSPACE_MARK = ".junheng-workspace"
WORKSPACE_NAME = "junheng-work"


def project_root() -> Path | None:
    """Return the root of the checkout that this package runs from, None when it is installed."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "run.py").is_file() else None


def share_path(*parts: str) -> Path:
    """Return a file or folder that comes with Junheng: from the checkout, else from the package.

    Parameters
    ----------
    *parts
        Its place in the checkout, for instance ``"notebooks"`` or ``"data", "README.md"``.

    Raises
    ------
    InputError
        If it is in neither place.
    """
    root = project_root()
    path = (root or PACKAGE / "_share").joinpath(*parts)
    if not path.exists():
        raise InputError("shared_file_missing", path=path)
    return path


def workspace() -> Path:
    """Return the folder that relative paths of users mean, and that holds their reports.

    It is the folder named by the environment variable JUNHENG_WORKSPACE, else the marked workspace around the
    current folder, else the checkout, else ``junheng-work`` in the current folder.
    """
    named = os.environ.get(WORKSPACE_VARIABLE)
    if named:
        return Path(named).resolve()
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / WORKSPACE_MARK).is_file():
            return folder
    return project_root() or here / WORKSPACE_NAME


def mark_workspace(folder: Path) -> None:
    """Make a folder a workspace that is recognised from anywhere inside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WORKSPACE_MARK).touch()


def resolve_path(path: str | Path) -> Path:
    """Return the absolute path a user means: a relative one starts at the workspace, else at the checkout."""
    inside = workspace() / path
    root = project_root()
    return root / path if root is not None and not inside.exists() and (root / path).exists() else inside
