"""What a researcher who thinks is given before it begins: checks, a sandbox, a task in words, a model's provider.

The words are templates: packaged ones, or a file of the same name in `<lab>/prompts/`. They are filled in once and kept, so
that a resumed researcher was told what it was told.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template
from typing import Any

from aar.errors import InputError, ProviderDown
from aar.researchers import starts
from aar.researchers.base import Llm, Workbench
from aar.researchers.bench import Bench
from aar.researchers.hands import METHODS
from aar.researchers.llm.prices import SCRIPTED, Prices, Tokens
from aar.sandboxes import WORKSPACE, Limits, Mount, Sandbox, available
from aar.settings import LabFolder

PROMPTS = Path(__file__).parent / "prompts"
LIMITS = Limits(memory_mb=2048, pids=128, disk_mb=1024, output_mb=1, cpus=1.0)
EXTRAS = {"inspect": ("inspect_ai", "llm"), "claude": ("claude_agent_sdk", "claude")}  # arm -> module, extra
LLM_ARMS = tuple(EXTRAS)
CHANGED = "The owner of the study changes your direction. From now on: {}"
LATER = ("compacted", "question")  # filled in when they are needed
SCRIPT = "scripted"  # the model's name on the command line


def named(model: str) -> str:
    return SCRIPTED if model == SCRIPT else model


def ready(arm: str, llm: Llm, prices: Prices) -> None:
    """Everything that must be there before the first dollar; says what is missing and how to get it."""
    module, extra = EXTRAS[arm]
    if importlib.util.find_spec(module) is None:
        raise InputError(
            f"the arm `{arm}` needs the extra `{extra}`", code="no_extra", hint=f'pip install "aar-lab[{extra}]"'
        )
    if not llm.model:
        raise InputError(
            "no model is named", code="no_model", hint="aar study new NAME --model anthropic/MODEL (or scripted)"
        )
    for model in map(named, filter(None, (llm.model, llm.think))):
        if arm == "claude" and not model.startswith("anthropic/"):
            raise InputError(
                f"Claude Code cannot think with {model!r}",
                code="no_model",
                hint="--model anthropic/MODEL, or arm inspect",
            )
        prices.usd(model, Tokens(1, out=1))
    sandboxed()


def sandboxed() -> None:
    """ProviderDown where no sandbox works."""
    try:
        available()
    except ProviderDown as down:
        raise ProviderDown(
            f"a language model's commands run in a sandbox or not at all: {down.message}",
            code="no_sandbox",
            hint=down.hint,
        ) from down


def own_bench(bench: Workbench) -> Bench:
    if not isinstance(bench, Bench):
        raise InputError(
            "this researcher works at a study's own bench", hint="aar study new NAME --team inspect=1 --model MODEL"
        )
    return bench


def lab_of(bench: Bench) -> LabFolder:
    return LabFolder(bench.home.parents[2])  # <lab>/studies/<study>/<researcher>


def desk_mounts(bench: Bench) -> list[Mount]:
    """The warm process' mounts with a workspace of the researcher's own, and what it downloaded."""
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


def granted(bench: Bench) -> tuple[Sandbox, list[Mount], Limits]:
    """Where its commands run: the sandbox with the hosts, the GPUs and the limits that its study grants. From here on the
    server of its jobs runs there too."""
    where = bench.hands.sandbox, desk_mounts(bench), bench.assignment.grants.over(LIMITS, bench.home)
    bench.hands.jobs.serve(*where)
    return where


def told(bench: Bench) -> dict[str, str]:
    """The filled-in templates, by name: system, task, continue, compacted and so on. Once for all sessions."""
    path, own = bench.home / "prompts.json", lab_of(bench).root / "prompts"
    board = bench.leaderboard()  # at every start: a step of the journal
    if path.exists():
        return dict(json.loads(path.read_text()))
    a = bench.assignment
    rows = "\n".join(f"  {row.researcher}: PGR {row.pgr}" for row in board) or "  (nothing verified yet)"
    values: Mapping[str, Any] = {
        "problem": bench.problem, "study": a.study, "name": a.name, "direction": starts.of(a).text, "trials": a.trials,
        "evaluations": a.evaluations, "submissions": a.submissions, "minutes": round(a.wall_s / 60), "usd": a.llm.usd, "board": rows,
        "deadline": round(bench.deadline_s),
    }  # fmt: skip
    filled = {}
    for packaged in sorted(PROMPTS.glob("*.md")):
        text = (found if (found := own / packaged.name).exists() else packaged).read_text()
        filled[packaged.stem] = text if packaged.stem in LATER else Template(text).safe_substitute(values)
    filled["direction"] = str(values["direction"])
    part = path.with_suffix(".part")
    part.write_text(json.dumps(filled))
    os.replace(part, path)
    return filled


class Directed:
    """A direction that the owner changed while a researcher is at work: what it has not heard yet."""

    def __init__(self, bench: Bench) -> None:
        self.bench, path = bench, bench.home / "prompts.json"
        self.heard = json.loads(path.read_text()).get("direction") if path.exists() else None

    def news(self) -> str:
        """Words for it to read; "" where nothing changed."""
        now = starts.of(self.bench.assignment).text
        return CHANGED.format(now) if self.heard not in (None, now) else ""

    def hear(self, news: str) -> None:
        """It has been told: on disk, or to its face."""
        if news:
            self.heard = news.removeprefix(CHANGED.format(""))


@contextlib.contextmanager
def provider(model: str) -> Iterator[dict[str, str]]:
    """Environment of the model's provider: the caller's own, or a scripted one on loopback for as long as the block lasts."""
    if model != SCRIPT:
        yield {}
        return
    from aar.testing.messages import FakeMessages

    with FakeMessages() as fake:
        yield fake.environment
