"""Where one run of an attack takes place, and what an attacker can touch of it.

A `SmallLab` is fresh for each run and has rows without features: for everything that goes through HTTP. The range (see
`range`) is made once and shared. A target is somebody's running lab, of which nothing is known but its address and a
token.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from aar.lab import tokens
from aar.lab.scorer import GateScorer
from aar.lab.server import LabServer, serving
from aar.lab.services import open_lab
from aar.scoring.gate import GateRules
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder
from aar.task.client import LabClient
from aar.testbeds.rows import Example
from aar.testbeds.sealing import seal
from aar.types import Pair

if TYPE_CHECKING:
    from aar.attacks.field.range import Range

FLOOR, CEILING = 0.55, 0.9


@dataclass(frozen=True)
class Reply:
    """An answer of the lab, whatever it was. `code`: of an error, else ""."""

    status: int
    data: bytes
    code: str = ""


class Outside:
    """What anybody with a token can do to a lab: any bytes to any route, and the client's calls."""

    def __init__(self, where: str, token: str) -> None:
        self.where, self.token, self.sent = where, token, 0
        self.client = LabClient(where, token, retries=0)

    def raw(
        self, method: str, path: str, body: bytes | None = None, *, token: str | None = None, **headers: str
    ) -> Reply:
        """One request as it stands; status 0 where the lab hung up. `token`: another one than one's own."""
        self.sent += 1
        given = {"Authorization": f"Bearer {self.token if token is None else token}"}
        given |= {k.replace("_", "-"): v for k, v in headers.items()}
        connection = LabClient(self.where, "")._connect()
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # refused before all was sent: ask why
                connection.request(method, "/api/v1/" + path, body, given)
            answer = connection.getresponse()
            return _reply(answer.status, answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            return Reply(0, repr(error).encode(), "hung_up")
        finally:
            connection.close()


def codes(replies: Iterable[Reply]) -> tuple[str, ...]:
    """The refusals among these answers, each once: "429 budget_spent"."""
    return tuple(sorted({f"{r.status} {r.code}" for r in replies if r.code}))


def _reply(status: int, data: bytes) -> Reply:
    try:
        code = str(json.loads(data)["error"]["code"]) if status >= 400 else ""
    except (ValueError, KeyError, TypeError):
        code = "no_error_body"
    return Reply(status, data, code)


class SmallLab:
    """A lab in a temporary folder whose problems have rows and labels, and nothing to train on. Its clock is the
    attacker's, so that one who waits for days need not."""

    def __init__(self, rules: GateRules | None = None) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="aar-attack-"))
        self.folder = LabFolder(self.home / "lab")
        self.waited_s = 0.0
        self.lab = open_lab(self.folder, lambda store: GateScorer(self.folder, store, rules), head=self.home / "head")
        self.scorer.gate.clock = lambda: time.time() + self.waited_s
        self._stack = ExitStack()

    @property
    def scorer(self) -> GateScorer:
        assert isinstance(self.lab.scorer, GateScorer)
        return self.lab.scorer

    def close(self) -> None:
        self._stack.close()
        self.lab.close()
        for folder in (self.home, self.folder.sockets):
            shutil.rmtree(folder, ignore_errors=True)

    def draw(self, gold: np.ndarray, name: str) -> tuple[str, tuple[str, ...]]:
        """A problem whose interactive rows have these labels [n]: its name, and the ids in the order of `gold`."""
        rows = [_row(name, "test", i, int(y)) for i, y in enumerate(gold)]
        others = [_row(name, split, 0, 0) for split in ("labeled", "unlabeled", "private")]
        seal(self.folder, name, [*rows, *others], {"by": "attack"}, force=True)
        problem = Problem(name)
        self.folder.problem(problem.name).mkdir(parents=True, exist_ok=True)
        Card(problem.name, "pair", 1, "mean", "none", None, 1, {"test": len(gold)}, {"mean": FLOOR, "se": 0.0},
             {"mean": CEILING, "se": 0.0}).save(self.folder)  # fmt: skip
        return problem.name, tuple(row.id for row in rows)

    def forget(self, problem: str) -> None:
        """The draw is over: its card is not looked at with every later request."""
        shutil.rmtree(self.folder.problem(problem))

    def token(self, name: str) -> str:
        return tokens.create(self.lab.store, name)

    @cached_property
    def server(self) -> LabServer:
        return self._stack.enter_context(serving(self.lab, port=0))

    @cached_property
    def where(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def person(self, name: str) -> Outside:
        """A researcher who comes over TCP."""
        return Outside(self.where, self.token(name))

    def socket(self, name: str) -> str:
        return str(self.server.add_researcher(name))


def _row(name: str, split: Any, number: int, side: int) -> Example:
    text = Pair(f"{name} {split} {number}?", f"a {number}", f"b {number}")
    return Example("pair", text, side, split, "all", "easy", f"{split} {number}", f"{name}-{split[0]}{number}")


@dataclass
class Ground:
    """What one run of an attack is given. `redraws`: of the labels, where a gain is a mean; `patience`: queries an
    attacker has time for; `control`: its own defence is off."""

    redraws: int = 50
    patience: int = 500
    control: bool = False
    shared: Callable[[], Range] | None = None
    target: tuple[Outside, str] | None = None
    say: Callable[[str], None] = lambda line: None
    _small: list[SmallLab] = field(default_factory=list)

    @property
    def range(self) -> Range:
        assert self.shared is not None, "no range on a target"
        return self.shared()

    def small(self, rules: GateRules | None = None) -> SmallLab:
        """A fresh lab, gone when the run is over."""
        self._small.append(SmallLab(rules))
        return self._small[-1]

    def outside(self) -> tuple[Outside, str]:
        """A researcher and a problem: on the target, or in a fresh lab of 400 rows."""
        if self.target:
            return self.target
        small, problem = self.with_rows()
        return small.person("eve"), problem

    def with_rows(self) -> tuple[SmallLab, str]:
        """A fresh lab with a problem of 400 rows, ids rows-t0 to rows-t399."""
        small = self.small()
        return small, small.draw(np.arange(400) % 2, "rows")[0]

    @contextmanager
    def over(self) -> Iterator[Ground]:
        """The run's labs exist as long as this block."""
        try:
            yield self
        finally:
            while self._small:
                self._small.pop().close()
