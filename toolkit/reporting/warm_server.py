"""The owner's side of warm kernels: servers of this process, and the kernels they forked for it."""

import asyncio
import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

from toolkit.errors import JunhengError
from toolkit.reporting.kernel_server import ENDED, REFUSED, STARTED, KernelRequest

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
POLL_SECONDS = 0.005
# No module is looked for in the folder that the server is started in.
PROGRAM = (
    "import sys; sys.path[:] = [entry for entry in sys.path if entry]; "
    "from toolkit.reporting.kernel_server import main; main()"
)


class WarmKernelError(JunhengError):
    """Raised when no warm kernel can be had; a plain one does the same."""


class WarmKernel:
    """A kernel that a server forked, with the interface of `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, channel: socket.socket) -> None:
        self._channel = channel
        self._received = b""
        self.pid = 0
        self.returncode: int | None = None

    def line(self) -> str | None:
        """Return the next line from the server, None when there is none yet, empty when it is gone."""
        if b"\n" not in self._received:
            try:
                part = self._channel.recv(4096)
            except BlockingIOError:
                return None
            except ConnectionError:
                part = b""
            if not part:
                return ""
            self._received += part
        line, complete, rest = self._received.partition(b"\n")
        if not complete:
            return None
        self._received = rest
        return line.decode()

    def poll(self) -> int | None:
        """Return the exit code as `subprocess` does, None while the kernel runs."""
        if self.returncode is None:
            line = self.line()
            if line is not None:
                word, _, code = line.partition(" ")
                # A kernel does not outlive its server.
                self.returncode = int(code) if word == ENDED else -int(signal.SIGKILL)
                self._channel.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the kernel's end and return its exit code."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel and to the processes that it started."""
        if self.poll() is None:
            with suppress(
                ProcessLookupError, PermissionError
            ):  # It ended, and the server did not say so yet.
                os.killpg(self.pid, number)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the kernel."""
        self.send_signal(signal.SIGKILL)

    def let_go(self) -> None:
        """Close the channel, which ends a kernel that still runs."""
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

    async def fork_kernel(self, request: KernelRequest) -> WarmKernel:
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
            ours.setblocking(False)
            answer = await _answer(kernel)
            word, _, detail = answer.partition(" ")
            if word != STARTED:
                raise WarmKernelError("warm_kernel_refused", reason=detail or self._last_words())
        except OSError as error:
            kernel.let_go()
            # A socket without its other end, or no answer in time: the server may have told more.
            reason = error if self.is_alive() else self._last_words()
            raise WarmKernelError("warm_kernel_refused", reason=reason) from error
        except BaseException:
            kernel.let_go()
            raise
        kernel.pid = int(detail)
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


async def _answer(kernel: WarmKernel) -> str:
    """Return the first line about a kernel, empty when the server is gone."""
    until = time.monotonic() + START_SECONDS
    while (line := kernel.line()) is None:
        if time.monotonic() > until:
            raise TimeoutError(f"no answer within {START_SECONDS:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return line
