"""The arm `human`: a person in a shell in the researcher's sandbox, with the same tools, clock and budget.

`aar study run` keeps the seat (its journal, its counter for the lab's tools), `aar study join` sits down on it and may leave and
come back. What the terminal showed is kept in `terminal.cast`, which asciinema plays.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aar.researchers.base import Assignment, Workbench, researchers
from aar.researchers.llm import given
from aar.researchers.llm.asked import Asked
from aar.researchers.llm.bench_tools import BenchTools
from aar.researchers.llm.box import Box
from aar.researchers.llm.purse import Purse
from aar.researchers.seat.counter import Counter
from aar.sandboxes.described import described

LOOK_S = 0.5


@dataclass
class Human:
    assignment: Assignment

    def work(self, bench: Workbench) -> None:
        bench = given.own_bench(bench)
        given.sandboxed()
        task, box = given.told(bench)["task"], Box(*given.granted(bench))
        asked = Asked(bench, BenchTools(bench, Purse(given.lab_of(bench).spending)), box)
        asked.replay()
        seat = bench.home / "seat.json"
        with TemporaryDirectory(prefix="aar-seat-") as folder, Counter(Path(folder), asked) as counter:
            (Path(folder) / "task.md").write_text(task)
            seat.write_text(json.dumps({"folder": folder, **described(box.sandbox, box.mounts, box.limits)}))
            bench.log(f"waits for a person: aar study join {bench.study} {bench.name}")
            try:
                while not counter.ended.is_set():
                    bench.rest(LOOK_S)
            finally:
                seat.unlink(missing_ok=True)
                asked.close()
            if counter.fault:
                raise counter.fault


researchers.register("human")(Human)
