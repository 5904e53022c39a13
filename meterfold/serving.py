"""How a command, or the collector, reaches the process that owns the data directory: one JSON line there, lines back.

The socket lies in the data directory with mode 0600: who may write the directory may ask.
"""

import json
import os
import socket
import socketserver
import threading
from collections.abc import Callable
from io import TextIOBase
from pathlib import Path
from typing import Any

from rich.console import Console

from connectors.owner_socket import LINE_LIMIT, Appended, entries_of, short_address


def ask_owner(path: Path, argv: list[str], out: Console, err: Console) -> int | None:
    """Run a command line in the owner and print what it prints; its exit code, or None if nobody answers."""
    request = {"argv": argv, "directory": str(Path.cwd()), "terminal": out.is_terminal, "width": out.width}
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(short_address(path))
        except OSError:
            return None
        connection.sendall(json.dumps(request).encode() + b"\n")
        for line in connection.makefile("r", encoding="utf-8"):
            answer = json.loads(line)
            if "exit" in answer:
                return int(answer["exit"])
            stream = err.file if answer["to"] == "err" else out.file
            stream.write(answer["text"])
            stream.flush()
    return None


class _Stream(TextIOBase):
    """A text stream that sends what is written to it to the asking command."""

    def __init__(self, send: Callable[[dict[str, Any]], None], to: str) -> None:
        self._send, self._to = send, to

    def write(self, text: str) -> int:
        self._send({"to": self._to, "text": text})
        return len(text)

    def writable(self) -> bool:
        return True


Run = Callable[[list[str], Path, Console, Console], int]
"""Runs a command line for someone: (arguments, their directory, their output, their errors) → exit code."""

Append = Callable[[str, list[Appended]], int]
"""Appends records to a log for someone, durably: (topic, (key, payload) in order) → how many."""


class _Handler(socketserver.StreamRequestHandler):
    server: "_Server"

    def handle(self) -> None:
        request = json.loads(self.rfile.readline(LINE_LIMIT))
        if "append" in request:
            self._append(request)
        else:
            self._run(request)

    def _append(self, request: dict[str, Any]) -> None:
        try:
            answer: dict[str, Any] = {"appended": self.server.append(request["append"], entries_of(request))}
        except Exception as error:  # the owner must outlive whoever asks, who is told
            answer = {"error": f"{type(error).__name__}: {error}"}
        self.wfile.write(json.dumps(answer).encode() + b"\n")

    def _run(self, request: dict[str, Any]) -> None:
        lock = threading.Lock()

        def send(answer: dict[str, Any]) -> None:
            with lock:
                self.wfile.write(json.dumps(answer).encode() + b"\n")

        consoles = [
            Console(
                file=_Stream(send, to),  # type: ignore[arg-type]
                force_terminal=request["terminal"],
                width=request["width"],
                highlight=False,
            )
            for to in ("out", "err")
        ]
        try:
            code = self.server.run(request["argv"], Path(request["directory"]), *consoles)
        except BrokenPipeError:
            return  # the asking command was interrupted; what it had started is done
        send({"exit": code})


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path, run: Run, append: Append) -> None:
        self.run, self.append = run, append
        path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            super().__init__(short_address(path), _Handler)
        finally:
            os.umask(before)


class OwnerServer:
    """Serves other commands while the owner runs; close it before giving the directory back."""

    def __init__(self, path: Path, run: Run, append: Append) -> None:
        self._path = path
        self._server = _Server(path, run, append)
        self._thread = threading.Thread(target=self._server.serve_forever, name="owner", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._path.unlink(missing_ok=True)
