"""What is taken from a model hub by its real client, from a server on loopback that speaks the hub's protocol."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aar.models import packaged
from aar.testbeds.fakes import Hub
from aar.testbeds.full.chat import HELPSTEER2

pytest.importorskip("huggingface_hub")


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with Hub(tmp_path / "hub").serving() as hub:
        yield hub


def asked(hub: Hub, home: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A process of its own, as the client reads its settings when it is imported."""
    unset = {"HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN", "TRANSFORMERS_OFFLINE"}
    kept = {k: v for k, v in os.environ.items() if k not in unset and not k.lower().endswith("_proxy")}
    environment = kept | {"HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)


FIND = "import sys; from aar.models import weights; print(weights.identity(weights.find(sys.argv[1])))"


def test_a_model_is_downloaded_once_and_is_the_same(hub: Hub, tmp_path: Path) -> None:
    """A file that the hub fails to give at first is asked for again; pickled weights are left there; then no request."""
    folder = hub.root / "models/acme/small"
    folder.mkdir(parents=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(packaged.path("smollm2-135m") / name, folder)
    (folder / "model.safetensors").write_bytes(
        (packaged.path("smollm2-135m") / "model.safetensors").read_bytes()[:100_000]
    )
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    hub.fail.add("config.json")
    first = asked(hub, tmp_path / "home", sys.executable, "-c", FIND, "acme/small")
    if first.returncode:  # what the client does not ask for again, the user does
        assert "cannot get the model 'acme/small' from the hub" in first.stderr
        first = asked(hub, tmp_path / "home", sys.executable, "-c", FIND, "acme/small")
    here = subprocess.run([sys.executable, "-c", FIND, str(folder)], capture_output=True, text=True, timeout=120)
    assert first.stdout.strip() == here.stdout.strip() != ""
    assert not any("pytorch_model.bin" in path for _, path in hub.asked)
    files = sum("/resolve/" in path for _, path in hub.asked)
    assert asked(hub, tmp_path / "home", sys.executable, "-c", FIND, "acme/small").stdout == first.stdout
    assert sum("/resolve/" in path for _, path in hub.asked) == files
    gone = asked(hub, tmp_path / "home", sys.executable, "-c", FIND, "acme/none")
    assert "cannot get the model 'acme/none' from the hub" in gone.stderr


def test_the_chat_testbed_is_built_from_the_hub(hub: Hub, tmp_path: Path) -> None:
    """`aar testbed prepare chat-full` online: the pinned commits are asked for, and the rows are those of local copies."""
    pytest.importorskip("pyarrow")
    layout = Path(__file__).parent / "testbeds/full/layouts.py"
    spec = importlib.util.spec_from_file_location("layouts", layout)
    assert spec
    assert spec.loader
    layouts = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(layouts)
    copies = layouts.chat(tmp_path / "copies")
    for copy, repo in (
        ("HelpSteer2", "nvidia/HelpSteer2"),
        ("HelpSteer3", "nvidia/HelpSteer3"),
        ("RM-Bench", "THU-KEG/RM-Bench"),
        ("reward-bench-2", "allenai/reward-bench-2"),
    ):
        shutil.copytree(copies / copy, hub.root / "datasets" / repo)
    program = Path(sys.executable).with_name("aar")
    build = (str(program), "testbed", "prepare", "chat-full", "--json", "--lab", str(tmp_path / "lab"))
    online = asked(hub, tmp_path / "home", *build)
    assert online.returncode == 0, online.stderr
    assert any(HELPSTEER2.revision in path for _, path in hub.asked)
    counts = json.loads(online.stdout)["counts"]
    assert (counts["labeled"] + counts["unlabeled"], counts["test"] + counts["private"], counts["ood"]) == (82, 39, 40)
