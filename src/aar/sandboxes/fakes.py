"""A container engine on a unix socket, for hosts without one: the part of the Docker Engine API that `docker` uses.

It really runs the commands, through bubblewrap, and does what it is told and no more: a create request that forgets
`NetworkMode: none`, the seccomp profile or `ReadonlyRootfs` gets a container that lacks it, and the contract notices. What a
real engine adds (images, its own users, its default masks) is not here.

    with FakeEngine() as engine: os.environ["DOCKER_HOST"] = engine.address
"""

from __future__ import annotations

import json
import os
import signal
import socket
import socketserver
import struct
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aar.sandboxes import seccomp
from aar.sandboxes.base import Limits
from aar.sandboxes.bubblewrap import PATHS, data_file
from aar.sandboxes.limits import Group

NAMESPACES = ("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts", "--die-with-parent", "--clearenv")
ENTRY = ("/bin/sh", "-c", 'exec "$@"', "sh")  # as an engine's init: 127 where a program is not there


def rules(profile: str) -> Iterator[seccomp.Rule]:
    """An OCI profile that allows by default, as rules."""
    for entry in json.loads(profile)["syscalls"]:
        names, error, args = " ".join(entry["names"]), entry["errnoRet"], entry.get("args")
        if not args:
            yield seccomp.Rule(names, error)
        for arg in args or ():
            compare: Any = arg["op"].removeprefix("SCMP_CMP_")
            value, mask = (arg["valueTwo"], arg["value"]) if compare == "MASKED_EQ" else (arg["value"], 0)
            yield seccomp.Rule(names, error, arg["index"], compare, value, mask)


def command(config: dict[str, Any], files: list[int]) -> list[str]:
    """bubblewrap's options for a create request."""
    host, (uid, _, gid) = config["HostConfig"], config["User"].partition(":")
    line = [*NAMESPACES, "--uid", uid, "--gid", gid, "--hostname", config["Hostname"], "--chdir", config["WorkingDir"]]
    line += ["--unshare-net"] if host.get("NetworkMode") == "none" else []
    line += ["--cap-drop" if host.get("CapDrop") == ["ALL"] else "--cap-add", "ALL"]
    for option in host.get("SecurityOpt", ()):
        if option.startswith("seccomp="):
            line += ["--seccomp", data_file(seccomp.compiled(rules(option[8:])), files)]
    line += [
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--size",
        str(host["ShmSize"]),
        "--perms",
        "1777",
        "--tmpfs",
        "/dev/shm",
    ]
    for target, how in sorted([*_mounts(host)], key=lambda item: item[0].count("/")):
        line += [*how, target]
    for device in host.get("Devices", ()):
        line += ["--dev-bind", device["PathOnHost"], device["PathInContainer"]]
    for target, options in host.get("Tmpfs", {}).items():
        line += ["--remount-ro", target] if "ro" in options.split(",") else []
    for path in {"/proc", "/dev"} & set(host.get("ReadonlyPaths", ())):
        line += ["--remount-ro", path]
    line += ["--remount-ro", "/"] if host.get("ReadonlyRootfs") else []
    for pair in config["Env"]:
        line += ["--setenv", *pair.split("=", 1)]
    return line


def _mounts(host: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for mount in host.get("Mounts", ()):
        yield mount["Target"], ["--ro-bind" if mount["ReadOnly"] else "--bind", mount["Source"]]
    for target, text in host.get("Tmpfs", {}).items():
        options = dict(part.partition("=")[::2] for part in text.split(","))
        size = str(int(options["size"][:-1]) << {"k": 10, "m": 20}[options["size"][-1]])
        yield target, ["--perms", options.get("mode", "755"), "--size", size, "--tmpfs"]


class Container:
    """From create to remove."""

    def __init__(self, name: str, config: dict[str, Any]) -> None:
        self.name, self.config = name, config
        host = config["HostConfig"]
        ulimits = {u["Name"]: u["Soft"] for u in host.get("Ulimits", ())}
        cpus = host.get("NanoCpus", 0) / 1e9 or None
        self.group = Group(
            Limits(
                memory_mb=host.get("Memory", 1 << 34) >> 20, pids=host.get("PidsLimit", 4096) - 1,
                disk_mb=ulimits.get("fsize", 1 << 34) >> 20, cpus=cpus, cpu_s=ulimits.get("cpu"),
            )
        )  # fmt: skip
        self.child: subprocess.Popen[bytes] | None = None
        self.attached: tuple[Any, socket.socket] | None = None
        self.oom, self.ended, self._lock = False, threading.Event(), threading.Lock()

    def start(self, starter: ThreadPoolExecutor) -> None:
        """`starter`: one thread that lives as long as the engine, since programs die with the thread that started them."""
        files: list[int] = []
        program = next(path for path in PATHS if os.access(path, os.X_OK))
        locked = [program, *command(self.config, files), "--", *ENTRY, *self.config["Cmd"]]
        line = ["/bin/sh", "-c", f'{self.group.shell()} && exec "$@"', "sh", *locked]
        pipe = subprocess.PIPE
        run = lambda: subprocess.Popen(line, stdin=pipe, stdout=pipe, stderr=pipe, env={}, pass_fds=files)  # noqa: E731
        self.child = child = starter.submit(run).result()
        for fd in files:
            os.close(fd)
        self.group.watch(child.pid)
        pumps = [threading.Thread(target=self._frames, args=(n, p)) for n, p in ((1, child.stdout), (2, child.stderr))]
        for thread in [*pumps, threading.Thread(target=self._feed, daemon=True)]:
            thread.start()
        threading.Thread(target=self._watch, args=(child, pumps), daemon=True).start()

    def _watch(self, child: subprocess.Popen[bytes], pumps: list[threading.Thread]) -> None:
        while child.poll() is None:
            if self.group.broken() == "memory":
                self.oom = True
                if "memory" not in self.group.at:
                    child.kill()  # the kernel does, where there is a control group
            time.sleep(0.05)
        self.oom |= self.group.broken() == "memory"
        for pump in pumps:
            pump.join()
        self.ended.set()

    def _frames(self, number: int, pipe: Any) -> None:
        while block := os.read(pipe.fileno(), 1 << 16):
            try:
                with self._lock:
                    if self.attached:
                        self.attached[1].sendall(struct.pack(">BxxxL", number, len(block)) + block)
            except OSError:
                self.attached = None

    def _feed(self) -> None:
        assert self.child
        assert self.child.stdin
        try:
            with self.child.stdin as stdin:
                while self.attached and (block := self.attached[0].read1(1 << 16)):
                    stdin.write(block)
                    stdin.flush()
        except (OSError, ValueError):
            pass

    def kill(self) -> None:
        if self.child:
            self.child.send_signal(signal.SIGKILL)

    def remove(self) -> None:
        self.kill()
        if self.child:
            self.ended.wait(10)
        self.ended.set()
        self.group.remove()

    # -- what is told of it

    @property
    def code(self) -> int:
        code = (self.child.returncode if self.child else 0) or 0
        return 128 - code if code < 0 else code

    def state(self) -> dict[str, Any]:
        running = self.child is not None and not self.ended.is_set()
        return {"State": {"Running": running, "OOMKilled": self.oom, "ExitCode": self.code}}

    def stats(self) -> dict[str, Any]:
        """An engine counts one process of its own, bubblewrap has two."""
        peak, tasks = int(self.group.peak_mb() * 2**20), max(0, self.group.tasks() - 1)
        cpu = {"cpu_usage": {"total_usage": int(self.group.cpu_s() * 1e9)}}
        return {"memory_stats": {"max_usage": peak}, "pids_stats": {"current": tasks}, "cpu_stats": cpu}

    def top(self) -> dict[str, Any]:
        return {"Titles": ["UID", "PID"], "Processes": [["0", str(pid)] for pid in self.group.pids()]}


class FakeEngine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Serves from `with` to its end, then nothing that it started is left."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory(prefix="e-")
        self.images: set[str] = set()
        self.made: dict[str, Container] = {}
        self.starter = ThreadPoolExecutor(1)
        path = Path(self.folder.name, "engine.sock")
        self.address = f"unix://{path}"
        super().__init__(str(path), _Request)

    def __enter__(self) -> FakeEngine:
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def handle_error(self, *_: object) -> None:
        """A client that was killed while it waited for its answer."""

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        for container in self.made.values():
            container.remove()
        self.starter.shutdown()
        self.server_close()
        self.folder.cleanup()


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FakeEngine

    def log_message(self, *_: object) -> None: ...

    def address_string(self) -> str:
        return "unix"

    def do_GET(self) -> None:
        parts, query = self._asked()
        match parts:
            case ["version"]:
                self._tell({"ApiVersion": "1.41", "MinAPIVersion": "1.24", "Version": "fake"})
            case ["images", "json"]:
                wanted = query.get("reference") or json.loads(query.get("filters", "{}")).get("reference", [""])
                self._tell([{"Id": name} for name in self.server.images if name in wanted])
            case ["events"]:
                (name,) = json.loads(query["filters"])["container"]
                self._tell({"status": "oom"} if name in self.server.made and self.server.made[name].oom else None)
            case ["containers", "json"]:
                made = list(self.server.made.items())
                self._tell([{"Id": name, "Labels": c.config.get("Labels", {})} for name, c in made])
            case ["containers", name, "json" | "stats" | "top" as what] if name in self.server.made:
                container = self.server.made[name]
                self._tell({"json": container.state, "stats": container.stats, "top": container.top}[what]())
            case _:
                self._tell({"message": f"no such thing: {self.path}"}, 404)

    def do_POST(self) -> None:
        parts, query = self._asked()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match parts:
            case ["images", "create"]:
                self.server.images.add(query["repo"])
                self._tell({"status": "sha256:0"})
            case ["containers", "create"]:
                config = json.loads(body)
                if config["Image"] not in self.server.images:
                    return self._tell({"message": f"No such image: {config['Image']}"}, 404)
                self.server.made[query["name"]] = Container(query["name"], config)
                self._tell({"Id": query["name"], "Warnings": []}, 201)
            case ["containers", name, what] if name in self.server.made:
                self._act(self.server.made[name], what)
            case _:
                self._tell({"message": f"no such thing: {self.path}"}, 404)
        return None

    def _act(self, container: Container, what: str) -> None:
        if what == "attach":
            self.wfile.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
            container.attached = (self.rfile, self.connection)
            self.close_connection = True
            container.ended.wait()  # or it is removed before it was started
        elif what == "start":
            container.start(self.server.starter)
            self._tell(None, 204)
        elif what == "wait":
            container.ended.wait()
            self._tell({"StatusCode": container.code})
        elif what == "kill":
            container.kill()
            self._tell(None, 204)

    def do_DELETE(self) -> None:
        name = self._asked()[0][-1]
        if container := self.server.made.pop(name, None):
            container.remove()
        self._tell(None if container else {"message": f"No such container: {name}"}, 204 if container else 404)

    def _asked(self) -> tuple[list[str], dict[str, str]]:
        """Path without the version, and the query."""
        url = urlsplit(self.path)
        parts = url.path.strip("/").split("/")
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        return parts[1:] if parts[0].startswith("v1") else parts, query

    def _tell(self, answer: Any, status: int = 200) -> None:
        data = b"" if answer is None else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
