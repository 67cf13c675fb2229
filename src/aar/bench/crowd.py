"""A lab under load: thousands of rows, thousands of earlier vectors, a server process, many clients at once.

    python -m aar.bench.crowd LAB MODE      the server; prints its port

The clients are cheap (bodies are made from one text in which digits change), so that they take little of the cores they
share with the server. The label set's budget is widened by `WIDE`, and nothing else; modes:

    grouped    as the lab is
    alone      every transaction commits by itself
    naive      so, and labels and log are read anew for every call
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from aar.lab import commits
from aar.lab.gatestore import SqlGateStore
from aar.lab.scorer import GateScorer
from aar.lab.server import LabServer
from aar.lab.services import Lab, open_lab
from aar.scoring.gate import GateRules
from aar.scoring.gatelog import Entry
from aar.scoring.near import pack
from aar.scoring.problem import Card
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.testbeds.rows import SPLITS, Example
from aar.testbeds.sealing import seal
from aar.types import Claim

BED, PROBLEM = "load", "load@minilm/smollm2-135m"
WIDE = GateRules(budget=1_000_000, rows_per_paid=0.001, rows_per_own=0.001, daily=1_000_000)
RIGHT = 0.7  # of each vector's rows; two vectors differ on about 42 % of them
RESEARCHERS = 10
LONG_AGO = 7200.0


def make(folder: LabFolder, rows: int, earlier: int, rules: GateRules = WIDE) -> Lab:
    """A lab with one testbed of invented rows, and `earlier` paid vectors in its label set's log."""
    examples = [
        Example("binary", Claim(f"{s} {i}?", "yes"), i % 2, s, "sub", "hard", f"{s} {i}", f"{s}-{i:05}")
        for s in SPLITS
        for i in range(rows if s == "test" else 4)
    ]
    seal(folder, BED, examples, {"by": "bench"})
    card = Card(PROBLEM, "binary", 18, "mean", "s", "t", 5, {"test": rows}, {"mean": 0.5}, {"mean": 0.9})
    folder.problem(PROBLEM).mkdir(parents=True)
    card.save(folder)
    lab = opened(folder, rules)
    exam, vectors, store = scorer(lab).exam(PROBLEM), Vectors(folder), SqlGateStore(lab.store)
    with lab.store.transaction():
        for i in range(earlier):
            who, bits = i % RESEARCHERS, pack(vectors.draw(i))
            entry = Entry(i, time.time() - LONG_AGO, "interactive", f"r{who}", "", PROBLEM, exam.rows, rows, bits, RIGHT,
                          True, None, 0.42, False, False, who, 0.5, 0.01, 20)  # fmt: skip
            store.append(exam.label_set, entry)
    return lab


def opened(folder: LabFolder, rules: GateRules = WIDE) -> Lab:
    return open_lab(folder, lambda store: GateScorer(folder, store, rules))


def scorer(lab: Lab) -> GateScorer:
    assert isinstance(lab.scorer, GateScorer)
    return lab.scorer


def answered(lab: Lab, earlier: int) -> list[Entry]:
    """What the label set's log holds beyond the first `earlier` entries."""
    return SqlGateStore(lab.store).entries(scorer(lab).exam(PROBLEM).label_set, earlier)


class Vectors:
    """Request bodies by number, each more than 2 % of the rows away from every other."""

    def __init__(self, folder: LabFolder) -> None:
        self.ids = Sealed(folder).rows(BED, "test").ids
        self.gold = Sealed(folder).labels(BED, self.ids)
        parts = [f'"{id_}": 0.0731' for id_ in self.ids]  # the first decimal is what changes
        head = f'{{"problem": "{PROBLEM}", "predictions": {{'
        ends = len(head) + np.cumsum([len(part) + 2 for part in parts]) - 2
        self.text, self.places = np.frombuffer((head + ", ".join(parts) + "}}").encode(), dtype=np.uint8), ends - 4

    def draw(self, number: int) -> np.ndarray:
        """[n] hard labels, right on RIGHT of the rows."""
        right = np.random.default_rng(number).random(len(self.gold)) < RIGHT
        return np.where(right, self.gold, 1 - self.gold)

    def body(self, number: int) -> bytes:
        text = self.text.copy()
        text[self.places] = np.where(self.draw(number) == 1, ord("9"), ord("0"))
        return text.tobytes()


class Connection:
    """One connection that is kept open; just enough HTTP."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def post(self, body: bytes, token: str, key: str) -> tuple[int, bytes]:
        """Status and body. ConnectionError when the server goes away."""
        lines = f"POST /api/v1/evaluations HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        lines += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self.sock.sendall(lines.encode() + body)
        data = b""
        while True:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            data += chunk
            head, gap, rest = data.partition(b"\r\n\r\n")
            if gap and len(rest) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                return int(head.split(b" ", 2)[1]), rest


@dataclass
class Tally:
    """What the clients saw: by vector number, seconds of each acknowledged call; what else was said; wall seconds."""

    seconds: dict[int, float] = field(default_factory=dict)
    refused: list[tuple[int, bytes]] = field(default_factory=list)
    lost: int = 0  # calls cut off by the server's end
    wall: float = 0.0

    @property
    def per_second(self) -> float:
        return len(self.seconds) / self.wall

    def percentile(self, q: float) -> float:
        """Seconds."""
        return float(np.percentile(list(self.seconds.values()) or [np.nan], q))


def drive(port: int, tokens: list[str], vectors: Vectors, clients: int, requests: int, first: int) -> Tally:
    """Send the vectors from number `first` on, by `clients` threads, each with one call at a time. Number and
    researcher go together, so that a vector that is sent again comes from the same one, under the same key."""
    tally, numbers = Tally(), iter(range(first, first + requests))
    lock, start = threading.Lock(), threading.Barrier(clients + 1)

    def work() -> None:
        connection = Connection(port)
        start.wait()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            body, begin = vectors.body(number), time.perf_counter()
            try:
                status, said = connection.post(body, tokens[number % len(tokens)], f"k{number}")
            except OSError:
                tally.lost += 1
                return
            if status == 200:
                tally.seconds[number] = time.perf_counter() - begin
            else:
                tally.refused.append((status, said))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    tally.wall = time.perf_counter() - begin
    return tally


@contextlib.contextmanager
def served(folder: LabFolder, mode: str = "grouped", **rules: float) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The server in a process of its own, and its port. `rules`: see GateRules; default WIDE."""
    given = [f"{name}={value}" for name, value in rules.items()]
    command = [sys.executable, "-m", "aar.bench.crowd", str(folder.root), mode, *given]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _serve(root: str, mode: str, *rules: str) -> None:
    given: Any = {name: json.loads(value) for name, _, value in (rule.partition("=") for rule in rules)}
    lab = opened(LabFolder(Path(root)), GateRules(**given) if given else WIDE)
    if mode != "grouped":
        commits.GROUP_S = 0.0
    if mode == "naive":
        _forget_everything(scorer(lab))
    server = LabServer(lab, port=0)
    threading.Thread(target=lambda: (server.ready.wait(), print(server.port, flush=True)), daemon=True).start()
    server.run()


def _forget_everything(naive: GateScorer) -> None:
    known = naive.exam

    def exam(problem: str) -> Any:
        naive._exams.clear()
        found = known(problem)
        naive.gate.forget(found.label_set)
        return found

    naive.exam = exam  # type: ignore[method-assign]


if __name__ == "__main__":
    _serve(*sys.argv[1:])
