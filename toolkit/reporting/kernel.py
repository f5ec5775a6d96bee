"""The kernel of a notebook: its folder, its environment and its options."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import toolkit
from toolkit.share import WORKSPACE_VARIABLE, workspace

if TYPE_CHECKING:
    from jupyter_client.manager import AsyncKernelManager

KERNEL_NAME = "python3"
QUIET_KERNEL = ("--log-level=50", "--HistoryManager.enabled=False")
# One thread: on few cores more of them slow a batch down, and they reorder sums.
KERNEL_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "PYTHONUTF8": "1",
    "PYTHONHASHSEED": "0",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
INSTALLED_PACKAGES = ("site-packages", "dist-packages")


def kernel_environment() -> dict[str, str]:
    """Return the environment of the kernel, which imports the same toolkit as this process."""
    search_path = [
        str(Path(entry).absolute()) for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry
    ]
    home = Path(toolkit.__file__).absolute().parents[1]
    if home.name not in INSTALLED_PACKAGES:
        search_path.insert(0, str(home))
    # The kernel's folder may lie outside the workspace of this process.
    own = {"PYTHONPATH": os.pathsep.join(search_path), WORKSPACE_VARIABLE: str(workspace())}
    return {**os.environ, **KERNEL_ENVIRONMENT, **own}


def kernel_manager(folder: Path, environment: dict[str, str]) -> "type[AsyncKernelManager]":
    """Return a kernel manager with its own folder and environment.

    papermill's own `cwd` changes the folder of this whole process, and it offers no environment.
    """
    from jupyter_client.manager import AsyncKernelManager

    class ReportKernelManager(AsyncKernelManager):
        async def start_kernel(self, **options: object) -> None:
            await super().start_kernel(**{**options, "cwd": str(folder), "env": environment})

    return ReportKernelManager
