"""The arm `inspect`: a language model, of any provider that Inspect AI knows, works at the bench through a desk.

One process and one Inspect sample each (`llm.agent`). Needs the extra `llm`, a sandbox and a model with a known price; it
does not start without.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aar.researchers.base import Assignment, Workbench, researchers
from aar.researchers.bench import Bench
from aar.researchers.llm import given
from aar.researchers.llm.desk import Desk
from aar.researchers.llm.prices import Prices
from aar.researchers.llm.purse import Purse
from aar.sandboxes.described import described

LEAVES_S = 15.0  # a process that was told to stop writes its log


@dataclass
class Inspect:
    assignment: Assignment

    def work(self, bench: Workbench) -> None:
        bench, llm = given.own_bench(bench), self.assignment.llm
        lab = given.lab_of(bench)
        prices = Prices(lab.prices)
        given.ready("inspect", llm, prices)
        plan, purse = self._plan(bench), Purse(lab.spending)
        with given.provider(llm.model) as keys, process(bench.home, plan, keys) as link:
            bench.log(Desk(bench, purse, prices, link).serve())

    def _plan(self, bench: Bench) -> dict[str, Any]:
        """What the process is given; no token and no key."""
        llm = self.assignment.llm
        model = given.named(llm.model)
        return {
            "name": bench.name, "model": model, "think": given.named(llm.think) or model, "max_tokens": llm.max_tokens, "context": llm.context,
            **given.told(bench), "sandbox": described(*given.granted(bench)), "inspects": self.assignment.grants.inspects(),
        }  # fmt: skip


@contextlib.contextmanager
def process(home: Path, plan: dict[str, Any], keys: Mapping[str, str]) -> Iterator[socket.socket]:
    """The researcher's process, and our end of the link to it. When the block ends it may write its log, then it is gone."""
    path = home / "desk.json"
    path.write_text(json.dumps(plan))
    ours, theirs = socket.socketpair()
    env = {
        **os.environ,
        **keys,
        "XDG_DATA_HOME": str(home / "inspect"),
        "INSPECT_LOG_DIR": str(home / "logs"),
        "PYTHONUNBUFFERED": "1",
    }
    with (home / "agent.log").open("ab") as sink, theirs:
        child = subprocess.Popen(
            [sys.executable, "-m", "aar.researchers.llm.agent", str(path), str(theirs.fileno())], pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, env=env, cwd=home,
        )  # fmt: skip
    try:
        yield ours
    finally:
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(LEAVES_S)  # the link stays open for so long: without it the process ends at once
        child.kill()
        child.wait()
        ours.close()


researchers.register("inspect")(Inspect)
