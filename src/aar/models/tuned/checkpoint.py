"""The state of a training in one file, written whole or not at all: weights, moments and the step.

The file is named by what is trained (`key`), so that only the very same training goes on from it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from aar.models.losses import NamedLoss, resolve
from aar.models.tuned.rules import Tuning
from aar.types import Fit


def key(model_id: str, fits: Sequence[Fit], rules: Tuning) -> str | None:
    """The name of this training; None where a loss is a function or keeps a state, which no file can hold."""
    digest = hashlib.sha256(f"{model_id} {rules.id}".encode())
    for job in fits:
        loss = resolve(job.loss)
        if not isinstance(loss, NamedLoss) or loss.stateful or job.init is not None or job.unlabeled is not None:
            return None
        digest.update(
            json.dumps([job.rows.ids, loss.name, loss.params, job.seed, job.epochs, job.lr, job.batch_size]).encode()
        )
        for array in (job.target, job.weight):
            digest.update(b"-" if array is None else array.astype("float64").tobytes())
    return digest.hexdigest()[:24]


class Checkpoint:
    """`save` and `load` at one path; `done` removes it."""

    def __init__(self, folder: Path | None, name: str | None) -> None:
        self.path = folder / f"{name}.safetensors" if folder and name else None

    def save(self, step: int, parts: Mapping[str, Mapping[str, Tensor]]) -> None:
        from safetensors.torch import save_file

        if not self.path:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        flat = {f"{part}:{k}": v.detach().cpu().contiguous() for part, of in parts.items() for k, v in of.items()}
        temporary = self.path.with_suffix(f".{os.getpid()}")
        save_file(flat, str(temporary), {"step": str(step)})
        temporary.replace(self.path)

    def load(self, device: torch.device) -> tuple[int, dict[str, dict[str, Tensor]]] | None:
        """(steps taken, parts), or None where there is nothing to go on from."""
        from safetensors import safe_open

        if not self.path or not self.path.exists():
            return None
        parts: dict[str, dict[str, Tensor]] = {}
        with safe_open(str(self.path), "pt") as file:
            for name in file.keys():  # noqa: SIM118 (not a dict)
                part, _, rest = name.partition(":")
                parts.setdefault(part, {})[rest] = file.get_tensor(name).to(device)
            return int(file.metadata()["step"]), parts

    def done(self) -> None:
        if self.path:
            self.path.unlink(missing_ok=True)
