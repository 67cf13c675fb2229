"""Every sandbox provider against every behaviour of the contract, and the contract against no sandbox at all."""

import os
import shlex
import shutil
import tempfile
from functools import partial
from pathlib import Path

import pytest

from aar.sandboxes import landlock, sandboxes
from aar.sandboxes.contract import behaviours, try_out, verify
from aar.sandboxes.process import Launch
from aar.sandboxes.provider import AbstractProvider, Job


@pytest.mark.parametrize("behaviour", list(behaviours()))
@pytest.mark.parametrize("provider", sandboxes.names())
def test_behaviour(provider: str, behaviour: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The behaviour holds, or fails as the provider says it does; a provider that is not here is skipped. Docker runs on
    this host's engine, or where there is none on the fake one, which runs what it is told in bubblewrap."""
    if provider == "docker":
        request.getfixturevalue("engine")
    sandbox = sandboxes.get(provider)
    if reason := sandbox.why_not():
        pytest.skip(f"{provider}: {reason}")
    finding = try_out(sandbox, behaviour, tmp_path)
    assert finding.ok, f"{finding.status}: {finding.detail}"
    if finding.status == "known":
        pytest.xfail(finding.detail)


@pytest.mark.parametrize("provider", sandboxes.names())
def test_known_failures_name_behaviours(provider: str) -> None:
    """A provider excuses only behaviours that exist."""
    assert set(sandboxes.get(provider).known_failures) <= set(behaviours())


class Bare(AbstractProvider):
    """Locks nothing in: runs the program on the host as it is, with the paths of Landlock's view."""

    name = "bare"
    rank = 0

    def missing(self) -> str | None:
        return None

    def launch(self, job: Job) -> Launch:
        scratch = Path(tempfile.mkdtemp(prefix="aar-bare-"))
        table = landlock._table(job.mounts, scratch)
        landlock._build(scratch, table)
        argv = shlex.join(landlock.translate(word, table) for word in job.argv)
        setup = "".join(f"export {k}={shlex.quote(landlock.translate(v, table))}; " for k, v in job.env.items())
        status, report = os.pipe()
        script = f"cd {shlex.quote(landlock.translate(job.cwd, table))}; {setup} {argv}; code=$?; echo ended >&{report}; exit $code"
        remove = partial(shutil.rmtree, scratch, ignore_errors=True)
        return Launch(["/bin/bash", "-c", script], [report], status, b"ended", b"not found", cleanup=remove)


# only those whose hostile program does a bare host no harm
HARMLESS = (
    "own_paths",
    "network",
    "foreign_sockets",
    "sealed_unreadable",
    "names_invisible",
    "signals",
    "aar_allowed_part",
)


@pytest.mark.parametrize("behaviour", HARMLESS)
def test_contract_notices_a_missing_sandbox(behaviour: str, tmp_path: Path) -> None:
    """Where nothing locks the program in, the behaviour fails: the check is able to."""
    assert try_out(Bare(), behaviour, tmp_path).status == "failed"


def test_a_bare_program_works_otherwise(tmp_path: Path) -> None:
    """The bare sandbox fails for what it does not lock, not because programs do not run in it."""
    assert [f.status for f in verify(Bare(), ["executes", "files", "unix_socket"])] == ["held"] * 3
