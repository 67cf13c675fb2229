"""Have a model solve a full testbed's problems: a local one, or any behind an OpenAI-compatible endpoint.

Appends to one file a model; problems that are in it already are left out, so a killed run goes on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Protocol

from aar.errors import InputError, ProviderDown
from aar.testbeds.full.beds import Problem, full_beds, plain
from aar.testbeds.full.sources import text
from aar.testbeds.jsonl import read_own

KEY = "AAR_ENDPOINT_KEY"  # environment variable with the endpoint's key, if it wants one
BATCH = 32  # problems asked at a time: what a kill can lose
TIMEOUT_S = 600.0


class Sample(Protocol):
    """[len(prompts)][n] continuations."""

    def __call__(self, prompts: Sequence[str], n: int, temperature: float, max_tokens: int) -> list[list[str]]: ...


def generate(
    bed: str,
    out: Path,
    generator: str,
    sample: Sample,
    root: Path | None = None,
    n: int = 2,
    temperature: float = 0.7,
    max_tokens: int = 2048,
    limit: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Solutions written to `out`: n to each of the first `limit` problems that it does not hold yet."""
    solving = full_beds.get(bed).solving
    if solving is None:
        raise InputError(f"{bed} needs no generated solutions", hint=f"aar testbed prepare {bed}")
    folders = {source.name: source.at(root) for source in full_beds.get(bed).sources}
    done = {plain(text(record, "question")) for record in read_own(out)}
    todo = islice((p for p in solving.problems(folders) if plain(p.question) not in done), limit)
    out.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with out.open("a") as file:
        for some in _batches(todo):
            prompts = [solving.prompt.format(question=p.question) for p in some]
            for problem, texts in zip(some, sample(prompts, n, temperature, max_tokens), strict=True):
                for one in texts:
                    line = {"question": problem.question, "solution": one.strip(), "generator": generator}
                    file.write(json.dumps(line) + "\n")
                    written += 1
            file.flush()
            if progress:
                progress(written)
    return written


def _batches(problems: Iterator[Problem]) -> Iterator[list[Problem]]:
    while some := list(islice(problems, BATCH)):
        yield some


def local(model: str, seed: int = 0) -> Sample:
    """A model's own samples, its chat template around the prompt where it has one."""
    from aar.models import frozen

    lm = frozen.load(model)

    def sample(prompts: Sequence[str], n: int, temperature: float, max_tokens: int) -> list[list[str]]:
        if lm.tokenizer.chat_template:
            chats = [[{"role": "user", "content": prompt}] for prompt in prompts]
            prompts = lm.tokenizer.apply_chat_template(chats, tokenize=False, add_generation_prompt=True)
        return lm.generate(prompts, n, temperature, max_tokens, seed)

    return sample


def endpoint(url: str, model: str) -> Sample:
    """Chat completions at `url` (".../v1"), the problems of a batch side by side; any fault is the provider's."""
    from concurrent.futures import ThreadPoolExecutor

    import httpx

    headers = {"Authorization": f"Bearer {os.environ[KEY]}"} if KEY in os.environ else {}

    def sample(prompts: Sequence[str], n: int, temperature: float, max_tokens: int) -> list[list[str]]:
        def ask(prompt: str) -> list[str]:
            body = {"model": model, "messages": [{"role": "user", "content": prompt}], "n": n}
            body |= {"temperature": temperature, "max_tokens": max_tokens}
            try:
                answer = client.post(f"{url.rstrip('/')}/chat/completions", json=body)
                answer.raise_for_status()
                return [choice["message"]["content"] or "" for choice in answer.json()["choices"]]
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                hint = f"check --endpoint and ${KEY}; the same command goes on where it was"
                raise ProviderDown(f"{url} gave no completion: {error}", code="endpoint_down", hint=hint) from error

        with httpx.Client(headers=headers, timeout=TIMEOUT_S) as client, ThreadPoolExecutor(BATCH) as pool:
            return list(pool.map(ask, prompts))

    return sample
