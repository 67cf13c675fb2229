"""The bubblewrap sandbox: own namespaces, an empty root, and only what is mounted.

Covered: no file of the host but system libraries and mounts; no process of the host; no network (not even its
loopback); no capability, no way to gain one, no new namespaces; system calls filtered; memory, tasks, processor,
disk, output and time bounded; everything it started dies with it, with the lab, and on any limit.
Not covered: a bug in the kernel (it is shared); side channels (time, cache, load); the quota on writable mounts is
watched, not enforced (see `quota`); /usr of the host is readable; what the program says is untrusted.

Works as root and as a user; the program inside is always uid 1000 of a user namespace. Needs bubblewrap 0.8.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from aar.sandboxes import seccomp, view
from aar.sandboxes.base import Limits, Mount, sandboxes
from aar.sandboxes.limits import bound_processes
from aar.sandboxes.process import Launch
from aar.sandboxes.provider import AbstractProvider, Job

# by its path: the PyPI package "bwrap" is another program
PATHS = ("/usr/bin/bwrap", "/usr/local/bin/bwrap")
NAMESPACES = (
    *("--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
    *("--disable-userns", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--cap-drop", "ALL"),
    *("--new-session", "--die-with-parent", "--clearenv"),
)
SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
ETC = ("ld.so.cache", "alternatives")


def data_file(content: bytes, files: list[int]) -> str:
    """A file descriptor to read this from; its number, for the command line."""
    fd = os.memfd_create("sandbox")
    os.write(fd, content)
    os.lseek(fd, 0, os.SEEK_SET)
    files.append(fd)
    return str(fd)


def _system() -> Iterator[str]:
    """/usr and the folders of the root that belong to it, links where the host has links."""
    yield from ("--ro-bind", "/usr", "/usr")
    for name in SYSTEM:
        path = Path("/", name)
        if path.is_symlink():
            yield from ("--symlink", os.readlink(path), str(path))
        elif path.is_dir():
            yield from ("--ro-bind", str(path), str(path))
    for name in ETC:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")


def _bind(mount: Mount) -> Iterator[str]:
    how = "--dev-bind" if mount.source.is_char_device() else "--bind" if mount.writable else "--ro-bind"
    yield from (how, str(mount.source.absolute()), mount.target)


def _filesystem(mounts: Sequence[Mount], limits: Limits, files: list[int]) -> Iterator[str]:
    yield from _system()
    yield from ("--proc", "/proc", "--dev", "/dev")
    for folder in ("/tmp", "/dev/shm"):
        yield from ("--perms", "1777", "--size", str(limits.disk_mb << 20), "--tmpfs", folder)
    shown = [*view.venv_mounts(), *mounts]
    for mount in shown:
        yield from _bind(mount)
    for target in view.hidden(shown):
        yield from ("--tmpfs", target, "--remount-ro", target)
    for path, text in view.venv_files().items():
        yield from ("--ro-bind-data", data_file(text.encode(), files), path)
    for path, points_to in view.venv_links().items():
        yield from ("--symlink", points_to, path)
    # / and /dev are memory that no limit counts. /proc: under a lab of root, uid 1000 inside is root to the files of
    # /proc/sys, which ask for the owner and not for a capability; writing core_pattern would run a program on the host
    for folder in ("/proc", "/dev", "/"):
        yield from ("--remount-ro", folder)


class Bubblewrap(AbstractProvider):
    """See the module. `Bubblewrap().run(["/bin/echo", "hello"])`."""

    name = "bubblewrap"
    rank = 30

    @functools.cached_property
    def program(self) -> str | None:
        return next((path for path in PATHS if os.access(path, os.X_OK)), None)

    def missing(self) -> str | None:
        return None if self.program else f"not installed (looked for {' and '.join(PATHS)})"

    def launch(self, job: Job) -> Launch:
        files: list[int] = []
        status, report = os.pipe()
        files.append(report)
        options = [*NAMESPACES, "--chdir", job.cwd, "--json-status-fd", str(report)]
        options += ["--seccomp", data_file(seccomp.program(loopback=job.limits.loopback), files)]
        for key, value in job.env.items():
            options += ["--setenv", key, value]
        options += _filesystem(job.mounts, job.limits, files)
        # by descriptor: a command line would show the host's paths in /proc/1/cmdline
        arguments = data_file("\0".join(options).encode() + b"\0", files)
        line = [self.program or "", "--args", arguments, "--", *bound_processes(job.argv, job.limits)]
        return Launch(line, files, status, ran=b'"exit-code"', not_found=b"bwrap: execvp")


sandboxes.register("bubblewrap")(Bubblewrap())
