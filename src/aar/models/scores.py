"""Prompt scores on disk, by content: log P(completion | prompt) of a frozen model is the same for every seed.

Beside the features of the same model: `<root>/<model id>/scores/<digest>.safetensors`, a file a batch, with `keys` uint8
[m, 32] (SHA-256 of prompt and completion) and `logp` f32 [m]. Anybody who is shown the folder reads; only a trusted
worker is given `into`, where what was missing is kept, some seconds' work at a time. Knows no models.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from aar.models.shards import SUFFIX, publish

Score = Callable[[Sequence[str], Sequence[Sequence[str]]], np.ndarray]
Progress = Callable[[int, int, float], None]  # prompts done, prompts in all, seconds left
CHUNK = 128  # prompts in a file: what a kill can lose


def key_of(prompt: str, completion: str) -> bytes:
    digest = hashlib.sha256(prompt.encode("utf-8", "surrogatepass"))
    digest.update(b"\0" + completion.encode("utf-8", "surrogatepass"))
    return digest.digest()


class ScoreStore:
    """The scores of one model. `into`: the root that new ones are written to, one of `roots`; None: nothing is written."""

    def __init__(
        self, roots: Sequence[Path], model_id: str, into: Path | None = None, progress: Progress | None = None
    ) -> None:
        self.folders = [Path(root) / model_id / "scores" for root in roots]
        self.into = Path(into) / model_id / "scores" if into else None
        self.progress = progress
        self._known: dict[bytes, float] = {}
        self._read: set[Path] = set()

    def score(self, prompts: Sequence[str], completions: Sequence[Sequence[str]], model: Score) -> np.ndarray:
        """f32 [n, k], as `FrozenLM.score` answers; `model` is asked for the prompts with a completion that is missing."""
        self._refresh()
        keys = [[key_of(p, c) for c in row] for p, row in zip(prompts, completions, strict=True)]
        todo = [i for i, row in enumerate(keys) if any(key not in self._known for key in row)]
        start = time.monotonic()
        for at in range(0, len(todo), CHUNK):
            piece = todo[at : at + CHUNK]
            values = model([prompts[i] for i in piece], [completions[i] for i in piece])
            self._keep(
                {
                    key: float(v)
                    for i, row in zip(piece, values, strict=True)
                    for key, v in zip(keys[i], row, strict=True)
                }
            )
            if self.progress:
                done = at + len(piece)
                self.progress(done, len(todo), (time.monotonic() - start) * (len(todo) - done) / done)
        return np.array([[self._known[key] for key in row] for row in keys], dtype=np.float32).reshape(len(keys), -1)

    def _keep(self, found: dict[bytes, float]) -> None:
        self._known.update(found)
        if self.into:
            logp = np.array(list(found.values()), dtype=np.float32)
            self._read.add(publish(self.into, list(found), {"logp": logp}))

    def _refresh(self) -> None:
        """Takes in the files that appeared since the last look; what cannot be read is scored again."""
        from safetensors import SafetensorError, safe_open

        for path in (
            p for folder in self.folders for p in sorted(folder.glob(f"[!.]*{SUFFIX}")) if p not in self._read
        ):
            self._read.add(path)
            try:
                with safe_open(path, "np") as file:
                    keys, logp = file.get_tensor("keys"), file.get_tensor("logp")
            except (SafetensorError, OSError, ValueError):
                continue
            self._known.update((bytes(key), float(value)) for key, value in zip(keys, logp, strict=True))
