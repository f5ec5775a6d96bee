"""The kernels of notebooks: their environment, their options, and the process that they are forked from."""

import os
from pathlib import Path

import toolkit
from toolkit.reporting.warm_kernel import tell_once, warm_kernels_wanted
from toolkit.reporting.warm_server import SERVERS, WarmKernelError
from toolkit.share import WORKSPACE_VARIABLE, workspace

KERNEL_NAME = "python3"
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


def start_warm_server() -> None:
    """Let the process that kernels are forked from begin its imports, and return at once.

    Whoever will execute notebooks in a moment calls it before other work; without it the first notebook
    starts that process. It ends with this one. Calls in several threads, or again, start no second one.
    """
    if warm_kernels_wanted():
        try:
            SERVERS.get(kernel_environment())
        except WarmKernelError as error:
            tell_once(str(error))


def stop_warm_servers() -> None:
    """End the processes that kernels are forked from, and kernels that still run in them."""
    SERVERS.stop()
