"""The cells of a notebook in a forked process: IPython's kernel, without the sockets and threads around it.

What it would publish while it runs a cell is kept, and sent with the reply in one line when the cell ends. It
does not wait for requests: the cells are known. Everything else is the kernel's own: its shell, what it shows
and how, its errors and replies.
"""

import asyncio
import io
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any, NoReturn

from ipykernel.displayhook import ZMQDisplayHook
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.session import Session, json_packer

from toolkit.reporting.kernel_server import Cell

STREAMS = {"stdout": 1, "stderr": 2}
REPLY = ("status", "execution_count", "ename", "evalue", "traceback")


class KeptMessages(Session):
    """A session that keeps what is published instead of sending it."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._kept: list[bytes] = []
        self._stream, self._printed = "", []
        # A cell may print in several threads.
        self._lock = threading.RLock()

    def msg(self, msg_type: str, content: Any = None, *_: Any, **__: Any) -> dict[str, Any]:
        """Return a message with the parts that an output is made of."""
        header = {"msg_type": msg_type}
        return {"msg_type": msg_type, "header": header, "parent_header": {}, "content": content or {}}

    def send(
        self, _stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any
    ) -> dict[str, Any] | None:
        """Keep a message as it is now."""
        message = msg_or_type if isinstance(msg_or_type, dict) else self.msg(msg_or_type, content)
        with self._lock:
            self._end_stream()
            self._kept.append(json_packer(message))
        return message

    def write(self, stream: str, text: str) -> None:
        """Keep a text that was printed; what follows it on the same stream belongs to it."""
        with self._lock:
            if stream != self._stream:
                self._end_stream()
            self._stream = stream
            self._printed.append(text)

    def taken(self) -> bytes:
        """Return all that was kept, as the text of a JSON array, and forget it."""
        with self._lock:
            self._end_stream()
            kept, self._kept = self._kept, []
        return b"[" + b",".join(kept) + b"]"

    def _end_stream(self) -> None:
        name, printed = self._stream, self._printed
        self._stream, self._printed = "", []
        if printed:
            self.send(None, "stream", {"name": name, "text": "".join(printed)})


class PrintedText(io.TextIOBase):
    """Standard output or error as the code of cells sees it."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, session: KeptMessages) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self._session = session

    def write(self, text: str) -> int:
        """Keep the text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._session.write(self._stream, text)
        return len(text)

    def writable(self) -> bool:
        """Say that one can write."""
        return True

    def fileno(self) -> int:
        """Return the descriptor that other programs write to."""
        return STREAMS[self._stream]


class ForeignOutput:
    """What programs that a cell starts, and libraries beside Python, write to a descriptor."""

    def __init__(self, stream: str, session: KeptMessages) -> None:
        self._stream = stream
        self._session = session
        self._read = 0
        with tempfile.TemporaryFile() as file:
            os.dup2(file.fileno(), STREAMS[stream])

    def keep_new(self) -> None:
        """Keep what was written since the last time."""
        descriptor = STREAMS[self._stream]
        size = os.fstat(descriptor).st_size
        if size > self._read:
            written = os.pread(descriptor, size - self._read, self._read)
            self._read = size
            self._session.write(self._stream, written.decode("utf-8", errors="replace"))


class CellsApp(IPKernelApp):
    """IPython's kernel as a program, whose code is known when it starts: nobody can ask it anything."""

    def _connect_to_nobody(self, **_: Any) -> None:
        """Do without what others would speak to."""

    init_connection_file = init_poller = init_sockets = init_heartbeat = _connect_to_nobody
    write_connection_file = log_connection_info = _connect_to_nobody

    def init_io(self) -> None:
        """Keep what is printed and displayed."""
        # Files of its own: those that the server has open are shared by all its forks.
        self.foreign = [ForeignOutput(stream, self.session) for stream in STREAMS]
        sys.stdout, sys.stderr = (PrintedText(stream, self.session) for stream in STREAMS)
        self.displayhook = sys.displayhook = ZMQDisplayHook(self.session, None)
        self.patch_io()

    def init_kernel(self) -> None:
        """Make the kernel."""
        self.kernel = self.kernel_class.instance(
            parent=self,
            session=self.session,
            # Read when a cell waits for something, to know that it does so in the main thread.
            shell_channel_thread=SimpleNamespace(parent_thread=threading.main_thread()),
            log=self.log,
            profile_dir=self.profile_dir,
            user_ns=self.user_ns,
        )
        self.displayhook.get_execution_count = lambda: self.kernel.execution_count


def run_cells(cells: Iterable[Cell], channel: socket.socket, app: CellsApp) -> NoReturn:
    """Run cells until one fails that may not, tell of each what it gave, and wait to be ended.

    Parameters
    ----------
    cells : iterable of (str, bool)
        Code, and whether the notebook goes on if it fails.
    channel : socket.socket
        Receives one line for the kernel, then one for each cell that ended.
    app : CellsApp
        The kernel, initialised.
    """
    channel.sendall(json_packer({"language_info": app.kernel.language_info}) + b"\n")
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # An interrupt ends a cell, as in any kernel.
    app.kernel.pre_handler_hook()
    for code, may_fail in cells:
        reply = loop.run_until_complete(app.kernel.do_execute(code, silent=False, store_history=True))
        for output in app.foreign:
            output.keep_new()
        short = {name: reply[name] for name in REPLY if name in reply}
        channel.sendall(b'{"reply":%b,"messages":%b}\n' % (json_packer(short), app.session.taken()))
        if reply["status"] != "ok" and not may_fail:
            break
    # The owner ends it, with all that the cells have started: until then its number is no one else's.
    channel.recv(1)
    os._exit(0)
