"""A sandbox with a few hosts opened by an operator: any other sandbox, with a way to the proxy (`proxy`) and no further.

The proxy's socket is mounted, a relay on the sandbox's own loopback leads to it, and the usual variables name that. There is
still no interface but loopback inside. Default everywhere: none of this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aar.sandboxes.base import PYTHON, Limits, Mount, Outcome, Running, Sandbox

TARGET = "/net"
SOCKET = "proxy.sock"
PORT = 3128
RELAY = (PYTHON, "-I", "-m", "aar.task.relay", f"{TARGET}/{SOCKET}", str(PORT))
VARIABLES = ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True)
class Opened:
    """`inner` with the proxy whose socket lies in `folder`."""

    inner: Sandbox
    folder: Path

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def rank(self) -> int:
        return self.inner.rank

    @property
    def known_failures(self) -> Mapping[str, str]:
        return self.inner.known_failures

    def why_not(self) -> str | None:
        return self.inner.why_not()

    def run(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        return self.inner.run(cwd=cwd, stdin=stdin, **self._with(argv, mounts, env, limits))

    def start(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
    ) -> Running:
        return self.inner.start(cwd=cwd, **self._with(argv, mounts, env, limits))

    def _with(
        self, argv: Sequence[str], mounts: Sequence[Mount], env: Mapping[str, str] | None, limits: Limits
    ) -> dict[str, Any]:
        proxy = f"http://127.0.0.1:{PORT}"
        return {
            "argv": [*RELAY, *argv],
            "mounts": [*mounts, Mount(self.folder, TARGET)],
            "env": {**dict.fromkeys(VARIABLES, proxy), **(env or {})},
            "limits": replace(limits, loopback=True, pids=limits.pids + 1),
        }


def opened(sandbox: Sandbox, folder: Path | None) -> Sandbox:
    """The sandbox itself where no host is opened."""
    return Opened(sandbox, folder) if folder else sandbox
