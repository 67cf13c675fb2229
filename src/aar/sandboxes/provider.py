"""What the local providers share: the checks before a launch, `run` on top of `start`, and the trial on this host.

A provider adds `missing` (what it lacks here) and `launch` (the command line that locks a job in).
"""

from __future__ import annotations

import abc
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from aar.errors import ProviderDown
from aar.sandboxes import gpus, view
from aar.sandboxes.base import WORKSPACE, Limits, Mount, Outcome, Running
from aar.sandboxes.limits import known_failures as limits_known_failures
from aar.sandboxes.process import Launch, Process
from aar.sandboxes.quota import Quota


@dataclass(frozen=True)
class Job:
    """What is to be run, and under what. `cwd` and `env` are complete."""

    argv: tuple[str, ...]
    mounts: tuple[Mount, ...]
    env: Mapping[str, str]
    limits: Limits
    cwd: str


class AbstractProvider(abc.ABC):
    """A `Sandbox` on this host. See `base.Sandbox` for the contract of `run` and `start`."""

    name: ClassVar[str]
    rank: ClassVar[int]

    @property
    def known_failures(self) -> Mapping[str, str]:
        return limits_known_failures()

    @abc.abstractmethod
    def missing(self) -> str | None:
        """What this host lacks for it, None if a trial is worth it."""

    @abc.abstractmethod
    def launch(self, job: Job) -> Launch:
        """The command that runs the job locked in."""

    def why_not(self) -> str | None:
        return self._reason

    @functools.cached_property
    def _reason(self) -> str | None:
        if reason := self.missing():
            return reason
        try:
            outcome = self.run(["/bin/true"], limits=Limits(wall_s=20))
        except (ProviderDown, ImportError, OSError) as error:  # ImportError: libseccomp is not there
            return str(error)
        return None if outcome.code == 0 else f"a trial run ended with {outcome}"

    def run(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
        stdin: bytes | None = None,
    ) -> Outcome:
        process = self._begin(argv, mounts, env, limits, cwd, stdin or b"")
        try:
            return process.wait()
        finally:
            process.kill()

    def start(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount] = (),
        env: Mapping[str, str] | None = None,
        limits: Limits = Limits(),
        cwd: str | None = None,
    ) -> Running:
        return self._begin(argv, mounts, env, limits, cwd, None)

    def _begin(
        self,
        argv: Sequence[str],
        mounts: Sequence[Mount],
        env: Mapping[str, str] | None,
        limits: Limits,
        cwd: str | None,
        stdin: bytes | None,
    ) -> Process:
        if reason := self.missing():
            raise ProviderDown(f"the {self.name} sandbox does not work here: {reason}", code="sandbox_down")
        mounts = [*mounts, *gpus.devices(limits.gpus)]
        view.check_mounts(mounts)
        home = WORKSPACE if any(m.target == WORKSPACE for m in mounts) else "/tmp"
        env = {**gpus.environment(limits.gpus), **(env or {})}
        job = Job(tuple(argv), tuple(mounts), view.environment(env, limits, home), limits, cwd or home)
        launch = self.launch(job)
        writable = [*(m.source for m in mounts if m.writable), *launch.folders]
        return Process(launch, limits, Quota(writable, limits.disk_mb), stdin)
