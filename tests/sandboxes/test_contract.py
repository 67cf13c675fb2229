"""Every sandbox provider against every behaviour of the contract."""

from pathlib import Path

import pytest

from aar.sandboxes import sandboxes
from aar.sandboxes.contract import behaviours, try_out


@pytest.mark.parametrize("behaviour", list(behaviours()))
@pytest.mark.parametrize("provider", sandboxes.names())
def test_behaviour(provider: str, behaviour: str, tmp_path: Path) -> None:
    """The behaviour holds, or fails as the provider says it does; a provider that is not here is skipped."""
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
