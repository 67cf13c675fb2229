"""The one way out of a sandbox whose study opened hosts: a CONNECT proxy of the host's, on a unix socket.

Only `CONNECT host:443` with a listed host, letter for letter; no IP address, no other port or method, no second opinion in a
Host header. The name is looked up here, every address it has must be public, and the connection goes to the address that
was checked, so that a name which changes its mind gains nothing. Each request is in the log, on disk, before it is answered.

Not covered: what is said inside TLS (a listed host that takes uploads takes them; several hosts behind one front may be
told apart only inside); names of other hosts in the lookups of listed ones; how much is transferred, which is logged.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import os
import re
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Collection
from pathlib import Path
from typing import Any

from aar.errors import InputError

PORT = 443
HEAD = 8192  # bytes of a request
HEAD_S, CONNECT_S, IDLE_S = 10.0, 10.0, 300.0
MOST = 32  # connections at a time
NAME = re.compile(r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")

Resolve = Callable[[str], Awaitable[list[str]]]
Dial = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


class Refusal(Exception):
    """`status`: of the HTTP answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


def checked_hosts(hosts: Collection[str]) -> tuple[str, ...]:
    """As they are compared. InputError for what is no plain host name: a wildcard, an address, a port, a URL."""
    for host in hosts:
        if not NAME.fullmatch(host):
            raise InputError(
                f"{host[:80]!r} is no host name", code="bad_host", hint="e.g. pypi.org; each host on its own"
            )
    return tuple(hosts)


def asked(head: bytes, hosts: Collection[str]) -> str:
    """The host that a request may be connected to."""
    try:
        line, *fields = head.decode("ascii").removesuffix("\r\n\r\n").split("\r\n")
    except UnicodeDecodeError:
        raise Refusal(400, "the request is not ASCII") from None
    method, _, rest = line.partition(" ")
    target, _, version = rest.partition(" ")
    if method != "CONNECT":
        raise Refusal(405, "only CONNECT is spoken here: use https")
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise Refusal(400, "not HTTP/1")
    host, _, port = target.rpartition(":")
    if port != str(PORT):
        raise Refusal(403, f"only port {PORT} is open")
    if host not in hosts:
        raise Refusal(403, f"this study may reach {', '.join(sorted(hosts)) or 'no host'}, and nothing else")
    for field in fields:
        name, colon, value = field.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name):
            raise Refusal(400, "a broken header")
        if name.lower() == "host" and value.strip() not in (host, target):
            raise Refusal(400, "the Host header names another host")
        if name.lower() in ("content-length", "transfer-encoding"):
            raise Refusal(400, "CONNECT has no body")
    return host


def public(address: str) -> bool:
    """Reachable by anybody, and no way into this network: no mapped, tunnelled or translated address either."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        plain = ip in ipaddress.ip_network("2000::/3") and ip.sixtofour is None and ip.teredo is None
        return plain and ip.is_global
    return ip.is_global and not ip.is_multicast


async def resolved(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, PORT, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Proxy:
    """Serves `socket` from `with` to its end, in a thread of its own. `log`: JSON lines, appended."""

    def __init__(
        self,
        path: Path,
        hosts: Collection[str],
        log: Path,
        resolve: Resolve = resolved,
        dial: Dial = asyncio.open_connection,
    ) -> None:
        self.path, self.hosts, self.log, self.resolve, self.dial = path, checked_hosts(hosts), log, resolve, dial
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._open = 0

    def __enter__(self) -> Proxy:
        self._thread.start()
        self._file = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        start = asyncio.start_unix_server(self._serve, self.path, limit=HEAD)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        os.close(self._file)

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, what: str, **data: Any) -> None:
        line = json.dumps({"t": round(time.time(), 3), "what": what, **data}).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError("the log is full")
        os.fsync(self._file)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            await self._answer(reader, writer)
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # one side is gone, we are, or the log cannot be written: nothing passes
        finally:
            self._open -= 1
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = b""
        try:
            if self._open > MOST:
                raise Refusal(503, "too many connections")
            try:
                async with asyncio.timeout(HEAD_S):
                    head = await reader.readuntil(b"\r\n\r\n")
            except asyncio.LimitOverrunError:
                raise Refusal(431, "the request is too long") from None
            host = asked(head, self.hosts)
            address = await self._address(host)
            self._note("forwarded", host=host, address=address)
            try:
                async with asyncio.timeout(CONNECT_S):
                    out_reader, out_writer = await self.dial(address, PORT)
            except (OSError, TimeoutError) as error:
                raise Refusal(502, f"{host} does not answer: {error}") from error
        except Refusal as no:
            self._note("refused", why=str(no), request=head.split(b"\r\n")[0][:300].decode("ascii", "replace"))
            body = f"{no}\n".encode()
            writer.write(
                f"HTTP/1.1 {no.status} Refused\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
                + body
            )
            return await writer.drain()
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        passed = [0, 0]
        try:
            with contextlib.closing(out_writer):
                await asyncio.gather(_pump(reader, out_writer, passed, 0), _pump(out_reader, writer, passed, 1))
        finally:
            self._note("ended", host=host, sent=passed[0], received=passed[1])
        return None

    async def _address(self, host: str) -> str:
        """The first address of it; all must be public."""
        try:
            async with asyncio.timeout(CONNECT_S):
                found = await self.resolve(host)
        except (OSError, TimeoutError) as error:
            raise Refusal(502, f"{host} is not found: {error}") from error
        if not found or not all(map(public, found)):
            raise Refusal(403, f"{host} leads to {', '.join(found) or 'nowhere'}, which is not public")
        return found[0]


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passed: list[int], way: int) -> None:
    """Until the end, or long silence. Counts bytes in `passed[way]`."""
    with contextlib.suppress(OSError, TimeoutError):
        while block := await asyncio.wait_for(reader.read(1 << 16), IDLE_S):
            passed[way] += len(block)
            writer.write(block)
            await writer.drain()
        writer.write_eof()
