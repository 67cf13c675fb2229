"""A trained head on disk, as safetensors: how the lab hands a teacher to a task. No pickles, no code."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aar.errors import LabError
from aar.models.student import HeadStudent, TrainedHead


def save(model: TrainedHead, path: Path) -> None:
    from safetensors.numpy import save_file

    head = model.head
    tensors = {f"params.{k}": np.atleast_1d(v) for k, v in head.params.items()}
    scalars = ",".join(k for k, v in head.params.items() if np.ndim(v) == 0)
    save_file({**tensors, "shift": head.shift, "scale": head.scale}, path, {"kind": head.kind, "scalars": scalars})


def load(student: HeadStudent, path: Path) -> TrainedHead:
    """The head of `path` on this student's features."""
    from safetensors import safe_open

    from aar.models.heads import Head

    with safe_open(path, "numpy") as file:
        meta, tensors = file.metadata(), {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 (not a dict)
    if meta["kind"] != student.kind:
        raise LabError(f"{path.name} is a head for {meta['kind']} rows, not {student.kind}")
    scalars = set(meta["scalars"].split(","))
    params = {k[7:]: v[0] if k[7:] in scalars else v for k, v in tensors.items() if k.startswith("params.")}
    return TrainedHead(
        student, Head(student.kind, {k: np.asarray(v) for k, v in params.items()}, tensors["shift"], tensors["scale"])
    )
