"""Where one run of an attack takes place, and what an attacker can touch of it.

Three kinds. A `SmallLab` is fresh for each run and has rows without features: for everything that goes through HTTP.
The `Range` has the planted testbed and a worker with real sandboxes; it is made once and shared, since each
researcher on it is new. A `Target` is somebody's running lab, of which nothing is known but its address and a token.
What is right is read at the end, by the referee, with the owner's rights.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from aar.attacks.field import planted
from aar.attacks.field.attack import Feat
from aar.errors import LabError
from aar.lab import tokens, worker
from aar.lab.scorer import GateScorer
from aar.lab.server import LabServer, serving
from aar.lab.services import open_lab
from aar.methods import library
from aar.sandboxes import Limits
from aar.scoring.gate import GateRules
from aar.scoring.problem import Card, Problem
from aar.scoring.rerun import RerunRules
from aar.settings import LabFolder
from aar.task.client import LabClient
from aar.task.pack import pack_files
from aar.testbeds.rows import Example
from aar.testbeds.sealing import seal
from aar.types import Pair, Task

FLOOR, CEILING = 0.55, 0.9
PLAIN = 3  # reruns of the plain method that a gain is measured against
LIMITS = Limits(wall_s=300, memory_mb=2048, pids=48, disk_mb=48, output_mb=0.5)
Files = Mapping[str, bytes]


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


@dataclass(frozen=True)
class Verdict:
    """What became of a submission: as its author sees it, and exactly, as the owner does. `log`: all it printed."""

    row: dict[str, Any]
    exact: dict[str, Any]
    log: str

    @property
    def accuracy(self) -> float | None:
        """On the interactive rows, mean over seeds; None where there is no verdict."""
        test = self.exact.get("test")
        return float(test["acc"]["mean"]) if test else None

    @property
    def failure(self) -> str:
        return str(self.row.get("code") or "")

    @property
    def flags(self) -> tuple[str, ...]:
        """What the checks want a person to see, and the board where it is not the usual one."""
        evidence = self.exact.get("evidence") or {}
        found = [f"{f['check']}: {f['label']}" for f in evidence.get("findings", []) if f["level"] == "flag"]
        board = evidence.get("board")
        return (*found, *([f"board {board}"] if board not in (None, "teacher-supervised") else []))


class Range:
    """The planted testbed, served and with a worker at hand. One worker, here: what is submitted is rerun at once."""

    def __init__(self, seeds: int = 2, say: Callable[[str], None] = lambda line: None) -> None:
        say("making the range: rows, features, teachers, floor and ceiling")
        self.small = SmallLab()
        self.problem = planted.PROBLEM
        self.card = planted.make(self.small.folder)
        self.seeds, self.say = seeds, say
        self._numbers = itertools.count(1)
        self._honest: float | None = None

    def close(self) -> None:
        self.small.close()

    @property
    def folder(self) -> LabFolder:
        return self.small.folder

    @property
    def gap(self) -> float:
        """Ceiling less floor, in accuracy."""
        assert self.card.ceiling is not None
        return self.card.ceiling["mean"] - self.card.floor["mean"]

    def researcher(self) -> Outside:
        return self.small.person(f"r{next(self._numbers)}")

    def submit(
        self,
        files: Files,
        who: Outside | None = None,
        *,
        checks: bool = True,
        claimed: float | None = None,
        name: str = "method",
        limits: Limits = LIMITS,
        seeds: int = 0,
    ) -> Verdict:
        """Send a method folder over HTTP and let the worker rerun it; `checks`: have the battery look it over. An
        AarError where the lab refused it at the door. Several seeds only where checks need them."""
        who = who or self.researcher()
        sent = who.client.submit(self.problem.short, name, pack_files(dict(files)), claimed)
        rules = RerunRules(seeds or (self.seeds if checks else 1), limits, battery="all" if checks else "off")
        worker.work(self.small.lab, "attacked", rules, forever=False)
        return self.verdict(who, sent["id"])

    def verdict(self, who: Outside, submission: int) -> Verdict:
        owner = LabClient(self.small.where, self.small.lab.owner_token())
        exact = owner.call("GET", f"submissions/{submission}/exact")["exact"] or {}
        log = self.folder.sealed / "logs" / f"rerun-{submission}.log"
        return Verdict(
            who.client.submission(submission), exact, log.read_text(errors="replace") if log.exists() else ""
        )

    def task(self, seed: int = 0) -> Task:
        """What a researcher has at home: public rows, weak labels, the student."""
        from aar.scoring.notebook import load

        return load(self.problem.name, seed, self.folder.root)

    @property
    def honest(self) -> float:
        """Accuracy of the plain method, which attacks have to beat."""
        if self._honest is None:
            self.say("rerunning the plain method, to compare with")
            told = [self.submit(library_files("vanilla"), checks=False, name="plain").accuracy for _ in range(PLAIN)]
            known = [a for a in told if a is not None]
            if len(known) < PLAIN:
                raise LabError("the plain method got no verdict on the range", hint="see the worker's log")
            self._honest = float(np.mean(known))
        return self._honest

    def feat(self, verdict: Verdict, loot: tuple[str, ...] = (), queries: int = 1) -> Feat:
        """What a submission came to: points over the plain method if it would rank, and what stood in its way."""
        if verdict.accuracy is None:
            return Feat(loot=loot, met=(verdict.failure,), queries=queries)
        self.say(f"accuracy {verdict.accuracy:.3f}; flags: {', '.join(verdict.flags) or 'none'}")
        gain = 100 * (verdict.accuracy - self.honest)
        return Feat((gain,), loot, (), verdict.flags, queries)


def library_files(name: str) -> dict[str, bytes]:
    """A built-in method as a folder to submit."""
    return {"method.py": library.source_file(name).read_bytes()}


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
