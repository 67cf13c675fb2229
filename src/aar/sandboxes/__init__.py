"""Sandboxes: where untrusted programs run. `available().run(argv, mounts, limits=...)`."""

from aar.sandboxes.base import (
    PYTHON,
    WORKSPACE,
    Limits,
    Mount,
    Outcome,
    Running,
    Sandbox,
    available,
    get,
    sandboxes,
    survey,
)

__all__ = [
    "PYTHON",
    "WORKSPACE",
    "Limits",
    "Mount",
    "Outcome",
    "Running",
    "Sandbox",
    "available",
    "get",
    "sandboxes",
    "survey",
]
