"""A private PostgreSQL from the system's packages: one cluster a test session, on a unix socket, gone afterwards."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NEEDED = ("initdb", "postgres", "psql")
PLACES = [*map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), os.environ.get("PATH", "")]


def missing() -> str:
    """Why no cluster can be started here, or nothing."""
    if absent := [name for name in NEEDED if not _find(name)]:
        return f"PostgreSQL is not installed ({', '.join(absent)}): apt-get install postgresql"
    if os.getuid() == 0 and not _user():
        return "PostgreSQL does not run as root, and there is no user postgres"
    return ""


@contextlib.contextmanager
def cluster() -> Iterator[Path]:
    """Gives the folder of its socket."""
    with tempfile.TemporaryDirectory(prefix="aar-pg-") as name:
        folder = Path(name)
        if user := _user():
            shutil.chown(folder, user)
        subprocess.run(_as_postgres("initdb", "-D", folder / "data", "-A", "trust", "-U", "aar", "--locale=C",
                                    "-E", "UTF8", "--no-sync"), check=True, stdout=subprocess.DEVNULL)  # fmt: skip
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                _as_postgres("postgres", "-D", folder / "data", "-k", folder, "-c", "listen_addresses=", "-c", "fsync=off"),
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            end = time.monotonic() + 30
            while not _psql(folder, "SELECT 1", quiet=True):
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < end
                time.sleep(0.1)
            yield folder
        finally:
            server.terminate()
            server.wait(20)


@contextlib.contextmanager
def database(folder: Path, name: str) -> Iterator[str]:
    """The URL of a blank database."""
    assert _psql(folder, f"CREATE DATABASE {name}")
    yield f"postgresql+psycopg://aar@/{name}?host={folder}"
    _psql(folder, f"DROP DATABASE {name} WITH (FORCE)")


def _psql(folder: Path, statement: str, quiet: bool = False) -> bool:
    command = [_find("psql"), "-q", "-h", str(folder), "-U", "aar", "-d", "postgres", "-c", statement]
    sink = subprocess.DEVNULL if quiet else None
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=sink, check=False).returncode == 0


def _find(name: str) -> str:
    return shutil.which(name, path=os.pathsep.join(PLACES)) or ""


def _user() -> str | None:
    if os.getuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres").pw_name
    return None


def _as_postgres(name: str, *arguments: object) -> list[str]:
    command = [_find(name), *map(str, arguments)]
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", *command] if _user() else command
