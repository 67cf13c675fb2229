"""How many evaluations a second does the lab answer, and how long does one wait?

    python bench/load.py [--requests 3000] [--earlier 10000] [--clients 50] [--out docs/bench]

50 clients, each one call at a time, over loopback TCP to a server in a process of its own; the load generator runs on
the same cores. Each request carries a token and a vector of 2,567 rows that is more than 2 % away from every other, passes
the gate with 10,000 earlier vectors in the label set's memory, and is answered after its commit and its audit entry are on
disk. The budget is widened (`WIDE`), nothing else. `naive` is the same server reading labels and log anew for every call
and committing each call alone. Afterwards the database is counted: every acknowledged call is there, once.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from aar.lab import tokens
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

PROBLEM = "load@minilm/smollm2-135m"
WIDE = GateRules(budget=1_000_000, rows_per_paid=0.001, rows_per_own=0.001, daily=1_000_000)
RIGHT = 0.7  # of each vector; two of them differ on about 42 % of the rows
RESEARCHERS = 10


def make_lab(folder: LabFolder, rows: int, earlier: int) -> Lab:
    """A lab with one sealed testbed and `earlier` paid vectors in its label set's log."""
    seal(folder, "load", [
        Example("binary", Claim(f"{s} {i}?", "yes"), i % 2, s, "sub", "hard", f"{s} {i}", f"{s}-{i:05}")
        for s in SPLITS for i in range(rows if s == "test" else 4)
    ], {"by": "bench"})  # fmt: skip
    card = Card(PROBLEM, "binary", 18, "mean", "s", "t", 5, {"test": rows}, {"mean": 0.5}, {"mean": 0.9})
    folder.problem(PROBLEM).mkdir(parents=True)
    card.save(folder)
    lab = open_wide(folder)
    vectors = Vectors(folder)
    exam = lab.scorer.exam(PROBLEM)  # type: ignore[attr-defined]
    store = SqlGateStore(lab.store)
    with lab.store.transaction():
        for i in range(earlier):
            store.append(exam.label_set, Entry(
                i, time.time() - 7200, "interactive", f"r{i % RESEARCHERS}", "", PROBLEM, exam.rows, rows,
                pack(vectors.draw(i)), RIGHT, True, None, 0.42, False, False, i % RESEARCHERS, 0.5, 0.01, 20,
            ))  # fmt: skip
    return lab


def open_wide(folder: LabFolder) -> Lab:
    return open_lab(folder, lambda store: GateScorer(folder, store, WIDE))


class Vectors:
    """Pre-serialised request bodies: one text in which only the digits at known places change."""

    def __init__(self, folder: LabFolder) -> None:
        self.ids = Sealed(folder).rows("load", "test").ids
        self.gold = Sealed(folder).labels("load", self.ids)
        parts = [f'"{id_}": 0.0731' for id_ in self.ids]  # the first decimal is what changes
        head = f'{{"problem": "{PROBLEM}", "predictions": {{'
        ends = len(head) + np.cumsum([len(part) + 2 for part in parts]) - 2
        self.text, self.places = np.frombuffer((head + ", ".join(parts) + "}}").encode(), dtype=np.uint8), ends - 4

    def draw(self, seed: int) -> np.ndarray:
        """[n] hard labels, right on RIGHT of the rows."""
        right = np.random.default_rng(seed).random(len(self.gold)) < RIGHT
        return np.where(right, self.gold, 1 - self.gold)

    def body(self, seed: int) -> bytes:
        text = self.text.copy()
        text[self.places] = np.where(self.draw(seed) == 1, ord("9"), ord("0"))
        return text.tobytes()


@dataclass
class Tally:
    """What the clients saw. Seconds of each acknowledged call; errors as (status, what)."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    wall: float = 0.0

    def figures(self) -> dict[str, Any]:
        ms = np.sort(np.array(self.seconds or [np.nan])) * 1e3
        return {
            "per_second": round(len(self.seconds) / self.wall, 1),
            "p50_ms": round(float(np.percentile(ms, 50))),
            "p95_ms": round(float(np.percentile(ms, 95))),
            "max_ms": round(float(ms[-1])),
            "answered": len(self.seconds),
            "errors": len(self.errors),
        }


class Client:
    """One connection that is kept open; just enough HTTP."""

    def __init__(self, port: int, token: str) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=120)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head = f"POST /api/v1/evaluations HTTP/1.1\r\nHost: lab\r\nAuthorization: Bearer {token}\r\n".encode()

    def post(self, body: bytes, key: str) -> tuple[int, bytes]:
        more = f"Content-Type: application/json\r\nIdempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        self.sock.sendall(self.head + more.encode() + body)
        data = b""
        while True:
            chunk = self.sock.recv(65536)
            if not chunk:
                raise ConnectionError("the server closed the connection")
            data += chunk
            head, gap, rest = data.partition(b"\r\n\r\n")
            if gap and len(rest) >= int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
                return int(head.split(b" ", 2)[1]), rest


def drive(port: int, tokens_: list[str], vectors: Vectors, clients: int, requests: int, first: int) -> Tally:
    """`requests` vectors numbered from `first`, by `clients` threads, each with one call at a time."""
    tally, numbers, start = Tally(), iter(range(first, first + requests)), threading.Barrier(clients + 1)
    lock = threading.Lock()

    def work(me: int) -> None:
        client = Client(port, tokens_[me % len(tokens_)])
        start.wait()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                return
            body = vectors.body(number)
            begin = time.perf_counter()
            status, said = client.post(body, f"k{number}")
            took = time.perf_counter() - begin
            if status == 200 and b'"duplicate":false' in said:
                tally.seconds.append(took)
            else:
                tally.errors.append(f"{status} {said[:200]!r}")

    threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(clients)]
    for thread in threads:
        thread.start()
    start.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    tally.wall = time.perf_counter() - begin
    return tally


# -- the server's process


def serve(folder: LabFolder, mode: str) -> None:
    lab = open_wide(folder)
    if mode == "naive":
        _be_naive(lab)
    server = LabServer(lab, port=0)
    threading.Thread(target=lambda: (server.ready.wait(), print(server.port, flush=True)), daemon=True).start()
    server.run()


def _be_naive(lab: Lab) -> None:
    """Reads labels and log anew for every call."""
    scorer: Any = lab.scorer
    known = scorer.exam

    def exam(problem: str) -> Any:
        scorer._exams.clear()
        found = known(problem)
        scorer.gate.forget(found.label_set)
        return found

    scorer.exam = exam


@contextlib.contextmanager
def served(folder: LabFolder, mode: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(folder.root), mode], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield process, int(process.stdout.readline())
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    used = psutil.Process(pid).cpu_times()
    return used.user + used.system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--rows", type=int, default=2567)
    parser.add_argument("--earlier", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--naive", type=int, default=60, help="requests of the baseline")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--serve", nargs=2)
    args = parser.parse_args()
    if args.serve:
        return serve(LabFolder(Path(args.serve[0])), args.serve[1])
    with tempfile.TemporaryDirectory(prefix="aar-load-") as temporary:
        os.environ["AAR_STATE"] = os.environ["AAR_RUNTIME"] = temporary
        folder = LabFolder(Path(temporary) / "lab")
        lab = make_lab(folder, args.rows, args.earlier)
        keys = [tokens.create(lab.store, f"r{i}") for i in range(RESEARCHERS)]
        lab.close()
        vectors, found, done = Vectors(folder), {}, args.earlier
        for mode, requests in (("grouped", args.requests), ("naive", args.naive)):
            if not requests:
                continue
            with served(folder, mode) as (process, port):
                drive(port, keys, vectors, 1, 2, done)  # folds the log
                before = cpu_seconds(process.pid)
                tally = drive(port, keys, vectors, args.clients, requests, done + 2)
                spent = cpu_seconds(process.pid) - before
                done += 2 + requests
            found[mode] = tally.figures() | {"server_cpu_ms": round(spent / requests * 1e3, 2)}
            print(mode, found[mode], tally.errors[:2], flush=True)
        lab = open_wide(folder)
        exam = lab.scorer.exam(PROBLEM)  # type: ignore[attr-defined]
        assert lab.scorer.gate.spent(exam) == done, "the log and the acknowledged calls differ"  # type: ignore[attr-defined]
        print(lab.audit.verify())
        lab.close()
    return None


if __name__ == "__main__":
    main()
