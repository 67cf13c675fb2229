"""One file of features: written at once or not at all, read a layer at a time.

A shard is a safetensors file with `keys` uint8 [m, 32] (SHA-256 of each text) and, for each pooling and layer,
`<pooling>.<layer>` float16 [m, d]. Its name is the digest of its bytes, so that the same content written twice is
one file and a flipped bit is found by `verify`. Knows no models.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aar.errors import LabError

SUFFIX = ".safetensors"
HALF_MAX = 65504.0  # the largest float16; residual streams of big models go beyond it at token 0 only


def key_of(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


@dataclass(frozen=True)
class Shard:
    """An open shard: which texts and which (pooling, layer) it has. Holds no features itself."""

    path: Path
    keys: tuple[bytes, ...]
    held: frozenset[tuple[str, int]]
    stored: frozenset[str]

    @classmethod
    def open(cls, path: Path) -> Shard:
        """Reads the header and the keys. Raises LabError naming the file when it is damaged."""
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, "np") as file:
                names = frozenset(file.keys())
                keys = tuple(bytes(k) for k in file.get_tensor("keys"))
        except (SafetensorError, OSError, ValueError) as error:
            raise LabError(f"the feature file {path} is damaged: {error}", code="bad_shard") from error
        held = frozenset((p, int(x)) for p, _, x in (n.partition(".") for n in names - {"keys"}))
        return cls(path, keys, held, names)

    def read(self, pooling: str, layer: int) -> np.ndarray:
        """float16 [m, d] of one layer; the rest of the file is not read."""
        from safetensors import safe_open

        with safe_open(self.path, "np") as file:
            return np.asarray(file.get_tensor(f"{pooling}.{layer}"))

    def verify(self) -> None:
        """Reads every byte and compares with the name of the file."""
        if _digest(self.path.read_bytes()) != self.path.name.removesuffix(SUFFIX):
            raise LabError(f"the feature file {self.path} is damaged: its content was changed", code="bad_shard")


def write(folder: Path, keys: Sequence[bytes], tensors: Mapping[tuple[str, int], np.ndarray]) -> Path:
    """Adds a shard to `folder`: tensors (pooling, layer) -> [m, d], stored as float16."""
    half = {f"{p}.{x}": np.clip(t, -HALF_MAX, HALF_MAX).astype(np.float16) for (p, x), t in tensors.items()}
    return publish(folder, keys, half)


def publish(folder: Path, keys: Sequence[bytes], tensors: Mapping[str, np.ndarray]) -> Path:
    """Adds a file of tensors [m, ...] by key to `folder`, named by its digest. Safe to kill at any moment."""
    from safetensors.numpy import save

    content = save({**tensors, "keys": np.frombuffer(b"".join(keys), dtype=np.uint8).reshape(len(keys), 32)})
    target = folder / f"{_digest(content)}{SUFFIX}"
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{target.stem}.{os.getpid()}"
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(target)
    return target


def set_aside(path: Path) -> Path:
    """Renames a damaged shard to `<name>.damaged`, so that its texts count as missing."""
    aside = path.with_suffix(".damaged")
    with contextlib.suppress(FileNotFoundError):
        path.replace(aside)
    return aside


def sweep(folder: Path, older_than_s: float = 3600.0) -> None:
    """Removes what killed writers left behind."""
    for left in folder.glob(".*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - left.stat().st_mtime > older_than_s:
                left.unlink()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
