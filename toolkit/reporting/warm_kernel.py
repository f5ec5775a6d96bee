"""Warm kernels: forked from a process that has everything imported, where that is possible."""

import asyncio
import logging
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from toolkit.reporting.kernel_server import KernelRequest
from toolkit.reporting.warm_server import SERVERS, SWITCH, WarmKernel, WarmKernelError

if TYPE_CHECKING:
    from jupyter_client.connect import KernelConnectionInfo
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

# Forked processes on macOS are known to crash in system libraries; there it takes an explicit "1".
SWITCHED_ON, SWITCHED_OFF = "1", "0"
END_SECONDS = 1.0
END_POLL_SECONDS = 0.005
LAUNCH = ("-m", "ipykernel_launcher")

# Those of all threads, so that an interrupt can end them.
STARTED_KERNELS: "WeakSet[LocalProvisioner]" = WeakSet()

logger = logging.getLogger(__name__)


def warm_kernels_wanted() -> bool:
    """Say whether kernels are forked from a warm process here.

    On Linux unless the environment variable JUNHENG_WARM_KERNELS is 0, on macOS if it is 1.
    """
    switch = os.environ.get(SWITCH, "")
    if sys.platform == "linux":
        return switch != SWITCHED_OFF
    return sys.platform == "darwin" and switch == SWITCHED_ON


@cache
def report_provisioner(*, warm: bool) -> "type[LocalProvisioner]":
    """Return a provisioner that kills at once and, if asked for, forks its kernels from a warm process.

    Where no warm kernel is to be had it starts a plain one, and says why.
    """
    from jupyter_client.provisioning.local_provisioner import LocalProvisioner

    class ReportProvisioner(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **options: Any) -> "KernelConnectionInfo":
            if not (warm and warm_kernels_wanted()):
                return await super().launch_kernel(cmd, **options)
            try:
                kernel = await _forked(cmd, options)
            except WarmKernelError as error:
                tell_once(str(error))
                return await super().launch_kernel(cmd, **options)
            # No process group: read too early it is the one of this process, and an interrupt comes back.
            self.process, self.pid, self.pgid = kernel, kernel.pid, None
            self.cwd = options.get("cwd")
            return self.connection_info

        async def pre_launch(self, **options: Any) -> dict[str, Any]:
            STARTED_KERNELS.add(self)
            return await super().pre_launch(**options)

        async def kill(self, restart: bool = False) -> None:
            await super().kill(restart)
            # The manager looks at once, then ten times a second.
            until = time.monotonic() + END_SECONDS
            while await self.poll() is None and time.monotonic() < until:
                await asyncio.sleep(END_POLL_SECONDS)

    return ReportProvisioner


def end_kernels() -> None:
    """Kill every kernel of this process that still runs; whoever waits for it finds it dead."""
    for kernel in list(STARTED_KERNELS):
        if kernel.process is not None and kernel.process.poll() is None:
            kernel.process.kill()


async def _forked(command: list[str], options: Mapping[str, Any]) -> WarmKernel:
    """Return a kernel forked for a command that would start a plain one."""
    program, *arguments = command
    if program != sys.executable or tuple(arguments[:2]) != LAUNCH:
        raise WarmKernelError("warm_kernel_other_program", kernel=Path(program).name)
    environment = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
    request = KernelRequest(tuple(arguments[2:]), environment, str(options.get("cwd") or Path.cwd()))
    return await SERVERS.get(environment).fork_kernel(request)


@cache
def tell_once(reason: str) -> None:
    """Log a reason once, not for every notebook of a batch."""
    logger.warning("%s", reason)
