"""A method put together from parts: a label step, a selection step, weights, a loss, self-training, an ensemble.

    def run(task): return Recipe(label="balanced", select="confident", loss="logconf", members=3).run(task)

Unknown steps and parameters are errors that list the known ones. Everything a recipe does goes through the public
method contract, so it runs on any student.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from inspect import getmembers, isfunction, signature
from types import ModuleType
from typing import Any

import numpy as np

from aar.errors import MethodError
from aar.methods.parts import labels, selections, weights
from aar.methods.parts.crossfit import out_of_fold
from aar.models.losses import make
from aar.types import Fit, Loss, Predictions, Task


def steps(module: ModuleType) -> dict[str, Callable[..., np.ndarray]]:
    """The steps that a module offers: its own public functions of a task."""
    own = getmembers(module, lambda f: isfunction(f) and f.__module__ == module.__name__)
    return {name: f for name, f in own if next(iter(signature(f).parameters)) == "task"}


def _step(module: ModuleType, name: str) -> Callable[..., np.ndarray]:
    known = steps(module)
    if name not in known:
        raise MethodError(f"no step is called {name!r}", code="unknown_parameter", hint=f"known: {', '.join(known)}")
    return known[name]


@dataclass(frozen=True)
class Recipe:
    """label, select, weigh, loss: names of parts, with their parameters beside them. layer: the student's layer that heads
    read, None for the problem's own. rounds: how often targets are replaced by the student's own out-of-fold
    predictions, mixed with the old ones by `trust`. members: students averaged in logit space."""

    label: str = "hard"
    label_params: dict[str, Any] = field(default_factory=dict)
    select: str = "everything"
    select_params: dict[str, Any] = field(default_factory=dict)
    weigh: str = "evenly"
    weigh_params: dict[str, Any] = field(default_factory=dict)
    loss: str = "xent"
    loss_params: dict[str, Any] = field(default_factory=dict)
    layer: int | None = None
    rounds: int = 0
    trust: float = 0.5
    members: int = 1
    epochs: int | None = None
    lr: float | None = None
    batch_size: int | None = None

    def run(self, task: Task) -> Predictions:
        task = _at_layer(task, self.layer)
        target = _step(labels, self.label)(task, **self.label_params)
        keep = _step(selections, self.select)(task, target, **self.select_params)
        loss: Loss = make(self.loss, **self.loss_params) if self.loss_params else self.loss
        for _ in range(self.rounds):
            target = (1 - self.trust) * target + self.trust * out_of_fold(task, target, keep, loss=loss)
        weight = _step(weights, self.weigh)(task, target, **self.weigh_params)
        rows = task.train.take(keep)
        shape = {"epochs": self.epochs, "lr": self.lr, "batch_size": self.batch_size}
        job = Fit(rows, target[keep], weight[keep], loss, **shape)  # type: ignore[arg-type]
        jobs = [replace(job, seed=task.seed + 1000 * m) for m in range(self.members)]
        z = np.mean([labels.logit(model.predict(task.test)) for model in task.student.fit(jobs)], axis=0)
        return Predictions(task.test.ids, labels.sigmoid(z))


def _at_layer(task: Task, layer: int | None) -> Task:
    return task if layer is None else replace(task, student=task.student.at(layer))  # type: ignore[attr-defined]
