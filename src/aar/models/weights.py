"""A model's name -> its folder of weights, and the identity of what is in there.

Knows files, not networks: nothing here imports torch. A name is an embedded model ("smollm2-135m"), a folder
beside those, a local folder, or a hub id ("Qwen/Qwen3-4B-Base"), which is downloaded only when HF_HUB_OFFLINE is unset.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aar.errors import InputError, NotFound, ProviderDown
from aar.models import packaged
from aar.settings import models_folder

CONTEXT = 1024  # tokens of a text that are read; of a longer one the last 1,024, because the answer stands at the end
RECIPE = f"residual stream after each block, bf16, last {CONTEXT} tokens"  # what a feature is; part of the identity

_CACHE = ".aar-id.json"
_VOLATILE = ("transformers_version", "_name_or_path", "torch_dtype", "dtype")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_FILES = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")


def find(name: str | Path) -> Path:
    """The folder that holds the weights of this embedded name, local folder or hub id."""
    if str(name) in packaged.NAMES:
        return packaged.path(str(name))
    kept = models_folder() / str(name)
    folder = kept if kept.is_dir() else Path(name).expanduser()
    if not folder.is_dir():
        if not _HUB_ID.fullmatch(str(name)) or str(name).startswith("."):
            known = ", ".join(packaged.NAMES)
            raise NotFound(f"no model is called {str(name)!r}", hint=f"known: {known}, a local folder, or a hub id")
        folder = _from_hub(str(name))
    if not any(folder.glob("*.safetensors")):
        raise InputError(
            f"{folder} has no *.safetensors file", hint="pickled weights are not loaded; convert them first"
        )
    return folder.absolute()


def _from_hub(repo: str) -> Path:
    import huggingface_hub

    offline = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    try:
        return Path(huggingface_hub.snapshot_download(repo, allow_patterns=list(_FILES), local_files_only=offline))
    except Exception as error:  # the hub client's errors have no common base
        hint = (
            "it is not in the local hub cache and HF_HUB_OFFLINE is set" if offline else "check the id and the network"
        )
        raise ProviderDown(f"cannot get the model {repo!r} from the hub: {error}", hint=hint) from error


def config(folder: Path) -> dict[str, Any]:
    """config.json; of a model of several parts, the part that reads text."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return {**found, **found.get("text_config", {})}


def is_causal(config: Mapping[str, Any]) -> bool:
    """Whether these weights have a language-model head (True) or only encode (False)."""
    return any("ForCausalLM" in a or "ForConditionalGeneration" in a for a in config.get("architectures") or ())


def tokenizer(folder: Path) -> Any:
    """The tokenizer, cutting long texts at the front."""
    from transformers import AutoTokenizer

    found = AutoTokenizer.from_pretrained(str(folder), trust_remote_code=False, local_files_only=True)
    found.truncation_side = "left"
    return found


def identity(folder: Path) -> str:
    """16 hex digits that name weights + config + tokenizer + how features are read from them.

    The answer is kept beside the weights (where that may be written) with the sizes and times of the files.
    """
    files = sorted({f for pattern in _FILES for f in folder.glob(pattern) if f.name != _CACHE})
    stamp = {f.name: [f.stat().st_size, f.stat().st_mtime_ns] for f in files} | {"recipe": RECIPE}
    cache = folder / _CACHE
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        kept = json.loads(cache.read_text())
        if kept["stamp"] == stamp:
            return str(kept["id"])
    digest = hashlib.sha256(RECIPE.encode())
    for file in files:
        digest.update(f"\0{file.name}\0".encode() + _content(file))
    found = digest.hexdigest()[:16]
    with contextlib.suppress(OSError):
        temporary = cache.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"id": found, "stamp": stamp}))
        temporary.replace(cache)
    return found


def _content(file: Path) -> bytes:
    """SHA-256 of a file; of config.json without the keys that change with the library that saved it."""
    if file.name == "config.json":
        config = {k: v for k, v in json.loads(file.read_text()).items() if k not in _VOLATILE}
        return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).digest()
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").digest()
