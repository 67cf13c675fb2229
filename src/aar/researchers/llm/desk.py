"""The desk: the lab's side of an LLM researcher. The process that talks to the model asks here for everything that counts.

One JSON object a line over a socket pair, one request at a time. From the process:

    {"step": what, "args": any}                          -> {"do": null} (do it, then {"did": answer}) -> {"answer": ...}
    {"step": "model", "args", "model", "most": tokens}   -> the same, with dollars reserved before "do" and settled after
    {"tool": name, "args": {...}}                        -> {"answer": ...}, {"error": text} for the model to read

Every step goes through the researcher's journal: on disk before it is done and again before its answer is told, so a
process that was killed is started anew, makes the same steps, and gets the recorded answers until it is where it was.
"""

from __future__ import annotations

import contextlib
import json
import select
import socket
from base64 import b64decode
from collections.abc import Callable
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from aar.errors import AarError, InputError, ProviderDown
from aar.lab.archive import extract_method
from aar.researchers.base import Stopped, clean
from aar.researchers.bench import Bench
from aar.researchers.journal import is_fact
from aar.researchers.llm.prices import Prices, Tokens
from aar.researchers.llm.purse import Purse, Waiting
from aar.researchers.signals import signals_of

WAITS_S = (
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
    60.0,
)  # between tries of a provider that is away; the last one for as long as it takes
VERDICT_S = 300.0
POLL_S = 0.5
SOFT = 0.8  # of its own cap: from here on it is told with every budget


class Desk:
    """Serves one process. `link`: this end of the pair."""

    def __init__(self, bench: Bench, purse: Purse, prices: Prices, link: socket.socket) -> None:
        self.bench, self.purse, self.prices = bench, purse, prices
        self.llm, self.who = bench.assignment.llm, (bench.study, bench.name)
        self._link, self._in = link, link.makefile("rb")
        self._tried: dict[str, Path] = {}
        self._predicted: dict[str, dict[str, float]] = {}
        self._tools: dict[str, Callable[..., Any]] = {
            "try_method": self._try_method, "evaluate": self._evaluate, "evaluate_file": self._evaluate_file, "submit": self._submit,
            "verdict": self._verdict, "share_finding": self._share, "leaderboard": self._leaderboard, "budget": self._budget,
            "upload_snapshot": self._upload, "download_snapshot": self._download,
        }  # fmt: skip

    def serve(self) -> str:
        """Until the process says that it is done: its last words. ProviderDown where it ends without."""
        while True:
            request = self._hear()
            if "done" in request:
                return str(request["done"])
            try:
                answer = {"answer": self._step(request) if "step" in request else self._tool(request)}
            except AarError as error:
                if not is_fact(error) or "step" in request:
                    self._say({"stop": error.message})
                    raise
                answer = {"error": str(error)}
            self._say(answer)

    def _hear(self) -> dict[str, Any]:
        while not select.select([self._link], [], [], POLL_S)[0]:
            self.bench.check_time()
        line = b""
        with contextlib.suppress(ConnectionError):
            line = self._in.readline()
        if not line.endswith(b"\n"):
            raise ProviderDown(
                "the researcher's process ended", code="agent_lost", hint=f"see {self.bench.home}/agent.log"
            )
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _say(self, words: dict[str, Any]) -> None:
        try:
            self._link.sendall(json.dumps(words).encode() + b"\n")
        except OSError as error:
            raise ProviderDown(
                "the researcher's process ended", code="agent_lost", hint=f"see {self.bench.home}/agent.log"
            ) from error

    # -- steps

    def _step(self, request: dict[str, Any]) -> Any:
        name = request["step"]
        if name == "model":
            return self._think(request)
        told = self.bench.step(name, request["args"], lambda key: self._done(None))
        if not told.replayed:
            self.bench.log(f"{name}: {clean(json.dumps(request['args']), 200)}")
        return told.answer

    def _done(self, ref: str | None) -> Any:
        self._say({"do": ref})
        heard = self._hear()
        if "failed" in heard:
            raise _Failed(heard["failed"], heard["billed"], heard["final"])
        return heard["did"]

    def _think(self, request: dict[str, Any]) -> Any:
        """An answer is settled after it is on disk, and again (which changes nothing) whenever it is replayed."""
        told = self.bench.step("model", request["args"], lambda key: self._ask(key, request))
        answer = told.answer
        if answer["tokens"] is None:
            self.purse.lose(answer["ref"])
        else:
            used = Tokens(**answer["tokens"])
            usd = self.prices.usd(answer["model"], used)
            self.purse.settle(
                answer["ref"], usd, tokens_in=used.input, cached=used.cached, tokens_out=used.out, model=answer["model"]
            )
        self.bench.log(f"thinks: {clean(answer['text'], 300)}")
        return answer

    def _ask(self, key: str, request: dict[str, Any]) -> dict[str, Any]:
        """Ask until it answers. What was not billed for sure is released, what may have been stays at its worst case."""
        most = self.prices.most(request["model"], request["most"], self.llm.max_tokens)
        for tries in range(1 << 30):
            ref = self._reserve(key, most)
            try:
                return {**self._done(ref), "ref": ref, "model": request["model"]}
            except _Failed as failed:
                (self.purse.lose if failed.billed else self.purse.release)(ref)
                if failed.final:
                    raise ProviderDown(
                        f"the model's provider refuses: {clean(failed.why)}",
                        code="model_refused",
                        hint="check the model's name, the key and its credit",
                    ) from failed
                wait = WAITS_S[min(tries, len(WAITS_S) - 1)]
                self.bench.log(f"waits {wait:g} s for the model's provider: {clean(failed.why, 200)}")
                self.bench.rest(wait)
            except (ProviderDown, Stopped):  # the process died, or time ran out, with the request under way
                self.purse.lose(ref)
                raise
        raise AssertionError("unreachable")

    def _reserve(self, key: str, usd: float) -> str:
        while True:
            try:
                return self.purse.reserve(key, *self.who, usd, self.llm)
            except Waiting:
                self.bench.rest(0.2)

    # -- tools

    def _tool(self, request: dict[str, Any]) -> Any:
        try:
            return self._tools[request["tool"]](**request["args"])
        except TypeError as error:  # not the arguments that it takes
            raise InputError(f"{request['tool']}: {error}", code="bad_arguments") from error

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
            self.bench.step("spent", {}, lambda _: round(self.purse.spent(*self.who), 4)).answer,
        )
        soon = {"note": "little money is left: hand in what you have"} if spent > SOFT * self.llm.usd else {}
        return {**left, "usd": round(max(0.0, self.llm.usd - spent), 4), **soon}

    def _upload(self, folder: str, tar: str, note: str, parents: Any = ()) -> dict[str, Any]:
        return {"snapshot": self.bench.upload_snapshot(self._method(folder, tar), list(parents), note)}

    def _download(self, id: str) -> dict[str, Any]:
        folder = self.bench.download_snapshot(id)
        return {
            "folder": f"/snapshots/{id}",
            "files": sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()),
        }


class _Failed(Exception):
    """A request to the model that gave no answer. `billed`: it may have been. `final`: no second try can help."""

    def __init__(self, why: str, billed: bool, final: bool) -> None:
        super().__init__(why)
        self.why, self.billed, self.final = why, billed, final
