"""The process that has everything imported and forks kernels. POSIX only; started by `warm_server`.

It serves one owner over an inherited socket and ends with it. Each kernel has a channel of its own, a socket
that arrives with the request: the kernel tells on it that it started and what its cells gave, and this
process how it ended. The owner says nothing more on it; a channel that it closes ends its kernel.
"""

import contextlib
import gc
import json
import os
import selectors
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

# The owner's end is seen at once by its closed socket; this is for one that left a copy of it in a child.
OWNER_CHECK_SECONDS = 1.0
REQUEST_SECONDS = 10.0
QUIET_KERNEL = ("--log-level=50", "--HistoryManager.enabled=False")
STARTED, REFUSED, ENDED, READY = "started", "refused", "ended", "ready"
LINUX_PARENT_DEATH_SIGNAL = 1
# Arrow's allocator would start a thread on import, and a thread does not survive a fork.
QUIET_ALLOCATOR = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}

Cell = tuple[str, bool]
"""The code of a cell, and whether the notebook goes on if it fails."""


@dataclass(frozen=True, slots=True)
class KernelRequest:
    """What a kernel is started with: its cells, environment, working folder."""

    cells: tuple[Cell, ...]
    environment: dict[str, str]
    folder: str

    def line(self) -> bytes:
        """Return the request as it is sent."""
        return json.dumps([self.cells, self.environment, self.folder]).encode() + b"\n"


Forked = tuple[KernelRequest, socket.socket]
"""What a forked kernel is to run, and its channel."""


def read_request(line: bytes) -> KernelRequest:
    """Return a request from its line."""
    cells, environment, folder = json.loads(line)
    return KernelRequest(tuple((code, may_fail) for code, may_fail in cells), environment, folder)


def main() -> None:
    """Import everything, then fork a kernel for each request until the owner is gone."""
    control = socket.socket(fileno=int(sys.argv[1]))
    owner = int(sys.argv[2])
    # Objects of the imports are never garbage; a collection would copy their pages into every kernel.
    gc.disable()
    os.environ.update(QUIET_ALLOCATOR)
    from toolkit.reporting.warm_state import WarmState

    warm = WarmState.prepared()
    threads = thread_count()
    answer = f"{REFUSED} {threads} threads" if threads > 1 else READY
    gc.freeze()
    try:
        control.sendall(f"{answer}\n".encode())
    except ConnectionError:
        return  # The owner ended meanwhile.
    if threads > 1:
        return
    forked = KernelServer(control, owner).serve()
    if forked is not None:
        request, channel = forked
        warm.run_cells(request.cells, channel)


def thread_count() -> int:
    """Return the number of threads of this process; outside Linux, those that Python knows."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


class KernelServer:
    """The loop that forks kernels, passes signals on and tells how kernels ended."""

    def __init__(self, control: socket.socket, owner: int) -> None:
        self._control = control
        self._owner = owner
        self._channels: dict[int, socket.socket] = {}
        self._kernels: set[int] = set()
        self._wakeup, self._signalled = socket.socketpair()
        self._wakeup.setblocking(False)
        self._signalled.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    def serve(self) -> Forked | None:
        """Serve until the owner is gone and return None; in each forked kernel, return what it is to run."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self._signalled.fileno(), warn_on_full_buffer=False)
        while os.getppid() == self._owner:
            for key, _ in self._selector.select(OWNER_CHECK_SECONDS):
                if key.fileobj is self._control:
                    descriptors = self._next_request()
                    if not descriptors:
                        self._end_kernels()
                        return None
                    forked = self._fork_for(descriptors[0])
                    if forked is not None:
                        return forked
                elif key.fileobj is self._wakeup:
                    self._wakeup.recv(4096)
                else:
                    self._let_go(key.data)
            self._reap()
        self._end_kernels()
        return None

    def _next_request(self) -> list[int]:
        """Return the descriptor of a request's channel, none when the owner is gone."""
        try:
            return socket.recv_fds(self._control, 1, 1)[1]
        except ConnectionError:
            return []

    def _fork_for(self, descriptor: int) -> Forked | None:
        """Fork a kernel; return its request and channel in the kernel, None in this process."""
        channel = socket.socket(fileno=descriptor)
        channel.set_inheritable(False)
        try:
            request = read_request(_first_line(channel))
            server, kernel = os.getpid(), os.fork()
        except (OSError, ValueError) as error:
            # The owner that is still there starts a plain kernel, and says why.
            with contextlib.suppress(OSError):
                channel.sendall(f"{REFUSED} {error}\n".encode())
            channel.close()
            return None
        if kernel == 0:
            self._leave()
            _settle(channel, request, server)
            return request, channel
        self._kernels.add(kernel)
        self._channels[kernel] = channel
        self._selector.register(channel, selectors.EVENT_READ, kernel)
        return None

    def _leave(self) -> None:
        """Close, in a forked kernel, all that belongs to the server and to other kernels."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for opened in (self._control, self._wakeup, self._signalled, *self._channels.values()):
            opened.close()

    def _let_go(self, kernel: int) -> None:
        """Kill a kernel whose owner closed its channel."""
        self._close_channel(kernel)
        _kill(kernel)

    def _reap(self) -> None:
        """Collect the kernels that ended and tell their owner how."""
        for kernel in tuple(self._kernels):
            ended, status = os.waitpid(kernel, os.WNOHANG)
            if not ended:
                continue
            self._kernels.remove(kernel)
            if kernel in self._channels:
                code = os.waitstatus_to_exitcode(status)
                # An owner that is gone need not know; one that takes nothing sees that the channel is closed.
                with contextlib.suppress(OSError):
                    # The kernel may have ended in the middle of a line.
                    self._channels[kernel].send(f"\n{ENDED} {code}\n".encode(), socket.MSG_DONTWAIT)
                self._close_channel(kernel)

    def _close_channel(self, kernel: int) -> None:
        channel = self._channels.pop(kernel)
        self._selector.unregister(channel)
        channel.close()

    def _end_kernels(self) -> None:
        """Kill the kernels of an owner that is gone."""
        for kernel in self._kernels:
            _kill(kernel)


def _first_line(channel: socket.socket) -> bytes:
    """Return the line that an owner sent, which comes without delay."""
    channel.settimeout(REQUEST_SECONDS)
    received = bytearray()
    while not received.endswith(b"\n"):
        part = channel.recv(65536)
        if not part:
            raise ConnectionAbortedError("the owner let go of its request")
        received += part
    # Answers may be longer than what a socket holds: the kernel waits until they are taken.
    channel.settimeout(None)
    return bytes(received)


def _settle(channel: socket.socket, request: KernelRequest, server: int) -> None:
    """Give a forked kernel its own session, environment and folder, and tell the owner that it started."""
    os.setsid()
    _die_with_parent()
    if os.getppid() != server:
        os._exit(1)
    os.environ.clear()
    os.environ.update(request.environment)
    try:
        os.chdir(request.folder)
    except OSError as error:
        channel.sendall(f"{REFUSED} {error}\n".encode())
        os._exit(1)
    channel.sendall(f"{STARTED} {os.getpid()}\n".encode())


def _die_with_parent() -> None:
    """Let this kernel be killed when its server dies: by Linux, elsewhere by looking for its parent."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(LINUX_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    else:
        threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def _watch_parent(server: int) -> None:
    """End this kernel, and the processes that it started, when its server is gone."""
    while os.getppid() == server:
        time.sleep(OWNER_CHECK_SECONDS)
    os.killpg(os.getpid(), signal.SIGKILL)


def _kill(kernel: int) -> None:
    """Kill a kernel that was not reaped, and the processes that it started."""
    # Before a kernel has its own session, its process group is the one of this server.
    kill = os.killpg if os.getpgid(kernel) == kernel else os.kill
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: it ended and waits to be reaped.
        kill(kernel, signal.SIGKILL)
