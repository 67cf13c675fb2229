"""The fallback where bubblewrap is missing: Landlock rules, a system call filter, rlimits, and a launcher that reaps.

Covered: reading and writing of files outside the mounts; network (no sockets but unix ones); capabilities; modes and
owners of files; tracing, limits and priorities of other processes; memory, tasks, processor, disk, output and time;
double-forked children; the lab's death.

NOT covered, as there are no namespaces:
- names: the sizes, times and existence of the host's files can be asked for (stat), though not listed or read;
- unix sockets elsewhere in the file system: a program that knows the path and has the mode can connect;
- paths: nothing is mounted, so programs see the host's paths. Mount targets in arguments, environment and working folder
  are translated, those inside files and code are not: pass them as arguments;
- /proc (but for two files), /sys and /dev/shm are unreadable, so multiprocessing with shared memory does not work;
- /tmp is a fresh folder on the host's disk under $TMPDIR, and counts with the workspace against the disk limit;
- before kernel 6.12, signals to other processes of the same user and abstract unix sockets.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from aar.errors import ProviderDown
from aar.sandboxes import jail, seccomp, view
from aar.sandboxes.base import PYTHON, Mount, sandboxes
from aar.sandboxes.process import Launch
from aar.sandboxes.provider import AbstractProvider, Job

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/etc/ld.so.cache", "/etc/alternatives")
PROC = ("/proc/cpuinfo", "/proc/meminfo")
DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")
FRESH = ("/tmp", view.VENV, view.AAR)  # made fresh for each run, below its scratch folder


def translate(text: str, table: Mapping[str, str]) -> str:
    """Replace paths as seen inside by the host's: in a path, in a list with colons, in `--option=path`."""
    head, is_option, tail = text.partition("=")
    if is_option and head.startswith("-"):
        return f"{head}={translate(tail, table)}"
    return ":".join(_host_path(piece, table) for piece in text.split(":"))


def _host_path(path: str, table: Mapping[str, str]) -> str:
    for target in sorted(table, key=len, reverse=True):
        if path == target or path.startswith(target + "/"):
            return table[target] + path[len(target) :]
    return path


def _table(mounts: Sequence[Mount], scratch: Path) -> dict[str, str]:
    """Path inside -> path on the host."""
    whole = [m for m in view.venv_mounts() if not m.target.startswith(view.AAR)]
    fresh = {inside: str(scratch / inside[1:]) for inside in FRESH}
    return fresh | {m.target: str(m.source.resolve()) for m in (*whole, *mounts)}


def _build(scratch: Path, table: Mapping[str, str]) -> None:
    """The generated part of the view: a /tmp, the virtual environment, and links to the allowed part of aar."""
    at = partial(translate, table=table)
    modules = {m.target: str(m.source) for m in view.venv_mounts() if m.target.startswith(view.AAR)}
    for path in (*FRESH, str(Path(PYTHON).parent), f"{view.AAR}/aar"):
        Path(at(path)).mkdir(parents=True, exist_ok=True)
    for path, text in view.venv_files(at).items():
        if path.startswith(FRESH):
            Path(at(path)).parent.mkdir(parents=True, exist_ok=True)
            Path(at(path)).write_text(text)
    for path, points_to in (view.venv_links(at) | modules).items():
        if path.startswith(FRESH):
            Path(at(path)).symlink_to(points_to)


def _readable(roots: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    """Rules that show these paths without an aar that lies in one of them: where one does, names can be listed
    (imports need that) but only the other children read."""
    stems = view.secret_stems()
    stack = list(roots)
    while stack:
        root = stack.pop()
        if root in stems:
            continue
        if any(stem.is_relative_to(root) for stem in stems):
            yield "list", root
            stack += [child.resolve() for child in root.iterdir()]
        elif root.exists():
            yield "read", root


def _rules(mounts: Sequence[Mount], scratch: Path) -> dict[str, list[str]]:
    rules: dict[str, list[str]] = {"read": [], "list": [], "device": [], "write": [str(scratch / "tmp")]}
    shown = [*view.venv_mounts(), *mounts]
    plain = [m.source.resolve() for m in shown if not m.writable and not m.source.is_char_device()]
    # the aar modules are allowed one by one although they lie in the folder that is not
    allowed = [path for path in plain if view.package() in path.parents]
    rules["read"] += [*map(str, allowed), str(scratch / "opt")]
    for kind, path in _readable({Path(p).resolve() for p in (*SYSTEM, *PROC)} | set(plain) - set(allowed)):
        rules[kind].append(str(path))
    rules["write"] += [str(m.source) for m in mounts if m.writable]
    rules["device"] += [*DEVICES, *(str(m.source) for m in mounts if m.source.is_char_device())]
    return rules


class Landlock(AbstractProvider):
    """See the module."""

    name = "landlock"
    rank = 10

    @property
    def known_failures(self) -> Mapping[str, str]:
        lacks = {
            **super().known_failures,
            "names_invisible": "Landlock does not restrict stat",
            "foreign_sockets": "Landlock does not restrict connecting to unix sockets by path",
            "own_paths": "nothing is mounted: programs see the host's paths",
            "shared_memory": "/dev/shm belongs to the host and is closed",
            "loopback": "there is no network namespace",
            "granted_gpus": "nothing is mounted: devices lie where the host has them",
        }
        if jail.landlock_abi_version() < jail.SCOPE_ABI:
            lacks["signals"] = "this kernel's Landlock does not restrict signals"
        return lacks

    def missing(self) -> str | None:
        try:
            jail.landlock_abi_version()
        except Exception as error:  # the package's own errors share no base with OSError
            return f"no Landlock on this kernel ({error})"
        return None

    def launch(self, job: Job) -> Launch:
        if job.limits.loopback:
            raise ProviderDown(
                "Landlock has no network of its own to open hosts in",
                code="sandbox_down",
                hint="install bubblewrap (0.8 or later), or close the study's hosts",
            )
        scratch = Path(tempfile.mkdtemp(prefix="aar-landlock-")).resolve()
        table = _table(job.mounts, scratch)
        _build(scratch, table)
        config = {
            "argv": [translate(word, table) for word in job.argv],
            "env": {key: translate(value, table) for key, value in job.env.items()},
            "cwd": translate(job.cwd, table),
            "rules": _rules(job.mounts, scratch),
            "filter": seccomp.program(shares_host=True).hex(),
            "parent": os.getpid(),
            "scratch": str(scratch),
        }
        fd = os.memfd_create("jail")
        os.write(fd, json.dumps(config).encode())
        os.lseek(fd, 0, os.SEEK_SET)
        status, report = os.pipe()
        line = [sys.executable, "-I", jail.__file__, str(fd), str(report)]
        remove = partial(shutil.rmtree, scratch, ignore_errors=True)
        not_found = b"jail: cannot execute"
        return Launch(line, [fd, report], status, b"ended", not_found, signal.SIGTERM, remove, [scratch / "tmp"])


sandboxes.register("landlock")(Landlock())
