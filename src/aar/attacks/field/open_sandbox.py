"""A sandbox without walls, for control runs: the mounts of a rerun, and the host's disk, processes and network besides.

Not registered: no lab can choose it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from aar.sandboxes import view
from aar.sandboxes.bubblewrap import Bubblewrap, _bind, _system, data_file
from aar.sandboxes.process import Launch
from aar.sandboxes.provider import Job

OWN = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "dev", "lost+found"}


class OpenSandbox(Bubblewrap):
    """Needs bubblewrap, which here only puts the folders of a run where it expects them."""

    name = "none"
    rank = -1

    def launch(self, job: Job) -> Launch:
        files: list[int] = []
        status, report = os.pipe()
        files.append(report)
        options = ["--die-with-parent", "--new-session", "--clearenv", "--chdir", job.cwd]
        options += ["--json-status-fd", str(report)]
        for key, value in job.env.items():
            options += ["--setenv", key, value]
        options += _everything(job, files)
        arguments = data_file("\0".join(options).encode() + b"\0", files)
        line = [self.program or "", "--args", arguments, "--", *job.argv]
        return Launch(line, files, status, ran=b'"exit-code"', not_found=b"bwrap: execvp")


def _everything(job: Job, files: list[int]) -> Iterator[str]:
    yield from _system()
    yield from ("--dev-bind", "/dev", "/dev")
    for path in sorted(Path("/").iterdir()):
        if path.name not in OWN and path.is_dir() and not path.is_symlink():
            yield from ("--bind", str(path), str(path))
    for mount in (*view.venv_mounts(), *job.mounts):
        yield from _bind(mount)
    for inside, text in view.venv_files().items():
        if not inside.startswith("/etc/"):
            yield from ("--ro-bind-data", data_file(text.encode(), files), inside)
    for inside, points_to in view.venv_links().items():
        if not Path(inside).exists():
            yield from ("--symlink", points_to, inside)
