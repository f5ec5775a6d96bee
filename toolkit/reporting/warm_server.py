"""The owner's side of warm kernels: servers of this process, and the kernels they forked for it."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from toolkit.errors import JunhengError
from toolkit.reporting.kernel_server import ENDED, REFUSED, STARTED, KernelRequest
from toolkit.reporting.running_kernels import RUNNING

SWITCH = "JUNHENG_WARM_KERNELS"
# Read when a kernel works, never by an import: each kernel has its own. Those of Junheng itself are of
# this kind, and change from county to county.
OWN_TO_A_KERNEL = frozenset(
    {"IPYTHONDIR", "JPY_PARENT_PID", "JPY_SESSION_NAME", "OLDPWD", "PWD", "PYTEST_CURRENT_TEST", "SHLVL", "_"}
)
OWN_PREFIX = "JUNHENG_"
MOST_SERVERS = 2
MOST_STARTS = 5
START_SECONDS = 120.0
STOP_SECONDS = 5.0
END_SECONDS = 1.0
RECEIVED_BYTES = 1 << 18
# No module is looked for in the folder that the server is started in.
PROGRAM = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry]; "
    "from toolkit.reporting.kernel_server import main; main()"
)


class WarmKernelError(JunhengError):
    """Raised when no warm kernel can be had; a plain one does the same."""


class WarmKernel:
    """A kernel that a server forked: it runs its cells unasked and tells what each gave."""

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._received = bytearray()
        self._has_ended = False
        self.pid = 0

    def has_started(self, pid: int) -> None:
        """Take note of the process."""
        self.pid = pid
        RUNNING.add(self)

    def line(self, seconds: float | None) -> str:
        """Return the next line from the kernel or its server, empty when both are gone.

        Raises
        ------
        TimeoutError
            If none comes in time.
        """
        until = None if seconds is None else time.monotonic() + seconds
        searched = 0
        while (end := self._received.find(b"\n", searched)) < 0:
            searched = len(self._received)
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError(f"no answer within {seconds:.0f} s")
            self._channel.settimeout(left)
            try:
                part = self._channel.recv(RECEIVED_BYTES)
            except TimeoutError:
                continue
            except ConnectionError:
                part = b""
            if not part:
                return ""
            self._received += part
        line = self._received[:end].decode(errors="replace")
        del self._received[: end + 1]
        return line

    def answer(self, seconds: float | None) -> dict[str, Any] | None:
        """Return what the kernel tells next, None when it has ended.

        Raises
        ------
        TimeoutError
            If it tells nothing in time.
        """
        if self._has_ended:
            return None
        line = self.line(seconds)
        # One that was killed may leave the beginning of a line; then its server tells that it ended.
        if line.startswith("{") and line.endswith("}"):
            with suppress(json.JSONDecodeError):
                return json.loads(line)
        self._has_ended = True
        return None

    def end(self) -> None:
        """Kill the kernel, and the processes that it started."""
        if self.pid and not self._has_ended:
            # It may have ended, and the server did not say so yet.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the kernel and wait for its end."""
        RUNNING.discard(self)
        self.end()
        if self.pid and not self._has_ended:
            until = time.monotonic() + END_SECONDS
            with suppress(TimeoutError):
                while (line := self.line(until - time.monotonic())) and not line.startswith(ENDED):
                    pass
        self._channel.close()


class WarmServer:
    """A server that forks kernels of one environment for this process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                cwd=os.sep,
                env=dict(environment),
                pass_fds=(theirs.fileno(),),
                # An interrupt from the keyboard is for the owner.
                start_new_session=True,
            )
        self.pid = self._process.pid

    def is_alive(self) -> bool:
        """Say whether the server runs."""
        return self._process.poll() is None

    def fork_kernel(self, request: KernelRequest) -> WarmKernel:
        """Have a kernel forked; while the server is still importing, wait for it.

        Raises
        ------
        WarmKernelError
            If the server refuses, has ended or takes too long.
        """
        ours, theirs = socket.socketpair()
        kernel = WarmKernel(ours)
        try:
            with theirs, self._lock:
                socket.send_fds(self._control, [b"k"], [theirs.fileno()])
            ours.sendall(request.line())
            word, _, detail = kernel.line(START_SECONDS).partition(" ")
            if word != STARTED:
                raise WarmKernelError("warm_kernel_refused", reason=detail or self._last_words())
        except OSError as error:
            kernel.close()
            # A socket without its other end, or no answer in time: the server may have told more.
            reason = error if self.is_alive() else self._last_words()
            raise WarmKernelError("warm_kernel_refused", reason=reason) from error
        except BaseException:
            kernel.close()
            raise
        kernel.has_started(int(detail))
        return kernel

    def stop(self) -> None:
        """End the server and its kernels; one that is still importing has none and need not finish."""
        self._control.setblocking(False)
        try:
            importing = not self._control.recv(4096, socket.MSG_PEEK)
        except OSError:
            importing = True
        self._control.close()
        if importing:
            self._process.kill()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Close this process's end, in a fork of the owner."""
        self._control.close()
        # It is no child of this process.
        self._process.returncode = 0

    def _last_words(self) -> str:
        """Return why the server ended."""
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(STOP_SECONDS)
            self._control.setblocking(False)
            with suppress(OSError):
                for line in self._control.recv(4096).decode().splitlines():
                    if line.startswith(REFUSED):
                        return line.removeprefix(REFUSED).strip()
            return f"exit code {code}"
        return "no answer"


class Servers:
    """The servers of this process: one for each environment, up to a few."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_environment: dict[frozenset[tuple[str, str]], WarmServer] = {}
        self._starts = 0

    def get(self, environment: Mapping[str, str]) -> WarmServer:
        """Return the server of an environment, started if there is none; it may still be importing.

        Raises
        ------
        WarmKernelError
            If servers died too often, or there are too many of other environments.
        """
        decisive = {
            name: value
            for name, value in environment.items()
            if name not in OWN_TO_A_KERNEL and not name.startswith(OWN_PREFIX)
        }
        key = frozenset(decisive.items())
        with self._lock:
            server = self._by_environment.get(key)
            if server is not None and server.is_alive():
                return server
            if server is None and len(self._by_environment) >= MOST_SERVERS:
                raise WarmKernelError("warm_kernel_environments", count=MOST_SERVERS)
            if self._starts >= MOST_STARTS:
                raise WarmKernelError("warm_kernel_starts", count=MOST_STARTS)
            self._starts += 1
            try:
                server = self._by_environment[key] = WarmServer(decisive)
            except OSError as error:
                raise WarmKernelError("warm_kernel_refused", reason=error) from error
            return server

    def stop(self) -> None:
        """End all servers."""
        with self._lock:
            servers = tuple(self._by_environment.values())
            self._by_environment.clear()
            self._starts = 0
        for server in servers:
            server.stop()

    def forget(self) -> None:
        """Start afresh in a fork of this process, which owns none of its servers."""
        for server in self._by_environment.values():
            server.forget()
        self.__init__()


SERVERS = Servers()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=SERVERS.forget)
    # Without it, the interpreter would warn of a process that still runs.
    atexit.register(SERVERS.stop)
