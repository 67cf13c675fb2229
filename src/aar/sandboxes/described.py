"""A sandbox as JSON, for another process of the lab's that is to use the same: name, mounts, limits, and its way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aar.sandboxes.base import Limits, Mount, Sandbox, get
from aar.sandboxes.network import Opened, opened


def described(sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> dict[str, Any]:
    shown = [{"source": str(m.source), "target": m.target, "writable": m.writable} for m in mounts]
    network = str(sandbox.folder) if isinstance(sandbox, Opened) else None
    return {"sandbox": sandbox.name, "mounts": shown, "limits": asdict(limits), "network": network}


def reopened(raw: Mapping[str, Any]) -> tuple[Sandbox, list[Mount], Limits]:
    """ProviderDown where that sandbox does not work here."""
    mounts = [Mount(Path(m["source"]), m["target"], m["writable"]) for m in raw["mounts"]]
    network = raw.get("network")
    return opened(get(raw["sandbox"]), Path(network) if network else None), mounts, Limits(**raw["limits"])
