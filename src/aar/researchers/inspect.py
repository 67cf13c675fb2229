"""The arm `inspect`: a language model, of any provider that Inspect AI knows, works at the bench through a desk.

One process and one Inspect sample each (`llm.agent`). Needs the extra `llm`, a sandbox and a model with a known price; it
does not start without. What the model is told are templates: packaged ones, or a file of the same name in
`<lab>/prompts/`. They are filled in once and kept, so that a resumed researcher was told what it was told.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

from aar.errors import InputError, ProviderDown
from aar.researchers.base import Assignment, BoardRow, Workbench, researchers
from aar.researchers.bench import DEADLINE_S, Bench
from aar.researchers.hands import METHODS
from aar.researchers.llm.desk import Desk
from aar.researchers.llm.prices import SCRIPTED, Prices, Tokens
from aar.researchers.llm.purse import Purse
from aar.researchers.starts import direction
from aar.sandboxes import WORKSPACE, Limits, Mount, available
from aar.settings import LabFolder

PROMPTS = Path(__file__).parent / "llm" / "prompts"
LIMITS = Limits(memory_mb=2048, pids=128, disk_mb=1024, output_mb=1, cpus=1.0)
LLM_ARMS = ("inspect",)
LEAVES_S = 15.0  # a process that was told to stop writes its log


@dataclass
class Inspect:
    assignment: Assignment

    def work(self, bench: Workbench) -> None:
        if not isinstance(bench, Bench):
            raise InputError(
                "an LLM researcher works at a study's own bench",
                hint="aar study new NAME --team inspect=1 --model MODEL",
            )
        lab = LabFolder(bench.home.parents[2])  # <lab>/studies/<study>/<researcher>
        prices = Prices(lab.prices)
        ready(self.assignment, prices)
        plan = self._plan(bench, lab)
        purse = Purse(lab.spending)
        with provider(self.assignment) as keys, process(bench.home, plan, keys) as link:
            bench.log(Desk(bench, purse, prices, link).serve())

    def _plan(self, bench: Bench, lab: LabFolder) -> dict[str, Any]:
        """What the process is given; no token and no key."""
        from aar.researchers.llm.sandbox import described

        llm, board = self.assignment.llm, bench.leaderboard()
        model = named(llm.model)
        return {
            "name": bench.name, "model": model, "think": named(llm.think) or model, "max_tokens": llm.max_tokens, "context": llm.context,
            **told(bench, lab, board), "sandbox": described(available(), desk_mounts(bench), LIMITS),
        }  # fmt: skip


def named(model: str) -> str:
    return SCRIPTED if model == "scripted" else model


def ready(assignment: Assignment, prices: Prices) -> None:
    """Everything that must be there before the first dollar; says what is missing and how to get it."""
    if importlib.util.find_spec("inspect_ai") is None:
        raise InputError("the arm `inspect` needs the extra `llm`", code="no_extra", hint='pip install "aar-lab[llm]"')
    if not assignment.llm.model:
        raise InputError(
            "no model is named", code="no_model", hint="aar study new NAME --model anthropic/MODEL (or scripted)"
        )
    for model in filter(None, (assignment.llm.model, assignment.llm.think)):
        prices.usd(named(model), Tokens(1, out=1))
    try:
        available()
    except ProviderDown as down:
        raise ProviderDown(
            f"a language model's commands run in a sandbox or not at all: {down.message}",
            code="no_sandbox",
            hint=down.hint,
        ) from down


def desk_mounts(bench: Bench) -> list[Mount]:
    """The warm process' mounts with a workspace of the model's own, and what it downloaded."""
    desk, snapshots = bench.home / "desk", bench.home / "snapshots"
    for folder in (desk, snapshots):
        folder.mkdir(parents=True, exist_ok=True)
    shown = [m for m in bench.hands.mounts if m.target not in (WORKSPACE, METHODS)]
    return [
        *shown,
        Mount(desk, WORKSPACE, writable=True),
        Mount(bench.hands.methods, METHODS),
        Mount(snapshots, "/snapshots"),
    ]


def told(bench: Bench, lab: LabFolder, board: list[BoardRow]) -> dict[str, str]:
    """The filled-in templates: system, task, continue, compacted. Once for all sessions."""
    path = bench.home / "prompts.json"
    if path.exists():
        return dict(json.loads(path.read_text()))
    a = bench.assignment
    rows = "\n".join(f"  {row.researcher}: PGR {row.pgr}" for row in board) or "  (nothing verified yet)"
    values: Mapping[str, Any] = {
        "problem": bench.problem, "study": a.study, "name": a.name, "direction": direction(a.direction).text, "trials": a.trials,
        "evaluations": a.evaluations, "submissions": a.submissions, "minutes": round(a.wall_s / 60), "usd": a.llm.usd, "board": rows,
        "deadline": round(DEADLINE_S),
    }  # fmt: skip
    filled = {}
    for packaged in sorted(PROMPTS.glob("*.md")):
        own = lab.root / "prompts" / packaged.name
        text = (own if own.exists() else packaged).read_text()
        filled[packaged.stem] = text if packaged.stem == "compacted" else Template(text).safe_substitute(values)
    part = path.with_suffix(".part")
    part.write_text(json.dumps(filled))
    os.replace(part, path)
    return filled


@contextlib.contextmanager
def provider(assignment: Assignment) -> Iterator[dict[str, str]]:
    """Environment of the model's provider: the caller's own, or a scripted one on loopback for as long as the block lasts."""
    if assignment.llm.model != "scripted":
        yield {}
        return
    from aar.testing.messages import FakeMessages

    with FakeMessages() as fake:
        yield fake.environment


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
