"""The external arm: somebody's own agent or program, connected over MCP or HTTP with this researcher's token.

Its brain is elsewhere, so `work` only keeps its place in the study until its time is over. It acts on the lab directly:
the gate's budget holds for it, the study's own counts do not. It is nobody's prisoner, so it plays and never ranks
(`lab.tokens.UNSANDBOXED`); an agent that runs where it cannot read the lab joins with `aar connect --elsewhere`.
"""

from __future__ import annotations

from dataclasses import dataclass

from aar.researchers.base import Assignment, Workbench, researchers

LOOK_S = 2.0


@dataclass
class External:
    assignment: Assignment

    def work(self, bench: Workbench) -> None:
        bench.log(f"waits for its agent: aar connect AGENT {self.assignment.name} --study {self.assignment.study}")
        while True:
            bench.rest(LOOK_S)


researchers.register("external")(External)
