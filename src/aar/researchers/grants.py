"""What an operator grants a researcher's sandboxes beyond the defaults: hosts, GPUs, larger or smaller limits. Default: nothing."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aar.errors import InputError
from aar.sandboxes import Limits, Sandbox, available, get
from aar.sandboxes.proxy import checked_hosts

USAGE = "usage.jsonl"  # in a researcher's folder: what its sandboxes used
K8S = "k8s"
NETWORK = "network.jsonl"  # and what they asked of the hosts that are open to them


@dataclass(frozen=True)
class Grants:
    """`hosts`: reached by https (see `sandboxes.proxy`). `gpus`: the host's, by index. `trial_s`: of one trial, all its
    seeds. None: the default stays. `sandbox`: a provider of ours by name, "" the best one here; "k8s" or "k8s:<values.yaml>"
    runs the commands of arm inspect in Inspect's own Kubernetes sandbox, whose chart must show the task and keep /workspace."""

    hosts: Sequence[str] = ()
    gpus: Sequence[int] = ()
    memory_mb: int | None = None
    cpus: float | None = None
    pids: int | None = None
    disk_mb: int | None = None
    trial_s: float | None = None
    sandbox: str = ""

    def __post_init__(self) -> None:
        checked_hosts(self.hosts)
        for name in ("memory_mb", "cpus", "pids", "disk_mb", "trial_s"):
            if (most := getattr(self, name)) is not None and most <= 0:
                raise InputError(f"{name} must be more than 0", code="bad_grant")

    def provider(self) -> Sandbox:
        """Where methods are tried, and commands run unless `inspects` says otherwise. ProviderDown where it does not work."""
        return get(self.sandbox) if self.sandbox and not self.inspects() else available()

    def inspects(self) -> tuple[str, ...]:
        """Inspect's own sandbox and its configuration; () where ours is used. InputError where its package is missing."""
        name, _, values = self.sandbox.partition(":")
        if name != K8S:
            return ()
        if importlib.util.find_spec("k8s_sandbox") is None:
            raise InputError(
                "a Kubernetes sandbox needs Inspect's provider for it",
                code="no_k8s",
                hint="pip install inspect-k8s-sandbox",
            )
        return (K8S, values) if values else (K8S,)

    def check(self, arms: Collection[str]) -> None:
        """Before anything is spent: that the sandbox is there, and for these arms."""
        if self.inspects() and (other := set(arms) - {"inspect"}):
            raise InputError(
                f"arm {min(other)} does not run in Kubernetes",
                code="no_k8s",
                hint="give it a study of its own, or arm inspect",
            )
        self.provider()

    def dealt(self, place: int) -> Grants:
        """Those of the researcher at this place: GPUs go round, one each; with fewer GPUs than researchers they share."""
        return replace(self, gpus=(self.gpus[place % len(self.gpus)],)) if self.gpus else self

    def over(self, base: Limits, home: Path) -> Limits:
        """`base` as granted to the researcher whose folder is `home`; what is used is kept there."""
        given = {name: getattr(self, name) for name in ("memory_mb", "cpus", "pids", "disk_mb")}
        larger = {name: most for name, most in given.items() if most is not None}
        return replace(base, **larger, gpus=tuple(self.gpus), usage=str(home / USAGE))
