"""The public side of a task, and reading what a trial left in the workspace, as if a stranger had written it.

Every run must have left one probability for every id, in a plain file; the first that did not says why the trial failed.
Arrays travel through the journal as base64 of little-endian f32, so that a replay is the same to the bit.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import AarError, MethodError
from aar.researchers.base import Trial, clean
from aar.sandboxes import results
from aar.task.folder import TaskSpec, read_rows, read_weak
from aar.task.warm import fold_of
from aar.types import Predictions, Rows

MAX_PREDICTIONS = 16 << 20


class PublicTask:
    """`seeds`: the names of its runs; `test` and `train`: its rows; `weak` f32 [m]: weak labels of the first seed."""

    def __init__(self, task: Path) -> None:
        spec = TaskSpec.load(task)
        self.seeds = tuple(run.name for run in spec.runs)
        self.test, self.train = (read_rows(task / f"{part}.jsonl", spec.kind) for part in ("test", "train"))
        self.weak = read_weak(task / spec.runs[0].weak, self.train.ids)

    @property
    def offers(self) -> frozenset[str]:
        """A research task has weak labels and cached features, and pairs where its rows are pairs."""
        return frozenset({"weak", "features", "fit", *(["pairs"] if self.test.kind == "pair" else [])})

    def collect(self, workspace: Path, out: str, cross: tuple[str, int] | None) -> dict[str, Any]:
        """{p, held_out} as base64 of f32. MethodError with what went wrong first."""
        p = np.stack([_read(workspace, out, seed, self.test) for seed in self.seeds])
        answer = {"p": _packed(p)}
        if cross:
            answer["held_out"] = _packed(self._held_out(workspace, out, *cross))
        return answer

    def _held_out(self, workspace: Path, out: str, seed: str, folds: int) -> np.ndarray:
        fold, p = fold_of(self.train, folds), np.full(len(self.train), np.nan, np.float32)
        for k in range(folds):
            p[fold == k] = _read(workspace, out, f"{seed}.fold{k}", self.train.take(fold == k))
        return p

    def trial(self, name: str, told: dict[str, Any]) -> Trial:
        none = np.full(len(self.train), np.nan, np.float32)
        held_out = _unpacked(told["held_out"]) if "held_out" in told else none
        p = (
            _unpacked(told["p"]).reshape(len(self.seeds), -1)
            if "p" in told
            else np.empty((0, len(self.test)), np.float32)
        )
        return Trial(name, self.test.ids, p, held_out, self.weak, told["seconds"], told.get("error"))


def _read(workspace: Path, out: str, run: str, rows: Rows) -> np.ndarray:
    """f32 [n] of one run, in the order of `rows`."""
    try:
        raw = results.read_json(workspace, f"{out}/{run}.json", MAX_PREDICTIONS)
    except MethodError as error:
        if error.code == "missing_file":
            raise _reported(workspace, out, run) from error
        raise
    try:
        ids, p = raw["ids"], raw["p"]
        if not all(isinstance(i, str) for i in ids) or not all(type(x) in (int, float) for x in p):
            raise TypeError("ids must be strings and p numbers")
        return Predictions(tuple(ids), np.array(p)).aligned(rows.ids).astype(np.float32)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise MethodError(f"{run}.json is malformed: {error}", code="bad_result") from error


def _reported(workspace: Path, out: str, run: str) -> MethodError:
    """What the runner in the sandbox says of a run without predictions: its word."""
    try:
        raw = results.read_json(workspace, f"{out}/{run}.error.json", 1 << 16)
        return MethodError(clean(raw["message"]), code=clean(raw["code"], 40))
    except (AarError, KeyError, TypeError):
        return MethodError(f"run {run} ended without predictions", code="no_predictions")


def _packed(array: np.ndarray) -> str:
    return base64.b64encode(array.astype("<f4").tobytes()).decode()


def _unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), "<f4")
