"""The code store: snapshots as commits in a bare git repository, through plumbing commands only.

There is no working tree, so no hook, filter or checkout ever runs, and no git configuration of the user or the
machine is read. A snapshot's id is its commit. Knows bytes and parents; not what a method is.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from aar.errors import InputError, LabError, NotFound, ProviderDown
from aar.lab import room
from aar.lab.archive import safe_path

MAX_BYTES = 20_000_000
AUTHOR = "lab <lab@localhost>"


@dataclass(frozen=True)
class Stored:
    """What `put` made: `id` is the commit, `tree` the same for the same files."""

    id: str
    tree: str


class CodeStore:
    """`CodeStore(lab.code_store).put({"method.py": b"..."})`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        if not (path / "HEAD").exists():
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._git("init", "--quiet", "--bare", "--template=", str(path))

    def put(self, files: dict[str, bytes], parents: list[str] | None = None, message: str = "") -> Stored:
        """Store these files as a new snapshot, under their names without a leading `./`. On disk before it returns;
        parents must exist."""
        plain = {safe_path(name): body for name, body in files.items()}
        if len(plain) < len(files):
            raise InputError("two files of a snapshot have one name", code="duplicate_name", hint="rename one of them")
        if not files or sum(map(len, files.values())) > MAX_BYTES:
            raise InputError(f"a snapshot holds 1 to {MAX_BYTES:,} bytes", code="too_large")
        parents = [self._known(p) for p in parents or []]
        ref = f"refs/snapshots/{secrets.token_hex(12)}"
        with self._lock:
            try:
                out = self._git("fast-import", "--quiet", "--done", stdin=_import_stream(ref, plain, parents, message))
            except ProviderDown:
                self._clear()
                raise
        commit = out.decode().strip()
        return Stored(commit, self._git("rev-parse", f"{commit}^{{tree}}").decode().strip())

    def get(self, snapshot: str) -> dict[str, bytes]:
        """Path -> contents. NotFound for an id that was never stored."""
        listing = self._git("ls-tree", "-r", "-z", "--full-tree", self._known(snapshot))
        entries = [line.split(b"\t", 1) for line in listing.split(b"\0") if line]
        blobs = [head.split()[2] for head, _ in entries]
        names = [safe_path(name.decode()) for _, name in entries]
        return dict(zip(names, self._read(blobs), strict=True))

    def parents(self, snapshot: str) -> list[str]:
        return self._git("rev-parse", f"{self._known(snapshot)}^@").decode().split()

    def write_out(self, snapshot: str, folder: Path) -> None:
        """Write a snapshot's files under a folder that exists and is empty."""
        if any(folder.iterdir()):
            raise LabError(f"{folder} is not empty", code="folder_in_use")
        for name, body in self.get(snapshot).items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "xb") as file:
                file.write(body)

    def _clear(self) -> None:
        """What a write that failed has left takes up the room that is missing."""
        for left in (*self.path.glob("objects/pack/tmp_*"), *self.path.glob("fast_import_crash_*")):
            left.unlink(missing_ok=True)

    def _known(self, snapshot: str) -> str:
        if len(snapshot) == 40 and not snapshot.strip("0123456789abcdef"):
            kind = self._git("cat-file", "--batch-check=%(objecttype)", stdin=snapshot.encode() + b"\n")
            if kind.strip() == b"commit":
                return snapshot
        raise NotFound(f"no snapshot {snapshot[:60]!r}", hint="list them with GET /api/v1/snapshots")

    def _read(self, blobs: list[bytes]) -> list[bytes]:
        out = self._git("cat-file", "--batch", stdin=b"".join(b + b"\n" for b in blobs))
        bodies, at = [], 0
        for _ in blobs:
            line_end = out.index(b"\n", at)
            size = int(out[at:line_end].split()[2])
            bodies.append(out[line_end + 1 : line_end + 1 + size])
            at = line_end + size + 2
        return bodies

    def _git(self, *args: str, stdin: bytes = b"") -> bytes:
        own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
        env = own | {"PATH": os.environ.get("PATH", os.defpath), "HOME": os.devnull, "GIT_DIR": str(self.path)}
        settings = ["-c", "core.fsync=all", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"]
        try:
            done = subprocess.run(
                ["git", *settings, *args], input=stdin, env=env, capture_output=True, timeout=60, check=False
            )
        except FileNotFoundError as e:
            raise ProviderDown("git is not installed", code="no_git", hint="install git >= 2.36") from e
        except subprocess.TimeoutExpired as e:
            raise ProviderDown("the code store does not answer", code="code_store_slow", hint="try again") from e
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-300:]
            if room.tells(said):
                raise room.full(self.path)
            raise LabError(f"git {args[0]} failed: {said}", code="code_store_fault", hint="run `aar doctor`")
        return done.stdout


def _import_stream(ref: str, files: dict[str, bytes], parents: list[str], message: str) -> bytes:
    """git-fast-import's input: one commit with exactly these files, whose id is printed."""
    stamp = f"{AUTHOR} {int(time.time())} +0000"
    text = message.encode(errors="replace")
    out = [f"commit {ref}\nmark :1\nauthor {stamp}\ncommitter {stamp}\ndata {len(text)}\n".encode(), text, b"\n"]
    out += [f"{'merge' if i else 'from'} {parent}\n".encode() for i, parent in enumerate(parents)]
    out.append(b"deleteall\n")
    for name in sorted(files):
        # Without quotes a path runs to the end of its line; safe_path lets no line break or quote in.
        out.append(f"M 100644 inline {name}\ndata {len(files[name])}\n".encode())
        out += [files[name], b"\n"]
    out.append(b"get-mark :1\ndone\n")
    return b"".join(out)
