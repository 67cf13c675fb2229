"""Our sandbox as Inspect's: its own conformance suite, and what an agent must not reach."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.util._sandbox import self_check

from aar.errors import ProviderDown
from aar.researchers.llm.sandbox import AarSandbox
from aar.sandboxes import WORKSPACE, Limits, Mount, available
from aar.sandboxes.described import described

CHECKS = {
    name: f for name, f in inspect.getmembers(self_check, inspect.iscoroutinefunction) if name.startswith("test_")
}
PRIVATE_TMP = "/tmp is private to each call: what should stay belongs into /workspace"
KNOWN_FAILURES = {
    "test_cwd_absolute": PRIVATE_TMP,
    "test_read_and_write_file_including_directory_absolute": PRIVATE_TMP,
    "test_write_text_file_is_directory": PRIVATE_TMP,
    "test_write_binary_file_is_directory": PRIVATE_TMP,
    "test_exec_as_user": "one user a sandbox; there is no root inside to add another",
}
SLOW = {"test_exec_timeout", "test_exec_timeout_kills_process", "test_exec_timeout_kills_child_processes"}


@pytest.fixture
def box(tmp_path: Path) -> AarSandbox:
    try:
        sandbox = available()
    except ProviderDown as down:
        pytest.skip(down.message)
    (tmp_path / "desk").mkdir()
    mounts = [Mount(tmp_path / "desk", WORKSPACE, writable=True)]
    return AarSandbox.open(described(sandbox, mounts, Limits(memory_mb=512, pids=64, disk_mb=256, output_mb=10)))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.soak if n in SLOW else ()) for n in sorted(CHECKS)])
def test_inspects_own_suite(box: AarSandbox, name: str) -> None:
    """Every behaviour that Inspect asks of a provider; what ours lacks is named, and does fail."""
    check: Callable[..., Any] = CHECKS[name]
    if name in KNOWN_FAILURES:
        with pytest.raises(Exception):  # noqa: B017  (of any kind: a bare assertion, or the sandbox's own)
            asyncio.run(check(box))
        return
    asyncio.run(check(box))


def test_a_folder_is_not_written_over(box: AarSandbox) -> None:
    """What the suite asks below /tmp, in the workspace; and a working folder of one's own."""

    async def act() -> None:
        await box.write_file("/workspace/deep/er/file", b"x")
        for contents in ("text", b"bytes"):
            with pytest.raises(IsADirectoryError, match="directory"):
                await box.write_file("/workspace/deep", contents)
        assert (await box.exec(["ls"], cwd="/workspace/deep/er")).stdout == "file\n"

    asyncio.run(act())


def test_links_lead_nowhere(box: AarSandbox, tmp_path: Path) -> None:
    """A link to a host's file, planted inside, is followed inside: there is no such file there."""
    secret = tmp_path / "secret"
    secret.write_text("key")
    (tmp_path / "desk" / "link").symlink_to(secret)

    async def act() -> None:
        with pytest.raises((FileNotFoundError, PermissionError)):
            await box.read_file("link")
        with pytest.raises(PermissionError):
            await box.write_file("link", "x")

    asyncio.run(act())
    assert secret.read_text() == "key"


def test_no_network_and_no_environment(box: AarSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-secret")
    told = asyncio.run(box.exec(["/bin/bash", "-c", "env; cat /proc/*/environ; echo x > /dev/tcp/127.0.0.1/80"]))
    assert "sk-secret" not in told.stdout + told.stderr
    assert not told.success
