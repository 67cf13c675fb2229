"""Our sandboxes as an Inspect sandbox provider: `sandbox=("aar", "<desk.json>")`, under the entry-point group `inspect_ai`.

Every call is a program of its own in the sandbox, files are read and written by programs inside, so a link that is
planted there leads nowhere. What stays between calls is the one writable folder. No network, no key, an empty environment.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, overload

from inspect_ai.util import ExecResult, SandboxEnvironment, SandboxEnvironmentConfigType, sandboxenv

from aar.errors import InputError
from aar.sandboxes import Limits, Mount, Outcome, Running, Sandbox, get

SH = "/bin/sh"
DEFAULT_S = 600


def described(sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> dict[str, Any]:
    """The JSON that `AarSandbox` opens."""
    shown = [{"source": str(m.source), "target": m.target, "writable": m.writable} for m in mounts]
    return {"sandbox": sandbox.name, "mounts": shown, "limits": asdict(limits)}


@sandboxenv(name="aar")
class AarSandbox(SandboxEnvironment):
    """`limits` hold for each call; its time is the call's own."""

    def __init__(self, sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> None:
        super().__init__()
        self.sandbox, self.mounts, self.limits = sandbox, tuple(mounts), limits

    @classmethod
    def open(cls, raw: dict[str, Any]) -> AarSandbox:
        """From `described`. ProviderDown where that sandbox does not work here."""
        mounts = [Mount(Path(m["source"]), m["target"], m["writable"]) for m in raw["mounts"]]
        return cls(get(raw["sandbox"]), mounts, Limits(**raw["limits"]))

    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        if not isinstance(config, str):
            raise InputError("the aar sandbox needs a description", hint='sandbox=("aar", "<desk.json>")')
        return {"default": cls.open(json.loads(Path(config).read_text())["sandbox"])}

    @classmethod
    async def sample_cleanup(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, environments: dict[str, SandboxEnvironment], interrupted: bool
    ) -> None:
        """Every program ended with its call; the workspace is the researcher's and stays."""

    async def exec(
        self, cmd: list[str], input: str | bytes | None = None, cwd: str | None = None, env: dict[str, str] | None = None,
        user: str | None = None, timeout: int | None = None, timeout_retry: bool = True, concurrency: bool = True,
    ) -> ExecResult[str]:  # fmt: skip
        """TimeoutError after `timeout` s. `user` is always the sandbox's own."""
        outcome = await self._run(cmd, input, cwd, env, timeout)
        return ExecResult(outcome.code == 0, outcome.code or 0, _text(outcome.stdout), _said(outcome))

    async def _run(self, cmd: list[str], input: str | bytes | None, cwd: str | None, env: dict[str, str] | None, timeout: int | None) -> Outcome:
        limits = Limits(**{**asdict(self.limits), "wall_s": timeout or DEFAULT_S})
        stdin = input.encode() if isinstance(input, str) else input
        outcome = await asyncio.to_thread(self.sandbox.run, cmd, self.mounts, env, limits, cwd, stdin)
        if outcome.stopped_by == "wall":
            raise TimeoutError(f"not done after {limits.wall_s:g} s; it printed: {_text(outcome.stdout)[-2000:]}")
        return outcome

    def start(self, cmd: list[str]) -> Running:
        """A program that goes on until it ends, or until this process does."""
        return self.sandbox.start(cmd, self.mounts, None, self.limits)

    async def write_file(self, file: str, contents: str | bytes) -> None:
        script = 'if [ -d "$1" ]; then exit 21; fi; mkdir -p "$(dirname "$1")" && cat > "$1"'
        done = await self._run([SH, "-c", script, SH, file], contents, None, None, 60)
        if done.code == 21:
            raise IsADirectoryError(file)
        if done.code:
            raise PermissionError(f"{file}: {_said(done)}")

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...
    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...
    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        script = 'if [ -d "$1" ]; then exit 21; elif [ ! -e "$1" ]; then exit 2; else exec cat "$1"; fi'
        done = await self._run([SH, "-c", script, SH, file], None, None, None, 60)
        if done.code:
            raise {21: IsADirectoryError, 2: FileNotFoundError}.get(done.code, PermissionError)(file)
        return done.stdout.decode() if text else done.stdout


def _said(outcome: Outcome) -> str:
    stopped = f"\n(stopped: it broke its {outcome.stopped_by} limit)" if outcome.stopped_by else ""
    return _text(outcome.stderr) + stopped


def _text(data: bytes) -> str:
    return data.decode(errors="replace")


