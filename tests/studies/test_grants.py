"""What an operator grants: written down, dealt out, and the same for every sandbox of a researcher."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from aar.cli.main import main
from aar.errors import InputError, NotFound, ProviderDown
from aar.researchers.grants import NETWORK, USAGE, Grants
from aar.researchers.hands import RESEARCH_LIMITS
from aar.researchers.llm import given
from aar.sandboxes import WORKSPACE, Limits, Mount, available, sandboxes
from aar.sandboxes.described import described, reopened
from aar.sandboxes.meter import Meter, Used, used
from aar.sandboxes.network import Opened
from aar.settings import LabFolder
from aar.studies.exits import Exits
from aar.studies.spec import StudyFolder, StudySpec, team

GRANTS = Grants(hosts=("pypi.org",), gpus=(2, 5), memory_mb=4096, cpus=2.0)


@pytest.fixture
def folder(tmp_path: Path) -> StudyFolder:
    found = StudyFolder(LabFolder(tmp_path / "lab"), "a")
    found.create(StudySpec("a", "toy", team("a", [("search", 3)], ["none"]), grants=GRANTS))
    return found


def test_they_are_kept_and_dealt(folder: StudyFolder) -> None:
    """The file gives back what was written; GPUs go round; what is not granted keeps its default."""
    spec = folder.load()
    assert spec.grants == GRANTS
    dealt = [spec.assignment(member).grants for member in spec.researchers]
    assert [tuple(one.gpus) for one in dealt] == [(2,), (5,), (2,)]
    limits = dealt[1].over(RESEARCH_LIMITS, folder.home("x"))
    assert (limits.memory_mb, limits.cpus, limits.gpus) == (4096, 2.0, (5,))
    assert (limits.pids, limits.disk_mb) == (RESEARCH_LIMITS.pids, RESEARCH_LIMITS.disk_mb)
    assert limits.usage == str(folder.home("x") / USAGE)


@pytest.mark.parametrize("wrong", [{"hosts": ("*",)}, {"memory_mb": 0}, {"cpus": -1.0}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    """A wildcard or an empty limit is a mistake of whoever writes it."""
    with pytest.raises(InputError):
        Grants(**wrong)


def test_each_researcher_has_an_exit_of_its_own(folder: StudyFolder) -> None:
    """What one asks for is in its own log; without hosts there is no exit; nothing is left behind."""
    spec = folder.load()
    first, second, _ = (member.name for member in spec.researchers)
    with Exits(folder, spec) as exits:
        at = exits.of(first)
        assert at
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{at}/proxy.sock")
            client.sendall(b"CONNECT evil.example:443 HTTP/1.1\r\n\r\n")
            assert client.recv(100).split()[1] == b"403"
    asked = [json.loads(line) for line in (folder.home(first) / NETWORK).read_text().splitlines()]
    assert [line["what"] for line in asked] == ["refused"]
    assert (folder.home(second) / NETWORK).read_text() == ""
    assert not at.exists()
    closed = StudySpec("a", "toy", spec.researchers)
    with Exits(folder, closed) as exits:
        assert exits.of(first) is None


def test_another_process_gets_the_same_sandbox(tmp_path: Path) -> None:
    """Name, mounts, limits and the way out survive JSON."""
    mounts, limits = [Mount(tmp_path, WORKSPACE, writable=True)], GRANTS.over(Limits(), tmp_path)
    for sandbox in (available(), Opened(available(), tmp_path)):
        again, shown, bounds = reopened(json.loads(json.dumps(described(sandbox, mounts, limits))))
        assert (again, shown) == (sandbox, mounts)
        assert (bounds.memory_mb, list(bounds.gpus), bounds.usage) == (4096, [2, 5], limits.usage)


def test_commands_of_a_model_run_under_the_grants(tmp_path: Path) -> None:
    """Its desk has the sandbox of its hands, and the study's limits."""
    served: list[Any] = []
    mounts = (Mount(tmp_path, "/task"), Mount(tmp_path, WORKSPACE, writable=True))
    jobs = SimpleNamespace(serve=lambda *where: served.extend(where))
    hands = SimpleNamespace(sandbox=Opened(available(), tmp_path), mounts=mounts, methods=tmp_path, jobs=jobs)
    bench: Any = SimpleNamespace(hands=hands, home=tmp_path, assignment=SimpleNamespace(grants=GRANTS))
    sandbox, _, limits = given.granted(bench)
    assert sandbox is hands.sandbox is served[0]
    assert (limits.memory_mb, limits.pids) == (4096, given.LIMITS.pids)


def test_usage_is_kept_as_it_happens(tmp_path: Path) -> None:
    """Processor and wall seconds of every program add up, a GPU counts while it is granted; a cut line is left out."""
    limits = Limits(usage=str(tmp_path / "used"), wall_s=60)
    box = available()
    for _ in range(2):
        box.run(["/bin/sh", "-c", "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"], limits=limits)
    both = used(tmp_path / "used")
    assert 0.02 < both.cpu_s < 60
    assert both.wall_s > 0
    assert both.gpu_s == 0
    meter = Meter(Limits(gpus=(0, 1), usage=str(tmp_path / "gpu")))
    meter.began -= 100
    meter.keep(1.0)
    meter.keep(2.5)
    with (tmp_path / "gpu").open("a") as file:
        file.write('{"run": "x", "cpu_s": 9')
    found = used(tmp_path / "gpu")
    assert (found.cpu_s, round(found.wall_s), round(found.gpu_s)) == (2.5, 100, 200)
    assert used(tmp_path / "none") == Used()


def test_a_named_sandbox_is_the_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider of ours by name; one that is not here, or that nobody knows, is told when the study is written."""
    landlock = sandboxes.get("landlock")
    if landlock.why_not() is None:
        assert Grants(sandbox="landlock").provider() is landlock
    assert Grants().provider() is available()
    with pytest.raises(NotFound, match="bubblewrap"):
        Grants(sandbox="nothing").check({"search"})
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    monkeypatch.delitem(vars(sandboxes.get("docker")), "_reason", raising=False)
    with pytest.raises(ProviderDown, match="docker"):
        Grants(sandbox="docker").check({"search"})


def test_kubernetes_is_inspects_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its configuration is passed through; without its package the command that installs it is named."""
    grants = Grants(sandbox="k8s:values.yaml")
    with pytest.raises(InputError) as missing:
        grants.check({"inspect"})
    assert (missing.value.code, missing.value.hint) == ("no_k8s", "pip install inspect-k8s-sandbox")
    (tmp_path / "k8s_sandbox.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    assert grants.inspects() == ("k8s", "values.yaml")
    assert Grants(sandbox="k8s").inspects() == ("k8s",)
    assert grants.provider() is available(), "methods are tried in a sandbox of this host"
    grants.check({"inspect"})
    with pytest.raises(InputError, match="claude"):
        grants.check({"inspect", "claude"})


def test_the_command_line(quick_lab: LabFolder, capsys: pytest.CaptureFixture[str]) -> None:
    """What is granted is written down; a host that is none is refused before anything is written."""
    (card,) = (quick_lab.root / "problems").glob("*/card.json")
    new = [
        "study",
        "new",
        "b",
        "--problem",
        json.loads(card.read_text())["problem"],
        "--lab",
        str(quick_lab.root),
        "--json",
    ]
    assert main([*new, "--host", "*.org"]) == 1
    assert (
        main([*new, "--host", "pypi.org", "--memory-mb", "1000", "--cpus", "0.5", "--pids", "50", "--disk-mb", "99"])
        == 0
    )
    assert StudyFolder(quick_lab, "b").load().grants == Grants(("pypi.org",), (), 1000, 0.5, 50, 99)
    capsys.readouterr()
