"""What an operator grants a researcher's sandboxes beyond the defaults: hosts, GPUs, larger or smaller limits. Default: nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aar.errors import InputError
from aar.sandboxes import Limits
from aar.sandboxes.proxy import checked_hosts

USAGE = "usage.jsonl"  # in a researcher's folder: what its sandboxes used
NETWORK = "network.jsonl"  # and what they asked of the hosts that are open to them


@dataclass(frozen=True)
class Grants:
    """`hosts`: reached by https (see `sandboxes.proxy`). `gpus`: the host's, by index. `trial_s`: of one trial, all its
    seeds. None: the default stays."""

    hosts: Sequence[str] = ()
    gpus: Sequence[int] = ()
    memory_mb: int | None = None
    cpus: float | None = None
    pids: int | None = None
    disk_mb: int | None = None
    trial_s: float | None = None

    def __post_init__(self) -> None:
        checked_hosts(self.hosts)
        for name in ("memory_mb", "cpus", "pids", "disk_mb", "trial_s"):
            if (most := getattr(self, name)) is not None and most <= 0:
                raise InputError(f"{name} must be more than 0", code="bad_grant")

    def dealt(self, place: int) -> Grants:
        """Those of the researcher at this place: GPUs go round, one each; with fewer GPUs than researchers they share."""
        return replace(self, gpus=(self.gpus[place % len(self.gpus)],)) if self.gpus else self

    def over(self, base: Limits, home: Path) -> Limits:
        """`base` as granted to the researcher whose folder is `home`; what is used is kept there."""
        given = {name: getattr(self, name) for name in ("memory_mb", "cpus", "pids", "disk_mb")}
        larger = {name: most for name, most in given.items() if most is not None}
        return replace(base, **larger, gpus=tuple(self.gpus), usage=str(home / USAGE))
