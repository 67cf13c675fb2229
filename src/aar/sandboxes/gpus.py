"""GPUs in a sandbox: the device files of those that were granted, and no others. Driver libraries are in the host's /usr.

Inside, they are numbered from 0, as CUDA numbers what it can open. NVIDIA's alone; one GPU may be granted to several.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aar.errors import InputError
from aar.sandboxes.base import Mount

DEV = Path("/dev")
SHARED = ("nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset")  # whoever has one needs these


def installed() -> list[int]:
    """The host's GPUs."""
    return sorted(int(p.name[6:]) for p in DEV.glob("nvidia[0-9]*") if p.name[6:].isdigit())


def devices(granted: Sequence[int]) -> list[Mount]:
    """Mounts for `Limits.gpus`. InputError for one that the host does not have."""
    if missing := sorted(set(granted) - set(installed())):
        has = ", ".join(map(str, installed())) or "none"
        raise InputError(f"no GPU {missing[0]} on this host", code="no_gpu", hint=f"it has: {has}")
    names = [*(f"nvidia{i}" for i in sorted(set(granted))), *(SHARED if granted else ())]
    return [Mount(DEV / name, f"/dev/{name}") for name in names if (DEV / name).exists()]


def environment(granted: Sequence[int]) -> dict[str, str]:
    count = len(set(granted))
    return {"CUDA_VISIBLE_DEVICES": ",".join(map(str, range(count)))} if count else {}
