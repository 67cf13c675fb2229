"""What only the Docker provider does; its contract is in `test_contract`."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("docker", reason='the extra "docker" is not installed')

from aar.errors import ProviderDown
from aar.sandboxes import Limits, docker, sandboxes, seccomp
from aar.sandboxes.contract import try_out
from aar.sandboxes.fakes import FakeEngine, rules

FORGOTTEN = {
    "network": lambda host: host.update(NetworkMode="host", SecurityOpt=["no-new-privileges"]),
    "read_only": lambda host: host.pop("ReadonlyRootfs"),
    "kernel_settings": lambda host: host.pop("ReadonlyPaths"),
    "no_privileges": lambda host: host.update(CapDrop=[], SecurityOpt=["no-new-privileges"]),
    "pids": lambda host: host.update(PidsLimit=3000),
}


@pytest.mark.parametrize("behaviour", FORGOTTEN)
def test_the_contract_notices_a_forgotten_flag(behaviour: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake engine does what it is told and no more: without the flag the behaviour fails."""
    told: Callable[..., dict[str, Any]] = docker.host_config

    def forgetful(*args: Any) -> dict[str, Any]:
        host = told(*args)
        FORGOTTEN[behaviour](host)
        return host

    with FakeEngine() as fake:
        monkeypatch.setenv("DOCKER_HOST", fake.address)
        folders = [tmp_path / "with", tmp_path / "without"]
        for folder in folders:
            folder.mkdir()
        assert try_out(docker.Docker(), behaviour, folders[0]).status == "held"
        if behaviour == "pids":  # our own watch would end it, as it should
            monkeypatch.setattr(docker.Container, "broken", lambda self: None)
        monkeypatch.setattr(docker, "host_config", forgetful)
        assert try_out(docker.Docker(), behaviour, folders[1]).status == "failed"


def test_the_filter_is_bubblewraps() -> None:
    """The profile that an engine is given compiles to the same program."""
    for loopback in (False, True):
        assert seccomp.compiled(rules(seccomp.profile(loopback))) == seccomp.program(loopback=loopback)


def test_what_a_killed_lab_left_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container whose maker is gone goes when the next lab starts; one of a living lab stays."""
    with FakeEngine() as fake:
        monkeypatch.setenv("DOCKER_HOST", fake.address)
        api = docker.engine()
        docker.prepare(1, fake.address)
        base = {"Image": docker.IMAGE, "HostConfig": {}}
        gone = subprocess.run(
            [sys.executable, "-c", "from aar.sandboxes import docker; print(docker.maker())"],
            capture_output=True,
            text=True,
        )
        for name, label in (("left", gone.stdout.strip()), ("living", docker.maker())):
            api.create_container_from_config({**base, "Labels": {docker.LABEL: label}}, name)
        docker.prepare(2, fake.address)
        assert [c["Id"] for c in api.containers(all=True)] == ["living"]


def test_nothing_stays(engine: str, tmp_path: Path) -> None:
    """No container of a program that ended, and no scratch folder."""
    provider = sandboxes.get("docker")
    assert provider.run(["/bin/echo", "hi"], limits=Limits(wall_s=60)).stdout == b"hi\n"
    mine = [c for c in docker.engine().containers(all=True) if c["Labels"].get(docker.LABEL) == docker.maker()]
    assert mine == []


def test_without_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says why it does not work, and that a remote engine cannot see this host's files."""
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert "no container engine answers" in str(docker.Docker().why_not())
    monkeypatch.setenv("DOCKER_HOST", "tcp://elsewhere:2375")
    with pytest.raises(ProviderDown, match="not on this host"):
        docker.Docker().run(["/bin/true"])


def test_a_refusal_is_the_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the engine says is told, and is the provider's fault."""
    with FakeEngine() as fake:
        monkeypatch.setenv("DOCKER_HOST", fake.address)
        docker.prepare(os.getpid(), fake.address)
        fake.images.clear()
        with pytest.raises(ProviderDown, match="No such image"):
            docker.Docker().run(["/bin/true"])
