"""Our sandboxes as an Inspect sandbox provider: `sandbox=("aar", "<desk.json>")`, under the entry-point group `inspect_ai`.

Every call is a program of its own in the sandbox, files are read and written by programs inside, so a link that is
planted there leads nowhere. What stays between calls is the one writable folder. No network, no key, an empty environment.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, overload

from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUserUnsupportedError,
    sandboxenv,
)

from aar.errors import InputError
from aar.researchers.llm.box import SH
from aar.sandboxes import WORKSPACE, Limits, Mount, Outcome, Sandbox
from aar.sandboxes.described import reopened

DEFAULT_S, FILE_S = 600, 60


@sandboxenv(name="aar")
class AarSandbox(SandboxEnvironment):
    """`limits` hold for each call; its time is the call's own."""

    def __init__(self, sandbox: Sandbox, mounts: Sequence[Mount], limits: Limits) -> None:
        super().__init__()
        self.sandbox, self.mounts, self.limits = sandbox, tuple(mounts), limits

    @classmethod
    def open(cls, raw: dict[str, Any]) -> AarSandbox:
        """From `described`. ProviderDown where that sandbox does not work here."""
        return cls(*reopened(raw))

    @classmethod
    async def sample_init(
        cls, task_name: str, config: SandboxEnvironmentConfigType | None, metadata: dict[str, str]
    ) -> dict[str, SandboxEnvironment]:
        if not isinstance(config, str):
            raise InputError("the aar sandbox needs a description", hint='sandbox=("aar", "<desk.json>")')
        return {"default": cls.open(json.loads(Path(config).read_text())["sandbox"])}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Every program ended with its call; the workspace is the researcher's and stays."""

    async def exec(
        self, cmd: list[str], input: str | bytes | None = None, cwd: str | None = None, env: dict[str, str] | None = None,
        user: str | None = None, timeout: int | None = None, timeout_retry: bool = True, concurrency: bool = True,
    ) -> ExecResult[str]:  # fmt: skip
        """TimeoutError after `timeout` s, PermissionError where `cmd` cannot be executed. A relative `cwd` is below WORKSPACE."""
        if user is not None:
            raise SandboxUserUnsupportedError(f"there is one user in this sandbox, not {user!r}")
        outcome = await self._run(cmd, input, cwd, env, timeout)
        return ExecResult(outcome.code == 0, outcome.code or 0, _text(outcome.stdout), _said(outcome))

    async def _run(
        self, cmd: list[str], input: str | bytes | None = None, cwd: str | None = None, env: dict[str, str] | None = None,
        timeout: int | None = None, output_mb: float | None = None,
    ) -> Outcome:  # fmt: skip
        limits = replace(self.limits, wall_s=timeout or DEFAULT_S, output_mb=output_mb or self.limits.output_mb)
        stdin = input.encode() if isinstance(input, str) else input
        home = str(PurePosixPath(WORKSPACE, cwd)) if cwd else None
        outcome = await asyncio.to_thread(self.sandbox.run, cmd, self.mounts, env, limits, home, stdin)
        if outcome.code == 127 and outcome.stderr.strip().endswith(b"Permission denied"):
            raise PermissionError(_said(outcome))
        if outcome.stopped_by == "wall":
            raise TimeoutError(f"not done after {limits.wall_s:g} s; it printed: {_text(outcome.stdout)[-2000:]}")
        return outcome

    async def write_file(self, file: str, contents: str | bytes) -> None:
        script = 'if [ -d "$1" ]; then exit 21; fi; mkdir -p "$(dirname "$1")" && cat > "$1"'
        done = await self._run([SH, "-c", script, SH, file], contents, timeout=FILE_S)
        if done.code == 21:
            raise IsADirectoryError(f"{file} is a directory")
        if done.code:
            raise PermissionError(f"{file}: {_said(done)}")

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...
    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...
    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        script = 'if [ -d "$1" ]; then exit 21; elif [ ! -e "$1" ]; then exit 2; else exec cat "$1"; fi'
        most = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        done = await self._run([SH, "-c", script, SH, file], timeout=FILE_S, output_mb=most / 2**20 + 1)
        if done.code == 21:
            raise IsADirectoryError(f"{file} is a directory")
        if done.code:
            raise (FileNotFoundError if done.code == 2 else PermissionError)(file)
        if len(done.stdout) > most:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None)
        return done.stdout.decode() if text else done.stdout


def _said(outcome: Outcome) -> str:
    stopped = f"\n(stopped: it broke its {outcome.stopped_by} limit)" if outcome.stopped_by else ""
    return _text(outcome.stderr) + stopped


def _text(data: bytes) -> str:
    return data.decode(errors="replace")
