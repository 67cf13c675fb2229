"""What a researcher asks of the lab and the queue, by name and with arguments that somebody else chose: a model, or a person.

Arguments may be anything; what is wrong with them is said in an InputError that its caller can read. Every tool acts through
the bench, so it is journaled, charged and done once.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import InputError
from aar.lab.archive import extract_method
from aar.researchers.base import clean
from aar.researchers.bench import Bench
from aar.researchers.llm.purse import Purse
from aar.researchers.signals import signals_of

VERDICT_S = 300.0
SOFT = 0.8  # of its own cap: from here on it is told with every budget


class BenchTools:
    """One researcher's. `use(name, args)` gives JSON. A `folder` comes with `tar`: its packed content, base64."""

    def __init__(self, bench: Bench, purse: Purse) -> None:
        self.bench, self.purse = bench, purse
        self._tried: dict[str, Path] = {}
        self._predicted: dict[str, dict[str, float]] = {}
        self._tools: dict[str, Callable[..., Any]] = {
            "try_method": self._try_method, "evaluate": self._evaluate, "evaluate_file": self._evaluate_file, "submit": self._submit,
            "verdict": self._verdict, "share_finding": self._share, "leaderboard": self._leaderboard, "budget": self._budget,
            "upload_snapshot": self._upload, "download_snapshot": self._download,
        }  # fmt: skip

    def use(self, name: str, args: dict[str, Any]) -> Any:
        """InputError for a tool or arguments that there are none of."""
        if name not in self._tools:
            raise InputError(f"no tool {clean(name, 40)!r}", hint=f"known: {', '.join(self._tools)}")
        try:
            return self._tools[name](**args)
        except TypeError as error:  # not the arguments that it takes
            raise InputError(f"{name}: {error}", code="bad_arguments") from error

    def _method(self, folder: str, tar: str) -> Path:
        """The packed folder as a method of the bench, under a name that says what is in it."""
        files = extract_method(b64decode(tar))
        stem = (
            "".join(c if c.isalnum() and c.isascii() else "-" for c in Path(folder).name.lower()).strip("-")[:30]
            or "method"
        )
        name = f"{stem}-{sha256(repr(sorted(files.items())).encode()).hexdigest()[:8]}"
        method = self.bench.write_method(name, files["method.py"].decode(errors="replace"))
        for path, data in files.items():
            (method / path).parent.mkdir(parents=True, exist_ok=True)
            (method / path).write_bytes(data)
        self._tried[name] = method
        return method

    def _try_method(self, folder: str, tar: str) -> dict[str, Any]:
        trial = self.bench.try_method(self._method(folder, tar))
        if trial.error:
            return {"trial": trial.name, "error": trial.error}
        self._predicted[trial.name] = dict(
            zip(trial.ids, trial.p.mean(axis=0, dtype=np.float64).round(6).tolist(), strict=True)
        )
        return {"trial": trial.name, "seconds": trial.seconds, "signals": signals_of(trial)}

    def _evaluate(self, trial: str) -> dict[str, Any]:
        if trial not in self._predicted:
            raise InputError(
                f"no trial {clean(trial, 60)!r} that ran",
                hint=f"known: {', '.join(self._predicted) or 'none: call try_method'}",
            )
        return asdict(self.bench.evaluate(self._predicted[trial]))

    def _evaluate_file(self, predictions: Any) -> dict[str, Any]:
        if not isinstance(predictions, dict) or not all(isinstance(p, int | float) for p in predictions.values()):
            raise InputError("the file is no JSON object of row id: probability", code="bad_predictions")
        return asdict(self.bench.evaluate(predictions))

    def _submit(self, folder: str, tar: str, claimed: float | None = None) -> dict[str, Any]:
        return {"submission": self.bench.submit(self._method(folder, tar), claimed)}

    def _verdict(self, submission: int, wait_s: float = 0.0) -> dict[str, Any]:
        return asdict(self.bench.submission(int(submission), min(float(wait_s), VERDICT_S)))

    def _share(
        self, kind: Any, title: str, body: str, runs: Any = (), snapshots: Any = (), findings: Any = ()
    ) -> dict[str, Any]:
        return {
            "finding": self.bench.share_finding(kind, title, body, runs=runs, snapshots=snapshots, findings=findings)
        }

    def _leaderboard(self) -> list[dict[str, Any]]:
        return [asdict(row) for row in self.bench.leaderboard()]

    def _budget(self) -> dict[str, Any]:
        left, spent = (
            asdict(self.bench.budget()),
            self.bench.step(
                "spent", {}, lambda _: round(self.purse.spent(self.bench.study, self.bench.name), 4)
            ).answer,
        )
        soon = (
            {"note": "little money is left: hand in what you have"}
            if spent > SOFT * self.bench.assignment.llm.usd
            else {}
        )
        return {**left, "usd": round(max(0.0, self.bench.assignment.llm.usd - spent), 4), **soon}

    def _upload(self, folder: str, tar: str, note: str, parents: Any = ()) -> dict[str, Any]:
        return {"snapshot": self.bench.upload_snapshot(self._method(folder, tar), list(parents), note)}

    def _download(self, id: str) -> dict[str, Any]:
        folder = self.bench.download_snapshot(id)
        return {
            "folder": f"/snapshots/{id}",
            "files": sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()),
        }
