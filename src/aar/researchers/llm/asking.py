"""Asking a model under the caps: its worst case is reserved before a request is sent, and settled once the answer is on disk.

A provider that is away is asked again for as long as it takes, each time under a reservation of its own. What was not
billed for sure is released; what may have been stays at its worst case.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aar.errors import ProviderDown
from aar.researchers.base import Stopped, clean
from aar.researchers.bench import Bench
from aar.researchers.llm.given import Directed
from aar.researchers.llm.prices import Prices, Tokens
from aar.researchers.llm.purse import Purse, Waiting
from aar.researchers.llm.unanswered import Unanswered

# s between tries of a provider that is away; the last one for as long as it takes
WAITS_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Asking:
    """For one researcher. Threads may share it."""

    def __init__(self, bench: Bench, purse: Purse, prices: Prices) -> None:
        self.bench, self.purse, self.prices, self.directed = bench, purse, prices, Directed(bench)

    def ask(
        self, key: str, model: str, most_in: int, most_out: int, send: Callable[[str], dict[str, Any]]
    ) -> dict[str, Any]:
        """What `send(ref)` answers, with `ref`, `model` and `news` for the model to read; it raises Unanswered. Tokens: at most so many are billed."""
        most = self.prices.most(model, most_in, most_out)
        for tries in range(1 << 30):
            ref = self._reserve(key, most)
            try:
                return {**send(ref), "ref": ref, "model": model, "news": self.directed.news()}
            except Unanswered as no:
                (self.purse.lose if no.billed else self.purse.release)(ref)
                if no.final:
                    raise ProviderDown(
                        f"the model's provider refuses: {clean(no)}",
                        code="model_refused",
                        hint="check the model's name, the key and its credit",
                    ) from no
                wait = WAITS_S[min(tries, len(WAITS_S) - 1)]
                self.bench.log(f"waits {wait:g} s for the model's provider: {clean(no, 200)}", code="provider_away")
                self.bench.rest(wait)
            except (ProviderDown, Stopped):  # a process died, or time ran out, with the request under way
                self.purse.lose(ref)
                raise
        raise AssertionError("unreachable")

    def settle(self, answer: dict[str, Any]) -> None:
        """Once the answer is on disk; again, it changes nothing. `tokens` None: nobody tells, so it costs its worst case."""
        self.directed.hear(answer.get("news", ""))
        if answer["tokens"] is None:
            return self.purse.lose(answer["ref"])
        used = Tokens(**answer["tokens"])
        usd = self.prices.usd(answer["model"], used)
        counts = {"tokens_in": used.input, "cached": used.cached, "tokens_out": used.out}
        return self.purse.settle(answer["ref"], usd, **counts, model=answer["model"])

    def _reserve(self, key: str, usd: float) -> str:
        while True:
            try:
                return self.purse.reserve(key, self.bench.study, self.bench.name, usd, self.bench.assignment.llm)
            except Waiting:
                self.bench.rest(0.2)
