"""What researchers cost while they think, and how many work at once on this machine (`aar bench researchers`).

Real processes, real sandboxes and the real SDK, a scripted model on loopback, an invented lab.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import psutil

from aar.bench.base import Figure, Say, benches
from aar.errors import LabError
from aar.researchers.base import Assignment, Llm, researchers
from aar.researchers.bench import Bench
from aar.researchers.fakes import FakeExecutor, FakeHands, FakeLab, write_task
from aar.researchers.llm.prices import SCRIPTED
from aar.settings import LabFolder
from aar.testing import scripted
from aar.testing.messages import FakeMessages

WAITING, SETTLE_S, WATCH_S = 9, 12.0, 20.0  # a sandbox is watched more closely in its first ten seconds
MANY, FEW = 50, 2
# the libraries that every such researcher needs, and nothing of ours
SDK = """
import inspect_ai, anthropic, sys
from inspect_ai.model import get_model
get_model("anthropic/any", api_key="none")
print("ready", flush=True)
sys.stdin.read()
"""


@benches.register("researchers")
def cost(_: LabFolder, say: Say) -> list[Figure]:
    """Processor and memory of 9 researchers whose model is silent; 50 scripted researchers at once."""
    with _world(WAITING) as world:
        share, memory, alone = world.waiting()
    say(f"{WAITING} wait: {100 * share:.1f} % of a core, {memory:.0f} MB each; the SDK by itself {alone:.0f} MB")
    with _world(FEW) as world:
        slow = FEW / sum(world.work(n, n + 1) for n in range(FEW))
    with _world(MANY) as world:
        seconds = world.work(0, MANY)
    say(f"{MANY} at once: {seconds:.0f} s; one after another {slow * 60:.1f} a minute")
    return [
        Figure(f"processor of {WAITING} that wait", 100 * share, "% of a core", target=5),
        Figure(
            "memory of one that waits, beyond the SDK", memory - alone, "MB", "a process with the SDK alone", alone, 150
        ),
        Figure(f"{MANY} scripted ones at once", MANY / seconds, "researchers/s", "one after another", slow),
    ]


class World:
    """Researchers `r0` and so on of one invented study."""

    def __init__(self, folder: Path, count: int, fake: FakeMessages) -> None:
        self.folder, self.count, self.fake = folder / "studies" / "s", count, fake
        self.task = write_task(folder / "task", train=24, test=40)
        self.lab, self.stop = FakeLab(self.task, limit=4 * count), threading.Event()

    def work(self, first: int, after: int) -> float:
        """Seconds until all of these have finished. LabError unless each handed in and told of it."""
        began = time.monotonic()
        with ThreadPoolExecutor(after - first) as pool:
            list(pool.map(self._one, range(first, after)))
        done = {post["researcher"] for post in self.lab.posts if post["runs"]}
        if not {f"r{n}" for n in range(first, after)} <= done:
            raise LabError(f"only {len(done)} researchers finished", hint="see what the bench printed")
        return time.monotonic() - began

    def _one(self, number: int) -> None:
        who = Assignment(
            "s",
            f"r{number}",
            "inspect",
            "none",
            number,
            6,
            2,
            2,
            3600.0,
            Llm(SCRIPTED, usd=5.0, usd_study=1e3, usd_day=1e4),
        )
        home = self.folder / who.name
        hands: Any = FakeHands(home, self.task)
        client: Any = self.lab.client(who.name)
        bench = Bench(who, home, client, hands, FakeExecutor(), self.folder / "findings", "toy", self.stop)
        try:
            researchers.get(who.arm)(who).work(bench)
        finally:
            bench.close()

    def waiting(self) -> tuple[float, float, float]:
        """(cores, MB of one, MB of the SDK alone) while every model is silent."""
        go_on, me = threading.Event(), psutil.Process()
        self.fake.brain = lambda request: scripted.answer(request) if go_on.wait() else []
        before = _mb(me)
        workers = [threading.Thread(target=self._one, args=(n,)) for n in range(self.count)]
        for worker in workers:
            worker.start()
        _until(lambda: self.fake.requests >= self.count)
        time.sleep(SETTLE_S)
        agents = [me, *me.children(recursive=True)]
        cpu, began = _cpu(agents), time.monotonic()
        time.sleep(WATCH_S)
        share = (_cpu(agents) - cpu) / (time.monotonic() - began)
        memory = (sum(_mb(p) for p in agents) - before) / self.count
        with _sdk() as alone:
            go_on.set()
            for worker in workers:
                worker.join()
            return share, memory, alone


@contextmanager
def _world(count: int) -> Iterator[World]:
    with TemporaryDirectory(prefix="aar-") as folder, FakeMessages() as fake, patch.dict(os.environ, fake.environment):
        yield World(Path(folder), count, fake)


@contextmanager
def _sdk() -> Iterator[float]:
    with subprocess.Popen([sys.executable, "-c", SDK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield _mb(psutil.Process(process.pid))
        process.kill()


def _mb(process: psutil.Process) -> float:
    """Its own memory; what it shares with others counts in parts."""
    return float(process.memory_full_info().pss) / 2**20


def _cpu(processes: list[psutil.Process]) -> float:
    return sum(t.user + t.system for t in (p.cpu_times() for p in processes))


def _until(done: Callable[[], bool], seconds: float = 600) -> None:
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            raise LabError("the researchers did not come to ask their model")
        time.sleep(0.2)
