"""Names of models, and the identity of what is in a folder."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from aar.errors import ProviderDown
from aar.models import weights


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(llama, tmp_path / "copy"))


def test_identity_is_of_the_content(llama: Path, copy: Path) -> None:
    """Another place, another library version: the same model. Another weight, token or size: another one."""
    same = weights.identity(llama)
    assert weights.identity(copy) == same
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "transformers_version": "9", "_name_or_path": "x"}))
    assert weights.identity(copy) == same
    (copy / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.5}))
    assert weights.identity(copy) != same
    (copy / "config.json").write_text(json.dumps(config))
    content = bytearray((copy / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (copy / "model.safetensors").write_bytes(content)
    assert weights.identity(copy) != same


def test_identity_is_kept_and_found_out_again_when_a_file_changes(copy: Path) -> None:
    """The second call reads no weights; a new time stamp makes it look again; a damaged note is ignored."""
    same = weights.identity(copy)
    note = copy / ".aar-id.json"
    note.write_text(note.read_text().replace(same, "remembered"))
    assert weights.identity(copy) == "remembered"
    os.utime(copy / "model.safetensors", (1, 1))
    assert weights.identity(copy) == same
    note.write_text("{")
    assert weights.identity(copy) == same


def test_a_hub_id_offline_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is downloaded behind the owner's back."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    with pytest.raises(ProviderDown, match="HF_HUB_OFFLINE"):
        weights.find("nobody/no-such-model")


def test_config_of_a_model_of_several_parts_is_its_text_part(tmp_path: Path) -> None:
    """Layers and width stand one level down there."""
    (tmp_path / "config.json").write_text(json.dumps({
        "architectures": ["Qwen9ForConditionalGeneration"], "text_config": {"num_hidden_layers": 3, "hidden_size": 8},
    }))  # fmt: skip
    config = weights.config(tmp_path)
    assert (config["num_hidden_layers"], config["hidden_size"], weights.is_causal(config)) == (3, 8, True)
