"""The arm `claude`: Claude Code works in the researcher's sandbox, with its own shell and editor and the lab's tools.

Its model calls pass through the host, which has the key, the caps and the record (`llm.relay`). Needs the extra `claude`. It
cannot be made to act the same again, so it goes on from its own memory, and what it asked of the lab from ours (`llm.asked`).
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from aar.researchers.base import Assignment, Workbench, researchers
from aar.researchers.bench import Bench
from aar.researchers.llm import given
from aar.researchers.llm.asked import Asked
from aar.researchers.llm.asking import Asking
from aar.researchers.llm.bench_tools import BenchTools
from aar.researchers.llm.box import Box
from aar.researchers.llm.prices import Prices
from aar.researchers.llm.purse import Purse
from aar.researchers.llm.recalled import Call, unheard
from aar.researchers.llm.transcript import Transcript, eval_log
from aar.sandboxes import Limits

LIMITS = Limits(wall_s=30 * 86_400, memory_mb=4096, pids=256, disk_mb=1024, output_mb=1, cpus=1.0)


@dataclass
class Claude:
    assignment: Assignment

    def work(self, bench: Workbench) -> None:
        bench, llm = given.own_bench(bench), self.assignment.llm
        lab = given.lab_of(bench)
        prices, purse = Prices(lab.prices), Purse(lab.spending)
        given.ready("claude", llm, prices)
        words, record = given.told(bench), bench.home / "model.jsonl"
        asking = Asking(bench, purse, prices)
        try:
            with given.provider(llm.model) as keys, TemporaryDirectory(prefix="aar-model-") as folder:
                self._run(bench, asking, words, Transcript(record), Path(folder), keys)
        finally:
            _for_the_viewer(record, bench, given.named(llm.model))

    def _run(
        self,
        bench: Bench,
        asking: Asking,
        words: dict[str, str],
        record: Transcript,
        folder: Path,
        keys: dict[str, str],
    ) -> None:
        from aar.researchers.llm.claude_code import LAB, Session, command, environment, memory, mounts
        from aar.researchers.llm.relay import Relay, provider_client

        llm = self.assignment.llm
        models = {name.partition("/")[2]: name for name in map(given.named, filter(None, (llm.model, llm.think)))}
        model, strong = (given.named(name).partition("/")[2] for name in (llm.model, llm.think or llm.model))
        box = Box(*given.granted(bench))
        with Relay(folder, asking, provider_client(keys), models, record) as relay:

            def think(question: str) -> str:
                text = Template(words["question"]).safe_substitute(question=question)
                request = {
                    "model": strong,
                    "max_tokens": llm.max_tokens,
                    "messages": [{"role": "user", "content": text}],
                }
                said = relay.ask(request)
                return "".join(b["text"] for b in said["content"] if b["type"] == "text")

            asked = Asked(bench, BenchTools(bench, asking.purse), box, think)
            done = asked.replay()
            lost = unheard(done, bench.home / "desk", memory(bench), LAB)
            running = box.sandbox.start(
                command(bench, model, words["system"]),
                [*box.mounts, *mounts(relay)],
                environment(model, llm.max_tokens),
                bench.assignment.grants.over(LIMITS, bench.home),
            )
            try:
                asyncio.run(Session(bench, asked, relay, running).run(_first(words, done, lost), words["continue"]))
            finally:
                with contextlib.suppress(TimeoutError):
                    (bench.home / "agent.log").write_bytes(running.kill().stderr)


def _for_the_viewer(record: Path, bench: Bench, model: str) -> None:
    """The record itself is `model.jsonl`: that it cannot be shown in another form ends nobody's work."""
    if record.exists():
        try:
            eval_log(record, bench.name, model, bench.home / "logs")
        except Exception as error:
            bench.log(f"no log for Inspect's viewer: {error}")


def _first(words: dict[str, str], done: list[Call], lost: list[Call]) -> str:
    """Its task; after an interruption, that and what became of calls of which it has not heard."""
    if not done:
        return words["task"]
    return "\n\n".join([words["task"], words["resumed"], *map(str, lost)])


researchers.register("claude")(Claude)
