"""Read the rows once, block by block, and note what each costs before and after it is learnt (prequential coding, Dawid 1984)."""

from __future__ import annotations

import numpy as np

from aar.methods.parts.crossfit import folds_of
from aar.methods.parts.mixture import losses_of
from aar.types import Fit, Model, Task


def trace(
    task: Task, target: np.ndarray, blocks: int, epochs: int, reverse: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """(loss [blocks + 1, n] of every row before the first block and after each, turn [n]: the block of each row).

    Each block is learnt from the weights that the one before left; reverse: last block first."""
    turn = folds_of(task, blocks)
    turn = blocks - 1 - turn if reverse else turn
    model: Model | None = None
    lines = [np.full(len(target), np.log(2.0))]
    for block in range(blocks):
        here = turn == block
        if here.any():
            job = Fit(task.train.take(here), target[here], seed=task.seed + block, init=model, epochs=epochs)
            (model,) = task.student.fit([job])
        lines.append(losses_of(model.predict(task.train), target) if model else lines[-1])
    return np.stack(lines), turn
