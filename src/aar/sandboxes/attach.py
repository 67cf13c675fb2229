"""The launcher of the Docker sandbox: `python -I attach.py ENGINE CONTAINER SCRATCH STREAM_FD STATUS_FD PARENT`.

Starts a container that has been attached to (STREAM_FD), passes the three pipes through, and kills it when it is told to
(SIGTERM) or when the lab dies. Ends with the program's own exit code. ENGINE is the path of the engine's socket, SCRATCH a
folder of the lab's that goes with a lab that died. Standard library only.
"""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import sys
import threading
from typing import IO

PDEATHSIG = 1


class Told(Exception):
    """To end."""


def told(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise Told


def feed(stream: socket.socket) -> None:
    """Our standard input into the container's, to its end."""
    with contextlib.suppress(OSError):
        while block := os.read(0, 1 << 16):
            stream.sendall(block)
        stream.shutdown(socket.SHUT_WR)


def pass_on(stream: IO[bytes]) -> None:
    """Frames of the engine (kind, three zeros, length, bytes) to our standard output and error, until the container ends."""
    while len(head := stream.read(8)) == 8:
        fd, length = struct.unpack(">BxxxL", head)
        data = stream.read(length)
        with contextlib.suppress(BrokenPipeError):  # nobody listens any more
            while data:
                data = data[os.write(fd, data) :]


def ask(engine: str, method: str, what: str) -> bytes:
    connection = http.client.HTTPConnection("engine")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(engine)
    connection.request(method, f"/containers/{what}", headers={"Content-Length": "0"})
    answer = connection.getresponse()
    body = answer.read()
    if answer.status >= 400:
        raise OSError(body.decode(errors="replace"))
    return body


def main(engine: str, name: str, scratch: str, stream_fd: int, status: int, parent: int) -> int:
    signal.signal(signal.SIGTERM, told)
    ctypes.CDLL(None).prctl(PDEATHSIG, signal.SIGTERM)
    stream = socket.socket(fileno=stream_fd)
    try:
        if os.getppid() != parent:
            raise Told  # the lab died while we came up
        ask(engine, "POST", f"{name}/start")
        threading.Thread(target=feed, args=(stream,), daemon=True).start()
        pass_on(stream.makefile("rb"))
    except Told:
        with contextlib.suppress(OSError):  # it has ended by itself, or never started
            ask(engine, "POST", f"{name}/kill")
    code = int(json.loads(ask(engine, "POST", f"{name}/wait"))["StatusCode"])
    if os.getppid() != parent:  # nobody else will; asked now, since a lab that is killed dies thread by thread
        ask(engine, "DELETE", f"{name}?force=1")
        shutil.rmtree(scratch, ignore_errors=True)
    os.write(status, b"ended")
    return code


if __name__ == "__main__":
    engine, name, scratch, *numbers = sys.argv[1:]
    try:
        sys.exit(main(engine, name, scratch, *map(int, numbers)))
    except OSError as error:
        sys.exit(f"the engine says: {error}")
