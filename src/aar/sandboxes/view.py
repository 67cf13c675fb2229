"""What every sandbox shows besides the caller's mounts: a Python that can import numpy, torch and the allowed aar.

Inside, `python -I` finds this layout, whatever the host's own is:

    /opt/python    the interpreter and its standard library     /opt/packages*  the lab's site-packages
    /opt/venv      pyvenv.cfg and a .pth joining the others     /opt/aar/aar    the modules in ALLOWED, no more

An aar that lies in one of these trees (installed as a wheel) or in a caller's mount is hidden under an empty folder, so
that generators, checkers and scoring code are not readable inside. .pth files of the host are not followed.
"""

from __future__ import annotations

import itertools
import os
import sys
import sysconfig
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import aar
from aar.errors import InputError
from aar.sandboxes.base import PYTHON, WORKSPACE, Limits, Mount

# what stands up to methods/ in the layout: nothing here may know a label, a bank or a check
MODULES = ("__init__.py", "types.py", "errors.py", "settings.py", "registry.py", "py.typed")
ALLOWED = (*MODULES, "task", "models", "methods")
SYSTEM = frozenset({"usr", "bin", "sbin", "lib", "lib64", "etc", "proc", "dev"})
BASE = "/opt/python"
VENV = "/opt/venv"
AAR = "/opt/aar"
_MINOR = f"python{sys.version_info.major}.{sys.version_info.minor}"


def package() -> Path:
    """The folder of the aar that is running."""
    return Path(aar.__file__).resolve().parent


def site_packages() -> list[Path]:
    paths = sysconfig.get_paths()
    return list(dict.fromkeys(Path(paths[key]).resolve() for key in ("purelib", "platlib")))


def venv_mounts() -> list[Mount]:
    """Read-only mounts of the interpreter, its libraries and the allowed part of aar."""
    mounts = [Mount(Path(sys.base_prefix).resolve(), BASE)]
    mounts += [Mount(path, f"/opt/packages{i or ''}") for i, path in enumerate(site_packages())]
    return mounts + [Mount(package() / name, f"{AAR}/aar/{name}") for name in ALLOWED if (package() / name).exists()]


def venv_files(at: Callable[[str], str] = str) -> dict[str, str]:
    """Small generated files: path inside -> content. They turn the mounts into one virtual environment. `at` maps a
    path inside to the one to write down, for a sandbox that mounts nothing."""
    paths = [AAR, *(f"/opt/packages{i or ''}" for i in range(len(site_packages())))]
    return {
        f"{VENV}/pyvenv.cfg": f"home = {at(BASE)}/bin\ninclude-system-site-packages = false\n",
        f"{VENV}/lib/{_MINOR}/site-packages/aar.pth": "".join(f"{at(path)}\n" for path in paths),
        "/etc/passwd": f"sandbox:x:1000:1000::{WORKSPACE}:/bin/sh\n",
        "/etc/group": "sandbox:x:1000:\n",
        "/etc/hosts": "127.0.0.1 localhost sandbox\n",
    }


def venv_links(at: Callable[[str], str] = str) -> dict[str, str]:
    """Symbolic links: path inside -> what it points to. The interpreter's own path must lead to it as well: its
    library may be searched there (RPATH), and another of that name would be found elsewhere."""
    links = {PYTHON: at(f"{BASE}/bin/{_MINOR}"), f"{PYTHON}3": "python"}
    home = Path(sys.base_prefix).resolve()
    return links if home.is_relative_to("/usr") else {**links, str(home): BASE}


def secret_stems() -> set[Path]:
    """Folders of the host that hold a whole aar: the running one, and one installed beside the interpreter."""
    installed = (Path(p, "lib", _MINOR, "site-packages", "aar") for p in (sys.prefix, sys.base_prefix))
    return {package(), *(path.resolve() for path in installed if path.is_dir())}


def hidden(mounts: Sequence[Mount]) -> list[str]:
    """Paths inside under which a whole aar would show through one of these mounts."""
    found = set()
    for mount, stem in itertools.product(mounts, secret_stems()):
        source = mount.source.resolve()
        if stem.is_relative_to(source):
            found.add(f"{mount.target.rstrip('/')}/{stem.relative_to(source)}")
    return sorted(found)


def check_mounts(mounts: Sequence[Mount]) -> None:
    """InputError for a mount that names nothing, or a target that could cover the sandbox's own paths."""
    for mount in mounts:
        parts = Path(mount.target).parts
        if parts[:1] != ("/",) or len(parts) < 2 or ".." in parts:
            raise InputError(f"mount target {mount.target!r} is not an absolute path", code="bad_mount")
        if parts[1] in SYSTEM and not mount.source.is_char_device():
            raise InputError(f"mount target {mount.target!r} covers the system", code="bad_mount")
        if mount.source.resolve() in secret_stems():
            raise InputError(f"{mount.source} holds the checkers and cannot be mounted", code="bad_mount")
        if not mount.source.exists():
            raise InputError(f"nothing to mount at {mount.source}", code="bad_mount", hint="create it first")


def environment(env: Mapping[str, str] | None, limits: Limits, home: str) -> dict[str, str]:
    """The whole environment inside: a few fixed variables, and the caller's. Nothing of the host's."""
    # libraries start a thread per core of the host unless told: they count as pids, and sandboxes side by side wait for one another
    threads = max(1, min(os.cpu_count() or 1, int(limits.cpus or 1), limits.pids // 8))
    pools = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(threads))
    fixed = {"PATH": f"{VENV}/bin:/usr/bin:/bin", "HOME": home, "USER": "sandbox", "LANG": "C.UTF-8", "TMPDIR": "/tmp"}
    return {**fixed, "PYTHONDONTWRITEBYTECODE": "1", **pools, **(env or {})}
