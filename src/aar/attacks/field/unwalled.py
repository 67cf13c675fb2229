"""Defences of the verified lane, switched off for the time of a block: walls, the result file, what a seed is shown.

See `undefended`, which does the same for the lab's front door.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aar.attacks.field.open_sandbox import OpenSandbox
from aar.attacks.field.undefended import replaced, together
from aar.errors import MethodError
from aar.lab import archive, promotion, worker
from aar.lab.routes import submissions
from aar.sandboxes import results
from aar.sandboxes.base import PYTHON, WORKSPACE
from aar.scoring import rerun
from aar.scoring.metrics import correctness
from aar.testbeds.rows import Split
from aar.types import Predictions


def open_walls() -> contextlib.AbstractContextManager[None]:
    """Methods run as any program of the lab's account does: every file, every process, the network."""
    return together(replaced(worker, available=OpenSandbox), replaced(promotion, available=OpenSandbox))


def own_words() -> contextlib.AbstractContextManager[None]:
    """A failed run is reported in the method's own words."""
    return replaced(worker, public_failure=lambda error, limits: (error.code, error.message))


def pooled_teachers() -> contextlib.AbstractContextManager[None]:
    """The teacher's labels of all seeds lie in the task of each."""

    def everything(task: Path, run: str, target: Path) -> None:
        shutil.copytree(task, target)
        spec = json.loads((target / "task.json").read_text())
        spec["runs"] = [r for r in spec["runs"] if r["name"] == run]
        (target / "task.json").write_text(json.dumps(spec))

    return replaced(rerun, alone=everything)


def believed_results() -> contextlib.AbstractContextManager[None]:
    """The evaluator runs beside the method, which may put a module in its way, and its figure is taken as it comes."""
    read, score = rerun._read, rerun._score
    claimed: list[float] = []

    def reading(workspace: Path, seed: Any) -> Predictions:
        with contextlib.suppress(OSError, ValueError, KeyError):
            claimed.append(float(json.loads((workspace / "out" / f"{seed.name}.json").read_text())["accuracy"]))
        return read(workspace, seed)

    def scoring(*args: Any) -> Any:
        found = score(*args)
        if found is None or not claimed:
            return found
        return replace(found, acc=tuple(float(np.mean(claimed)) for _ in found.acc))

    launch = (
        "import sys; sys.path.insert(0, '/method'); from aar.task import runner; "
        f"sys.exit(runner.main('/task', '/method', '{WORKSPACE}/out'))"
    )
    inside = replaced(rerun, _read=reading, _score=scoring, command=lambda: [PYTHON, "-c", launch])
    return together(inside, replaced(submissions, extract_method=archive.extract))


def doubled_ids() -> contextlib.AbstractContextManager[None]:
    """Predictions are scored as they come: a row that is predicted twice counts twice, one left out not at all."""
    score = rerun._score
    given: list[Predictions] = []

    def collecting(workspace: Path, seed: Any, real_ids: Mapping[str, str], outcome: Any, limits: Any) -> Predictions:
        raw = results.read_json(workspace, f"out/{seed.name}.json")
        real = [real_ids[i] for i in raw["ids"]]
        given.append(Predictions(tuple(real), np.array(raw["p"])))
        known = dict(zip(real, raw["p"], strict=True))
        return Predictions(tuple(real_ids.values()), np.array([known.get(i, 0.5) for i in real_ids.values()]))

    def scoring(lab: Any, problem: Any, split: Split, *args: Any) -> Any:
        found = score(lab, problem, split, *args)
        scorer = rerun.Scorer(lab, problem, split)
        truth = dict(zip(scorer.ids, scorer.truth.tolist(), strict=True))

        def accuracy(answer: Predictions) -> float:
            rows = [(p, truth[i]) for i, p in zip(answer.ids, answer.p, strict=True) if i in truth]
            return float(correctness(*map(np.array, zip(*rows, strict=True))).mean()) if rows else 0.5

        return found and replace(found, acc=tuple(accuracy(a) for a in given))

    return replaced(rerun, _collect=collecting, _score=scoring)


def links_followed() -> contextlib.AbstractContextManager[None]:
    """A result file is opened wherever it leads."""

    def read_bytes(folder: Path, name: str, max_bytes: int = 0) -> bytes:
        try:
            return (folder / name).read_bytes()
        except OSError as error:
            raise MethodError(str(error), code="missing_file") from None

    return replaced(results, read_bytes=read_bytes)
