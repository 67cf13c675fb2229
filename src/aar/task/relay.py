"""Inside a sandbox whose study opened hosts: a port on its loopback that leads to the host's proxy socket, and nothing else.

`python -I -m aar.task.relay SOCKET PORT PROGRAM ARGS...` opens the port, leaves a process behind that relays, and becomes the
program. Knows nothing of HTTP: what may pass is decided on the other side. It ends with the sandbox.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while block := await reader.read(1 << 16):
            writer.write(block)
            await writer.drain()
        writer.write_eof()


async def relay(path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        out_reader, out_writer = await asyncio.open_unix_connection(path)
        with contextlib.closing(out_writer):
            await asyncio.gather(pump(reader, out_writer), pump(out_reader, writer))
    writer.close()


async def serve(path: str, listener: socket.socket) -> None:
    server = await asyncio.start_server(lambda r, w: relay(path, r, w), sock=listener)
    await server.serve_forever()


def main(path: str, port: int, argv: list[str]) -> None:
    listener = socket.create_server(("127.0.0.1", port))
    if first := os.fork():
        os.waitpid(first, 0)
        listener.close()
        os.execvp(argv[0], argv)
    os.setsid()
    if os.fork():  # the relay is nobody's child: a program that waits for its children is not kept waiting
        os._exit(0)
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    asyncio.run(serve(path, listener))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
