"""The one way out of a sandbox whose program asks its model itself: a unix socket, onto the Messages API.

The host adds the key, reserves dollars, asks (by Anthropic's SDK), writes the answer down, settles it, and only then passes it
on: what the sandbox heard is on disk and paid. Whoever is inside may send anything; `passed_on` says what goes out.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic

from aar.errors import AarError, ProviderDown
from aar.researchers.base import clean
from aar.researchers.llm.asking import Asking
from aar.researchers.llm.passed_on import checked, objects
from aar.researchers.llm.relay_socket import AT_ONCE, Theirs, server
from aar.researchers.llm.transcript import Transcript
from aar.researchers.llm.unanswered import unanswered

THEIRS = (400, 404, 413, 422)  # the request itself is wrong: its author is told
IMAGE = 6000  # tokens; an image's are not bounded by its bytes
OVERHEAD = 2048  # tokens that the provider adds of its own
MESSAGE = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage", "context_management")
KEPT = 20  # billed requests that later ones may go on from


class Relay:
    """`with Relay(...) as relay:` serves `relay.folder`/model.sock. `models`: name on the wire -> priced name."""

    def __init__(
        self,
        folder: Path,
        asking: Asking,
        client: anthropic.Anthropic,
        models: Mapping[str, str],
        transcript: Transcript,
    ) -> None:
        self.folder, self.asking, self.client, self.models, self.transcript = folder, asking, client, models, transcript
        self.most_out = asking.bench.assignment.llm.max_tokens
        self.fault: AarError | None = None  # a cap, the end of time, a key that does not work: nothing more is asked
        self.ended = threading.Event()
        self._billed: list[tuple[tuple[str, ...], int]] = []  # digests of a request, and its input tokens
        self._pool = ThreadPoolExecutor(AT_ONCE, "model")
        self._server = server(str(folder / "model.sock"), self)

    def __enter__(self) -> Relay:
        for line in self.transcript.answers():  # a kill may have come between an answer and its charge
            self.asking.settle({**line, "tokens": _tokens(line["answer"]["usage"])})
        threading.Thread(target=self._server.serve_forever, args=(0.5,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._pool.shutdown(wait=False, cancel_futures=True)  # what is under way is settled when it comes

    def submit(self, raw: bytes, betas: str | None) -> Future[dict[str, Any]]:
        """The message, sooner or later. InputError for a request that is not passed on."""
        return self._pool.submit(self.ask, checked(raw, self.models, self.most_out), betas)

    def ask(self, request: dict[str, Any], betas: str | None = None) -> dict[str, Any]:
        """A whole answer, as the API gives it."""
        if self.fault:
            raise self.fault
        digests = self.transcript.keep(request)
        bench, model = self.asking.bench, self.models[request["model"]]
        try:
            answer = self.asking.ask(
                f"{bench.study}/{bench.name}/model", model, self._most(digests, request), request["max_tokens"],
                lambda ref: self._send(request, betas),
            )  # fmt: skip
        except AarError as error:
            if not isinstance(error.__cause__, Theirs):
                self.fault = self.fault or error
                self.ended.set()
            raise
        self.transcript.write(digests, answer)
        self.asking.settle(answer)
        self._billed = [*self._billed[-KEPT:], (digests, _input(answer["message"]))]
        bench.log(f"thinks: {clean(_text(answer['message']), 300)}")
        return dict(answer["message"])

    def _most(self, digests: tuple[str, ...], request: dict[str, Any]) -> int:
        """Input tokens at most: what was billed for the part that was sent before, a token a byte for the rest."""
        known, billed = max(
            ((d, n) for d, n in self._billed if d == digests[: len(d)]), default=((), 0), key=lambda k: len(k[0])
        )
        parts = [request.get("system"), request.get("tools"), *request["messages"]][len(known) :]
        images = sum(block.get("type") == "image" for block in objects(parts))
        return billed + len(json.dumps(parts).encode()) + IMAGE * images + OVERHEAD

    def _send(self, request: dict[str, Any], betas: str | None) -> dict[str, Any]:
        known = {"model": request["model"], "messages": request["messages"], "max_tokens": request["max_tokens"]}
        headers = {"anthropic-beta": betas} if betas else {}
        try:
            with self.client.messages.stream(**known, extra_headers=headers, extra_body=request) as stream:
                message = stream.get_final_message().to_dict(mode="json")
        except anthropic.APIStatusError as error:
            if error.status_code in THEIRS:
                raise Theirs(str(error), error.status_code, error.body) from error
            raise unanswered(error) from error
        except Exception as error:  # whatever the way or the SDK raises
            raise unanswered(error) from error
        kept: dict[str, Any] = {k: v for k, v in message.items() if k in MESSAGE}
        return {"message": kept, "tokens": _tokens(kept["usage"])}


def _tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    """As `prices.Tokens`."""
    read = {
        "fresh": "input_tokens",
        "cached": "cache_read_input_tokens",
        "written": "cache_creation_input_tokens",
        "out": "output_tokens",
    }
    return {name: int(usage.get(key) or 0) for name, key in read.items()}


def _input(message: Mapping[str, Any]) -> int:
    used = _tokens(message["usage"])
    return sum(used.values()) - used["out"]


def _text(message: Mapping[str, Any]) -> str:
    return " ".join(b["text"] for b in message["content"] if b["type"] == "text")


def provider_client(keys: Mapping[str, str]) -> anthropic.Anthropic:
    """With the key of the caller's environment, or of `keys`. Each try has its own reservation, so it never retries."""
    env = {**os.environ, **keys}
    key, token = env.get("ANTHROPIC_API_KEY"), env.get("ANTHROPIC_AUTH_TOKEN")
    if not key and not token:
        raise ProviderDown(
            "no key for the model's provider", code="model_refused", hint="set ANTHROPIC_API_KEY where the study is run"
        )
    return anthropic.Anthropic(
        api_key=key, auth_token=None if key else token, base_url=env.get("ANTHROPIC_BASE_URL"), max_retries=0
    )
