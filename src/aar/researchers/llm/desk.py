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
from typing import Any

from aar.errors import AarError, ProviderDown
from aar.researchers.base import clean
from aar.researchers.bench import Bench
from aar.researchers.journal import is_fact
from aar.researchers.llm.asking import Asking
from aar.researchers.llm.bench_tools import BenchTools
from aar.researchers.llm.prices import Prices
from aar.researchers.llm.purse import Purse
from aar.researchers.llm.unanswered import Unanswered

POLL_S = 0.5


class Desk:
    """Serves one process. `link`: this end of the pair."""

    def __init__(self, bench: Bench, purse: Purse, prices: Prices, link: socket.socket) -> None:
        self.bench, self.asking = bench, Asking(bench, purse, prices)
        self._link, self._in = link, link.makefile("rb")
        self.tools = BenchTools(bench, purse)

    def serve(self) -> str:
        """Until the process says that it is done: its last words. ProviderDown where it ends without."""
        while True:
            request = self._hear()
            if "done" in request:
                return str(request["done"])
            try:
                answer = {
                    "answer": self._step(request)
                    if "step" in request
                    else self.tools.use(request["tool"], request["args"])
                }
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
            raise Unanswered(heard["failed"], heard["billed"], heard["final"])
        return heard["did"]

    def _think(self, request: dict[str, Any]) -> Any:
        """An answer is settled after it is on disk, and again (which changes nothing) whenever it is replayed."""
        model, most = request["model"], (request["most"], self.bench.assignment.llm.max_tokens)
        ask = lambda key: self.asking.ask(key, model, *most, self._done)  # noqa: E731
        answer = self.bench.step("model", request["args"], ask).answer
        self.asking.settle(answer)
        self.bench.log(f"thinks: {clean(answer['text'], 300)}")
        return answer
