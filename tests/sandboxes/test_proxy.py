"""The proxy of opened hosts: what passes, what attacks get, and what the log says; then the whole way out of a sandbox."""

import asyncio
import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from aar.errors import InputError, ProviderDown
from aar.sandboxes import Limits, get, proxy, sandboxes
from aar.sandboxes.contract import python
from aar.sandboxes.network import SOCKET, Opened
from aar.sandboxes.proxy import Proxy, checked_hosts, public

HOST = "pypi.org"
PUBLIC = "151.101.0.223"
OK = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n"


class Upstream(socketserver.BaseRequestHandler):
    """Stands for the host: says what it hears, in capitals."""

    def handle(self) -> None:
        while data := self.request.recv(1000):
            self.request.sendall(data.upper())


@pytest.fixture
def upstream() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upstream) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


class Net:
    """The world outside, as the proxy sees it: `names` is what lookups give, one after the other; `dialled` what was asked."""

    def __init__(self, port: int, *names: list[str]) -> None:
        self.port, self.names, self.dialled = port, list(names), list[str]()

    async def resolve(self, host: str) -> list[str]:
        return self.names.pop(0) if len(self.names) > 1 else self.names[0]

    async def dial(self, address: str, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self.dialled.append(f"{address}:{port}")
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextmanager
def serving(folder: Path, net: Net, hosts: tuple[str, ...] = (HOST,)) -> Iterator[Callable[[str], str]]:
    with Proxy(folder / SOCKET, hosts, folder / "log", net.resolve, net.dial):

        def ask(request: str, then: str = "") -> str:
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(20)
                client.connect(str(folder / SOCKET))
                client.sendall(request.encode("latin-1"))
                answer = client.recv(4000).decode()
                if then and " 200 " in answer:
                    client.sendall(then.encode())
                    answer = client.recv(4000).decode()
                return answer

        yield ask


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log").read_text().splitlines()]


def test_a_listed_host_is_reached(short: Path, upstream: int) -> None:
    """Bytes pass both ways, to the address that was looked up, and the log has the request and its end."""
    net = Net(upstream, [PUBLIC])
    with serving(short, net) as ask:
        assert ask(OK, "hello") == "HELLO"
    assert net.dialled == [f"{PUBLIC}:443"]
    first, last = log(short)
    assert (first["what"], first["host"], first["address"]) == ("forwarded", HOST, PUBLIC)
    assert (last["what"], last["sent"], last["received"]) == ("ended", 5, 5)


ATTACKS = {
    "another host": ("CONNECT evil.example:443 HTTP/1.1\r\n\r\n", 403),
    "a subdomain": (f"CONNECT x.{HOST}:443 HTTP/1.1\r\n\r\n", 403),
    "a suffix": (f"CONNECT {HOST}.evil.example:443 HTTP/1.1\r\n\r\n", 403),
    "a final dot": (f"CONNECT {HOST}.:443 HTTP/1.1\r\n\r\n", 403),
    "an IPv4 literal": ("CONNECT 151.101.0.223:443 HTTP/1.1\r\n\r\n", 403),
    "an IPv6 literal": ("CONNECT [2a04:4e42::223]:443 HTTP/1.1\r\n\r\n", 403),
    "an address as a number": ("CONNECT 2130706433:443 HTTP/1.1\r\n\r\n", 403),
    "another port": (f"CONNECT {HOST}:22 HTTP/1.1\r\n\r\n", 403),
    "a port in other digits": (f"CONNECT {HOST}:0443 HTTP/1.1\r\n\r\n", 403),
    "no port": (f"CONNECT {HOST} HTTP/1.1\r\n\r\n", 403),
    "a user in front": (f"CONNECT {HOST}@evil.example:443 HTTP/1.1\r\n\r\n", 403),
    "another Host header": (f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n", 400),
    "two Host headers": (f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}\r\nhost: evil.example\r\n\r\n", 400),
    "a folded header": (f"CONNECT {HOST}:443 HTTP/1.1\r\nX: y\r\n Host: evil.example\r\n\r\n", 400),
    "a request in the request": (f"CONNECT {HOST}:443 HTTP/1.1\nHost: evil.example\r\n\r\n", 400),
    "a body": (f"CONNECT {HOST}:443 HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 400),
    "plain http": (f"GET http://{HOST}/ HTTP/1.1\r\nHost: {HOST}\r\n\r\n", 405),
    "not ASCII": (f"CONNECT {HOST}\xe9:443 HTTP/1.1\r\n\r\n", 400),
    "oversized headers": (f"CONNECT {HOST}:443 HTTP/1.1\r\nX: {'y' * 20_000}\r\n\r\n", 431),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attacks_are_refused(name: str, short: Path, upstream: int) -> None:
    """Nothing is looked up or dialled, and the log has the attempt."""
    request, status = ATTACKS[name]
    net = Net(upstream, [PUBLIC])
    with serving(short, net) as ask:
        assert ask(request).split()[1] == str(status)
    assert net.dialled == []
    assert [line["what"] for line in log(short)] == ["refused"]


@pytest.mark.parametrize("name", ["another host", "another port", "another Host header"])
def test_attacks_win_with_the_check_off(name: str, short: Path, upstream: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the check of the request the same attacks are connected: the tests above are able to fail."""
    monkeypatch.setattr(proxy, "asked", lambda head, hosts: "anything")
    net = Net(upstream, [PUBLIC])
    with serving(short, net) as ask:
        assert ask(ATTACKS[name][0], "out") == "OUT"


PRIVATE = (
    "127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
    "::1", "fe80::1", "fd00::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::", "ff02::1",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(
    address: str, short: Path, upstream: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listed name that leads into this network goes nowhere, also beside a public address; with the check off it would."""
    for found in ([address], [PUBLIC, address]):
        net = Net(upstream, found)
        with serving(short, net) as ask:
            assert ask(OK).split()[1] == "403"
        assert net.dialled == []
    monkeypatch.setattr(proxy, "public", lambda address: True)
    with serving(short, Net(upstream, [address])) as ask:
        assert ask(OK, "out") == "OUT"


def test_public_addresses_are_public() -> None:
    """The rule is not simply no."""
    assert public(PUBLIC)
    assert public("2a04:4e42::223")


def test_a_name_that_changes_its_mind_gains_nothing(short: Path, upstream: int) -> None:
    """There is one lookup a request, and what it gave is dialled: a second answer is never asked for."""
    net = Net(upstream, [PUBLIC], ["127.0.0.1"])
    with serving(short, net) as ask:
        assert ask(OK, "hello") == "HELLO"
        assert ask(OK).split()[1] == "403"
    assert net.dialled == [f"{PUBLIC}:443"]


def test_nothing_passes_without_a_log(short: Path, upstream: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the request cannot be written down it is not forwarded."""
    net = Net(upstream, [PUBLIC])
    with serving(short, net) as ask, monkeypatch.context() as patch:
        patch.setattr(Proxy, "_note", lambda *args, **data: (_ for _ in ()).throw(OSError("full")))
        assert ask(OK) == ""
    assert net.dialled == []


@pytest.mark.parametrize(
    "host", ["*.pypi.org", "10.0.0.1", "localhost", "pypi.org:443", "https://pypi.org", "PyPI.org", "a..b", ""]
)
def test_only_host_names_can_be_listed(host: str) -> None:
    """What would be compared loosely, or is no public name, is refused when the study is written down."""
    with pytest.raises(InputError, match="host name"):
        checked_hosts([host])


INSIDE = """
def ask(target):
    with socket.create_connection(("127.0.0.1", 3128), timeout=10) as s:
        s.sendall(f"CONNECT {target} HTTP/1.1\\r\\n\\r\\n".encode()); answer = s.recv(1000).split()[1].decode()
        if answer == "200": s.sendall(b"hello"); answer = s.recv(1000).decode()
        return answer
print(os.environ["https_proxy"], ask("pypi.org:443"), ask("evil.example:443"))
attempt("direct", socket.create_connection, ("151.101.0.223", 443), 2)
attempt("dns", socket.getaddrinfo, "pypi.org", 443)
done()"""


@pytest.mark.parametrize("provider", ["bubblewrap", "docker"])
def test_the_whole_way_out(
    provider: str, short: Path, tmp_path: Path, upstream: int, request: pytest.FixtureRequest
) -> None:
    """From inside, the listed host answers through relay and proxy, and nothing else does; the program's exit is its own."""
    if provider == "docker":
        request.getfixturevalue("engine")
    if reason := sandboxes.get(provider).why_not():
        pytest.skip(reason)
    (short / "net").mkdir()
    with serving(short / "net", Net(upstream, [PUBLIC])):
        box = Opened(get(provider), short / "net")
        outcome = python(box, tmp_path, INSIDE, wall_s=60)
        assert outcome.stdout.decode().splitlines() == ["http://127.0.0.1:3128 HELLO 403", "[]"], outcome
        assert box.run(["/bin/sh", "-c", "exit 3"], limits=Limits(wall_s=60)).code == 3
    assert [line["what"] for line in log(short / "net")].count("refused") == 1


def test_landlock_cannot_open_hosts() -> None:
    """It has no network of its own: it refuses rather than open the host's."""
    landlock = sandboxes.get("landlock")
    if reason := landlock.why_not():
        pytest.skip(reason)
    with pytest.raises(ProviderDown, match="no network of its own"):
        landlock.run(["/bin/true"], limits=Limits(loopback=True))
