"""Dollars of a model's answer: from the lab's own table, else from `genai-prices`. An unknown model has no price, never 0.

The table is `<lab>/prices.toml`, dollars per million tokens; what is left out costs what `input` costs:

    ["vllm/my-model"]
    input = 0.0
    output = 0.0
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.errors import InputError

SCRIPTED = "anthropic/scripted"  # the scripted model of `aar.testing`; priced, so that caps and ledgers have something to count
TABLE = {SCRIPTED: {"input": 3.0, "cache_read": 0.3, "cache_write": 3.75, "output": 15.0}}
MILLION = 1_000_000


@dataclass(frozen=True)
class Tokens:
    """Of one answer. `fresh`: input at the full price; what was read from and written to a cache comes on top."""

    fresh: int = 0
    cached: int = 0
    written: int = 0
    out: int = 0

    @property
    def input(self) -> int:
        return self.fresh + self.cached + self.written


def tokens_of(used: Any) -> Tokens | None:
    """Of Inspect's `ModelUsage`; None where the provider does not tell: such an answer costs its worst case."""
    if used is None:
        return None
    cached, written = used.input_tokens_cache_read or 0, used.input_tokens_cache_write or 0
    return Tokens(used.input_tokens, cached, written, used.output_tokens)


class Prices:
    """`Prices(lab / "prices.toml")`. Reads the file once."""

    def __init__(self, path: Path | None = None) -> None:
        own = tomllib.loads(path.read_text()) if path and path.exists() else {}
        self.table: Mapping[str, Mapping[str, float]] = {**TABLE, **own}

    def usd(self, model: str, tokens: Tokens) -> float:
        """InputError where nobody knows the model's price."""
        if (line := self.table.get(model)) is not None:
            full = line["input"]
            parts = (
                (tokens.fresh, full), (tokens.cached, line.get("cache_read", full)),
                (tokens.written, line.get("cache_write", full)), (tokens.out, line["output"]),
            )  # fmt: skip
            return sum(count * price for count, price in parts) / MILLION
        return _published(model, tokens)

    def most(self, model: str, tokens_in: int, tokens_out: int) -> float:
        """The dearest way in which so many tokens can be billed: caches written or not."""
        return max(
            self.usd(model, Tokens(tokens_in, out=tokens_out)),
            self.usd(model, Tokens(written=tokens_in, out=tokens_out)),
        )


def _published(model: str, tokens: Tokens) -> float:
    import genai_prices

    provider, _, name = model.partition("/")
    usage = genai_prices.Usage(
        input_tokens=tokens.input,
        cache_read_tokens=tokens.cached,
        cache_write_tokens=tokens.written,
        output_tokens=tokens.out,
    )
    try:
        return float(genai_prices.calc_price(usage, name, provider_id=provider).total_price)
    except LookupError as error:
        raise InputError(
            f"nobody knows what {model!r} costs",
            code="unknown_price",
            hint=f'write it to <lab>/prices.toml, in dollars per million tokens: ["{model}"] input = 3.0 output = 15.0 (0.0 if it is free)',
        ) from error
