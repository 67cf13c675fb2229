"""The Docker sandbox: a container for each program, for hosts where an engine runs and bubblewrap does not.

The container is made from an empty image and shows what bubblewrap shows: the host's /usr, the lab's Python, the mounts. So
nothing is pulled, and the engine must be on this host. Covered: own namespaces, no network, a read-only root (/proc and
/dev too), no capability, no new privileges, our system call filter, the engine's limits on memory, tasks and processor,
the watched quota on writable mounts, output and time. A program ends with its launcher, which ends with the lab.

Not covered: what bubblewrap does not cover either; and where the lab is root, so is the program, without any
capability, unless the engine maps users (`userns-remap` in its daemon.json), which the writable mounts must then allow.
Whoever may speak to the engine owns the host: its socket is never mounted.
GPUs are given as devices, since the driver's libraries come with /usr: no container toolkit is needed.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import os
import shutil
import signal
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aar.errors import ProviderDown
from aar.sandboxes import seccomp, view
from aar.sandboxes.base import Limits, Mount, Stop, sandboxes
from aar.sandboxes.bubblewrap import ETC, SYSTEM
from aar.sandboxes.limits import started
from aar.sandboxes.process import Launch
from aar.sandboxes.provider import AbstractProvider, Job

IMAGE = "aar-empty"
LABEL = "org.aar-lab.maker"
SOCKET = "unix:///var/run/docker.sock"
EVERY_S = 0.2
READ_ONLY = ["/proc", "/dev"]
MASKED = ["/sys", "/proc/acpi", "/proc/scsi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/sched_debug"]
_serial = itertools.count()


def address() -> str:
    return os.environ.get("DOCKER_HOST") or SOCKET


def engine() -> Any:
    """A client of the engine. ProviderDown where it does not answer."""
    import docker

    if not address().startswith("unix://"):
        raise ProviderDown(
            f"the engine at {address()} is not on this host", code="sandbox_down", hint="unset DOCKER_HOST"
        )
    try:
        return docker.APIClient(address(), version="auto", timeout=60)
    except docker.errors.DockerException as error:
        raise ProviderDown(
            f"no container engine answers at {address()}: {error}", code="sandbox_down", hint="start Docker"
        ) from error


def gone() -> tuple[type[Exception], ...]:
    """What the SDK raises where a container, or the engine itself, is not there."""
    import docker
    import requests

    return docker.errors.DockerException, requests.RequestException


def maker() -> str:
    """This process, in a way that no later one shares."""
    return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()}/{os.getpid()}/{started(os.getpid())}"


@functools.cache
def prepare(pid: int, where: str) -> None:
    """Once a process and engine: the empty image is there, and containers of labs that were killed are gone."""
    api = engine()
    if not api.images(IMAGE):
        empty = io.BytesIO()
        tarfile.open(fileobj=empty, mode="w").close()
        api.import_image_from_data(empty.getvalue(), repository=IMAGE, tag="latest")
    for left in api.containers(all=True, filters={"label": LABEL}):
        boot, owner, began = left["Labels"][LABEL].split("/")
        if boot != maker().split("/")[0] or started(int(owner)) != began:
            with contextlib.suppress(*gone()):  # somebody else removes it too
                api.remove_container(left["Id"], force=True)


def _system() -> Iterator[Mount]:
    yield Mount(Path("/usr"), "/usr")
    folders = (Path("/", name) for name in SYSTEM if name != "sbin")  # the engine puts its init there
    for path in (*folders, *(Path("/etc", name) for name in ETC)):
        if path.exists():
            yield Mount(path.resolve(), str(path))


def _generated(scratch: Path) -> Iterator[Mount]:
    """The virtual environment and the files in /etc, written below `scratch`."""
    for path, text in view.venv_files().items():
        (scratch / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (scratch / path[1:]).write_text(text)
    for path, points_to in view.venv_links().items():
        if path.startswith(view.VENV):
            (scratch / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            (scratch / path[1:]).symlink_to(points_to)
        else:  # the interpreter's own path
            yield Mount(Path(path), path)
    yield Mount(scratch / view.VENV[1:], view.VENV)
    for file in (scratch / "etc").iterdir():
        if file.name != "hosts":  # the engine's own
            yield Mount(file, f"/etc/{file.name}")


def host_config(job: Job, scratch: Path) -> dict[str, Any]:
    """The engine's words for what a job may see and use."""
    limits, shown = job.limits, [*_system(), *view.venv_mounts(), *job.mounts]
    size = f"size={limits.disk_mb}m"
    temporary = {"/tmp": f"{size},mode=1777", **dict.fromkeys(view.hidden(shown), "ro,size=4k")}
    plain = [m for m in (*shown, *_generated(scratch)) if not m.source.is_char_device()]
    devices = [(str(m.source.resolve()), m.target) for m in job.mounts if m.source.is_char_device()]
    rlimits = {"core": 0, "nofile": 1024, "fsize": limits.disk_mb << 20}
    if limits.cpu_s is not None:
        rlimits["cpu"] = int(limits.cpu_s) + 2
    return {
        "NetworkMode": "none",
        "ReadonlyRootfs": True,
        "Init": True,  # reaps, and lets a program be killed by a signal of its own
        "CapDrop": ["ALL"],
        "SecurityOpt": ["no-new-privileges", f"seccomp={seccomp.profile(limits.loopback)}"],
        "ReadonlyPaths": READ_ONLY,
        "MaskedPaths": MASKED,
        "Memory": limits.memory_mb << 20,
        "MemorySwap": limits.memory_mb << 20,
        "PidsLimit": limits.pids + Container.OWN_PIDS + 1,
        "NanoCpus": round(limits.cpus * 1e9) if limits.cpus else 0,
        "ShmSize": limits.disk_mb << 20,
        "Tmpfs": temporary,
        "Ulimits": [{"Name": name, "Soft": n, "Hard": n} for name, n in rlimits.items()],
        "Devices": [{"PathOnHost": a, "PathInContainer": b, "CgroupPermissions": "rw"} for a, b in devices],
        "Mounts": [
            {"Type": "bind", "Source": str(m.source.resolve()), "Target": m.target, "ReadOnly": not m.writable}
            for m in plain
        ],
    }  # fmt: skip


class Container:
    """The limits of one container: the engine holds them, we ask it. The `Bounds` of a Docker process."""

    OWN_PIDS = 1  # the engine's init

    def __init__(self, api: Any, name: str, limits: Limits) -> None:
        self.api, self.name, self.limits = api, name, limits
        self._launcher = Path("/proc/self")
        self._filter = {"container": name, "event": "oom"}
        self._began, self._born = time.time(), time.monotonic()
        self._next, self._cpu_s, self._peak, self._tasks, self._oom = 0.0, 0.0, 0, 0, False

    def make(self, job: Job, scratch: Path) -> int:
        """Ready to start; a descriptor of its three pipes, as the engine multiplexes them."""
        config = {
            "Image": IMAGE, "Cmd": list(job.argv), "Env": [f"{k}={v}" for k, v in job.env.items()], "WorkingDir": job.cwd,
            "User": f"{os.getuid()}:{os.getgid()}", "Hostname": "sandbox", "Labels": {LABEL: maker()}, "OpenStdin": True,
            "StdinOnce": True, "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
            "HostConfig": host_config(job, scratch),
        }  # fmt: skip
        self.api.create_container_from_config(config, self.name)
        with self.api.attach_socket(self.name, {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}) as stream:
            return os.dup(stream.fileno())

    def shell(self) -> str:
        return ":"  # nothing is put on the launcher

    def watch(self, pid: int) -> None:
        self._launcher = Path("/proc", str(pid))

    def _look(self) -> None:
        """Five times a second at first, rarer for a program that lives long: each look is two requests. And at its end."""
        begin = time.monotonic()
        if begin < self._next and self._launcher.exists():
            return
        with contextlib.suppress(*gone()):  # what was seen last stands
            self._oom |= any(self.api.events(since=self._began, until=time.time(), filters=self._filter))
            told = self.api.stats(self.name, decode=None, stream=False, one_shot=True)
            memory = told.get("memory_stats", {})
            self._tasks = told.get("pids_stats", {}).get("current", 0)
            self._peak = max(self._peak, memory.get("max_usage", 0), memory.get("usage", 0))
            self._cpu_s = max(self._cpu_s, told["cpu_stats"]["cpu_usage"]["total_usage"] / 1e9)
        self._next = time.monotonic() + max(EVERY_S, min(2.0, 0.02 * (begin - self._born)))

    def broken(self) -> Stop | None:
        self._look()
        if self._tasks > self.limits.pids + self.OWN_PIDS:
            return "pids"
        if self._oom:
            return "memory"
        return "cpu" if self.limits.cpu_s is not None and self._cpu_s > self.limits.cpu_s else None

    def cpu_s(self) -> float:
        self._look()
        return self._cpu_s

    def peak_mb(self) -> float:
        return self._peak / 2**20

    def pids(self) -> set[int]:
        try:
            told = self.api.top(self.name)
        except gone():
            return set()
        return {int(row[told["Titles"].index("PID")]) for row in told["Processes"] or ()}

    def remove(self) -> None:
        with contextlib.suppress(*gone()):
            self.api.remove_container(self.name, force=True)


class Docker(AbstractProvider):
    """See the module."""

    name = "docker"
    rank = 20

    @property
    def known_failures(self) -> Mapping[str, str]:
        return {}

    def missing(self) -> str | None:
        try:
            engine()
        except ImportError:
            return 'the package docker is not installed (pip install "aar-lab[docker]")'
        except ProviderDown as down:
            return down.message
        return None

    def launch(self, job: Job) -> Launch:
        api = engine()
        prepare(os.getpid(), address())
        scratch = Path(tempfile.mkdtemp(prefix="aar-docker-")).resolve()
        scratch.chmod(0o755)
        container = Container(api, f"aar-{os.getpid()}-{time.time_ns()}-{next(_serial)}", job.limits)
        try:
            stream = container.make(job, scratch)
        except gone() as error:
            container.remove()
            shutil.rmtree(scratch, ignore_errors=True)
            raise ProviderDown(f"the container engine refuses: {error}", code="sandbox_down") from error
        status, report = os.pipe()
        launcher, socket = Path(__file__).with_name("attach.py"), address().removeprefix("unix://")
        line = [sys.executable, "-I", launcher, socket, container.name, scratch, stream, report, os.getpid()]
        remove = functools.partial(shutil.rmtree, scratch, ignore_errors=True)
        return Launch(
            list(map(str, line)), [stream, report], status, ran=b"ended", not_found=b"", end=signal.SIGTERM, cleanup=remove,
            bounds=container,
        )  # fmt: skip


sandboxes.register("docker")(Docker())
