"""How this process talks with a kernel of Jupyter's: its manager, its process and its client."""

import asyncio
import time
from functools import cache
from pathlib import Path
from queue import Empty
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from toolkit.reporting.running_kernels import RUNNING

if TYPE_CHECKING:
    from jupyter_client.asynchronous.client import AsyncKernelClient
    from jupyter_client.manager import AsyncKernelManager
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

SHELL_SECONDS = 1.0
OUTPUT_SECONDS = 0.2
END_SECONDS = 1.0
END_POLL_SECONDS = 0.005
# This process calls before a kernel listens; ZeroMQ would call again after a tenth of a second.
RECONNECT_MILLISECONDS = 5


def kernel_manager(folder: Path, environment: dict[str, str]) -> "type[AsyncKernelManager]":
    """Return a kernel manager with its own folder and environment.

    papermill's own `cwd` changes the folder of this whole process, and it offers no environment.

    Parameters
    ----------
    folder : pathlib.Path
        Working folder of the kernel.
    environment : dict
        All its environment variables.
    """
    from jupyter_client.manager import AsyncKernelManager

    class ReportKernelManager(AsyncKernelManager):
        async def start_kernel(self, **options: Any) -> None:
            self.kernel_id = self.kernel_id or str(uuid4())
            self.client_factory = _client()
            self.provisioner = _provisioner()(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )
            await super().start_kernel(**{**options, "cwd": str(folder), "env": environment})

    return ReportKernelManager


@cache
def _provisioner() -> "type[LocalProvisioner]":
    """Return a provisioner whose kernels an interrupt can end, and that waits for those it kills."""
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class ReportProvisioner(LocalProvisioner):
        async def pre_launch(self, **options: Any) -> dict[str, Any]:
            RUNNING.add(self)
            return await super().pre_launch(**options)

        def end(self) -> None:
            if self.process is not None and self.process.poll() is None:
                self.process.kill()

        async def kill(self, restart: bool = False) -> None:
            await super().kill(restart)
            # The manager looks at once, then ten times a second.
            until = time.monotonic() + END_SECONDS
            while await self.poll() is None and time.monotonic() < until:
                await asyncio.sleep(END_POLL_SECONDS)

    return ReportProvisioner


@cache
def _client() -> "type[AsyncKernelClient]":
    """Return a client that knows a kernel is ready as soon as it has answered on both channels.

    Jupyter's then listens a fifth of a second for silence, which nothing here needs: outputs are told apart
    by the request that they answer. And ZeroMQ's is slow to call again a kernel that does not listen yet.
    """
    import zmq
    from jupyter_client.asynchronous.client import AsyncKernelClient

    class ReportKernelClient(AsyncKernelClient):
        def start_channels(self, *channels: bool, **by_name: bool) -> None:
            self.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MILLISECONDS)
            super().start_channels(*channels, **by_name)

        async def wait_for_ready(self, timeout: float | None = None) -> None:
            until = time.monotonic() + (float("inf") if timeout is None else timeout)
            while not await self._has_answered():
                if not await self.is_alive():
                    raise RuntimeError("Kernel died before replying to kernel_info")
                if time.monotonic() > until:
                    raise RuntimeError(f"Kernel didn't respond in {timeout:.0f} seconds")

        async def _has_answered(self) -> bool:
            self.kernel_info()
            try:
                reply = await self.get_shell_msg(timeout=SHELL_SECONDS)
                if reply["msg_type"] != "kernel_info_reply":
                    return False
                # Outputs arrive only once this channel is connected.
                await self.get_iopub_msg(timeout=OUTPUT_SECONDS)
            except Empty:
                return False
            return True

    return ReportKernelClient
