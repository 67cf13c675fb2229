"""A made-up study, the same bytes for the same seed. Nothing in it was measured; it has the form of a real one.

`hostile` puts attacks into every text that a researcher can choose.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np

from aar.errors import ProviderDown
from aar.researchers import space
from aar.scoring.baselines import saved
from aar.scoring.problem import Card, Problem
from aar.settings import LabFolder
from aar.studies.events import StudyEvent
from aar.studies.spec import Member, StudyFolder, StudySpec, team, write_private

BEGAN = 1_760_000_000.0
FIGURES = {"code": (0.61, 0.79), "chat": (0.72, 0.90), "math": (0.67, 0.86)}
ATTACKS = (
    "\x1b[2J\x1b[31mred\x1b]0;title\x07",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "| a | b |\n| - | - |\n# heading `code` [x](javascript:alert(1)) ![p](http://evil.example/p.png)",
    "[bold red]markup[/] [link=http://evil.example]x[/link]",
    "abc\u202edcba\u200b\u2066x\u2069 \x9b31m \ue000",
    "$\\frac{1}{$ {{ 7 * 7 }} {% raw %} & ; \" '",
    "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301 \u3164 " + "x" * 5000,
    "\r\x08\x08over\x0bwritten\x00 https://evil.example www.evil.example a@evil.example @everyone",
)


def spec(hostile: bool = False, arms: tuple[tuple[str, int], ...] = (("random", 2), ("search", 7))) -> StudySpec:
    from aar.researchers import starts

    people = team("demo", arms, [n for n in starts.names() if n != "none"])
    if hostile:  # no route accepts such names; the views must not depend on that
        people = tuple(
            Member(m.name + ATTACKS[i % len(ATTACKS)], m.arm, ATTACKS[i % len(ATTACKS)], m.seed)
            for i, m in enumerate(people)
        )
    return StudySpec("demo", "code", people, wall_s=150, trials=12, transfer=("chat", "math"))


def events(of: StudySpec, seed: int = 0, hostile: bool = False, verdicts: bool = True) -> list[StudyEvent]:
    """A session of `wall_s` with every kind of event."""
    rng, told = (
        np.random.default_rng(seed),
        [_study(0.0, "open", f"{len(of.researchers)} researchers on {of.problem}", until_s=of.wall_s)],
    )
    for i, member in enumerate(of.researchers):
        told += _researcher(of, member, i, rng, hostile, verdicts)
    last = max(e.t for e in told) - BEGAN
    told += [_study(last - 6, "settling", "waits for 2 verdicts"), _study(last + 0.5, "complete", "complete")]
    return sorted(told, key=lambda e: e.t)


def _study(t: float, state: str, text: str, **data: Any) -> StudyEvent:
    return StudyEvent(BEGAN + t, "", "study", text, {"state": state, **data})


def _researcher(
    of: StudySpec, member: Member, i: int, rng: np.random.Generator, hostile: bool, verdicts: bool
) -> list[StudyEvent]:
    told: list[StudyEvent] = []
    evil = ATTACKS[i % len(ATTACKS)] if hostile else ""

    def tell(t: float, kind: str, text: str, **data: Any) -> None:
        told.append(StudyEvent(round(BEGAN + t, 3), member.name, kind, text + evil, {"step": len(told), **data}))

    def job(t: float, name: str, kind: str, seconds: float, waited: float = 0.0) -> None:
        tell(
            t,
            "job",
            name,
            owner=member.name,
            name=name + evil,
            job_kind=kind,
            state="done",
            seconds=seconds,
            waited=waited,
        )

    t, quality = 1 + 0.3 * i, 0.0
    tell(t, "state", "works", arm=member.arm, direction=member.direction)
    recipe = space.draw(rng)
    for k in range(of.trials):
        seconds, waited = float(rng.uniform(2, 6)), float(rng.uniform(0, 5))
        t += seconds + waited + float(rng.uniform(0, 1))
        job(t, f"t{k + 1:03d}", "research", seconds, waited)
        recipe = space.draw(rng) if member.arm == "random" else space.mutate(recipe, rng)
        tell(
            t,
            "trial",
            f"t{k + 1:03d}",
            method=f"t{k + 1:03d}{evil}",
            source=space.source(recipe, "made up"),
            seconds=seconds,
            error=None,
        )
        quality += 0.03 if member.arm == "search" else 0.015
        if k in (4, 8):
            pgr = round(quality + float(rng.normal(0, 0.06)), 2)
            tell(t, "evaluation", "", improved=pgr > 0.1, pgr=pgr if pgr > 0.1 else None, duplicate=False)
            tell(
                t,
                "finding",
                f"PGR {pgr}: neighbours labels, confident rows, gce at layer 12",
                finding=10 * i + k,
                finding_kind="result",
            )
    tell(t, "snapshot", "t012", snapshot=f"s{i}", parents=[])
    tell(t + 0.1, "submission", "t012", submission=i + 1, method="t012" + evil)
    if verdicts:
        pgr = round(quality + float(rng.normal(0, 0.05)), 2)
        job(t + 9, "t012", "rerun", 5.5)
        tell(t + 9, "verdict", "", submission=i + 1, state="answered", pgr=pgr if i % 4 else None)
        tell(t + 9.1, "state", "finished: has nothing more to do", state="finished")
    return told


def result(of: StudySpec, hostile: bool = False) -> dict[str, Any]:
    best = of.researchers[-1].name
    evil = ATTACKS[1] if hostile else ""
    opened = [
        {
            "submission": i + 1,
            "researcher": m.name,
            "arm": m.arm,
            "method": "t012" + evil,
            "pgr": 0.30 + 0.03 * i,
            "lo": 0.1 + 0.03 * i,
            "hi": 0.5 + 0.03 * i,
        }
        for i, m in enumerate(of.researchers)
    ]
    return {
        "study": of.name, "problem": "code@minilm/smollm2-135m", "researchers": len(of.researchers), "trials": 108, "configurations": 107,
        "evaluations": 18, "submissions": 9, "floor": 0.61, "ceiling": 0.79, "human_baseline": {"method": "confident", "pgr": 0.3, "lo": 0.11, "hi": 0.46},
        "best_verified": {"method": "t012" + evil, "researcher": best, "pgr": 0.41, "lo": 0.2, "hi": 0.6},
        "final": {"pgr": 0.47, "lo": 0.27, "hi": 0.66, "n": 270}, "opened": opened,
        "transfer": {"chat@minilm/smollm2-135m": {"pgr": 0.35, "lo": 0.2, "hi": 0.52}, "math@minilm/smollm2-135m": {"pgr": 0.06, "lo": -0.12, "hi": 0.25}},
        "runner_up": {"submission": 2, "method": "t011" + evil, "researcher": of.researchers[-1].name, "pgr": 0.38, "lo": 0.18, "hi": 0.57, "transfer": {
            "chat@minilm/smollm2-135m": {"pgr": 0.31, "lo": 0.14, "hi": 0.5}, "math@minilm/smollm2-135m": {"pgr": None, "lo": None, "hi": None}}},
        "seconds": 214.3, "peak_memory_mb": 2311,
    }  # fmt: skip


def baselines(problem: Problem, seed: int = 0) -> list[dict[str, Any]]:
    rng, (floor, ceiling) = np.random.default_rng(seed), FIGURES[problem.testbed]
    lines: list[dict[str, Any]] = []
    for i, method in enumerate(("confident", "logconf", "soft", "vanilla", "ccs")):
        pgr, half = 0.33 - 0.05 * i + float(rng.normal(0, 0.02)), float(rng.uniform(0.12, 0.2))
        acc = {"mean": floor + pgr * (ceiling - floor), "se": 0.008}
        figures = {"mean": round(pgr, 4), "lo": round(pgr - half, 4), "hi": round(pgr + half * 0.9, 4)}
        lines.append(
            {
                "method": method,
                "result": {"acc": acc, "pgr": figures, "seeds": [0, 1, 2, 3, 4], "seconds": 6.0},
                "not_run": "",
            }
        )
    lines.append({"method": "few_shot", "result": None, "not_run": "this student cannot generate"})
    return lines


def write(
    lab: LabFolder,
    *,
    hostile: bool = False,
    finished: bool = True,
    arms: tuple[tuple[str, int], ...] = (("random", 2), ("search", 7)),
) -> StudySpec:
    """The study "demo" in this lab."""
    from aar.lab.store import Store

    of = spec(hostile, arms)
    folder = StudyFolder(lab, of.name)
    folder.root.mkdir(parents=True)
    write_private(folder.root / "spec.json", of.as_json())
    lines = [json.dumps(asdict(e)) for e in events(of, hostile=hostile, verdicts=finished)]
    folder.events.write_text("\n".join(lines) + "\n")
    if finished:
        write_private(folder.result, result(of, hostile))
    for name in FIGURES:
        problem = Problem.parse(name)
        lab.problem(problem.name).mkdir(parents=True)
        floor, ceiling = FIGURES[name]
        rows = {"labeled": 200, "unlabeled": 550, "test": 400, "ood": 150, "private": 270}
        Card(
            problem.name,
            "pair",
            15,
            "mean",
            "s",
            "t",
            16,
            rows,
            {"mean": floor, "se": 0.004},
            {"mean": ceiling, "se": 0.001},
        ).save(lab)
        saved(lab, problem).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        saved(lab, problem).write_text(json.dumps(baselines(problem)))
    lab.database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    store = Store(lab.database)
    store.migrate()
    store.close()
    return of


class FakeClient:
    """Answers the reading routes of a lab with this study. `down`: it does not answer."""

    def __init__(self, of: StudySpec, hostile: bool = False, down: bool = False) -> None:
        self.spec, self.hostile, self.down = of, hostile, down

    def leaderboard(self, problem: str) -> dict[str, Any]:
        self._check()
        blank = dict.fromkeys(
            ("rank", "researcher", "pgr", "accuracy", "error", "status", "claimed", "submission", "snapshot")
        )
        rows = [
            blank | {"rank": i + 1, "kind": "submission", "name": "t012" + self._evil(i), "researcher": m.name, "pgr": None if i > 5 else 0.45 - 0.04 * i,
                     "accuracy": None if i > 5 else 0.69, "error": 0.025, "status": "improved", "submission": i + 1}
            for i, m in enumerate(reversed(self.spec.researchers))
        ]  # fmt: skip
        rows.append(blank | {"kind": "human", "name": "confident", "pgr": 0.3})
        return {
            "problem": "code@minilm/smollm2-135m",
            "floor": 0.61,
            "ceiling": 0.79,
            "rows": [r | {"note": "", "created": "", "teacher_dependence": None} for r in rows],
        }

    def findings(self, **query: Any) -> list[dict[str, Any]]:
        self._check()
        return [
            {"id": i, "kind": "result", "title": f"PGR 0.{30 + i}: soft labels, confident rows" + self._evil(i), "body": "Guessed 0.31 after the answer.\n" + self._evil(i),
             "researcher": m.name, "study": self.spec.name, "standing": "unverified", "runs": [], "builds_on": [], "votes": 0, "comments": 0, "created": "2026-01-01T00:00:00.000000Z"}
            for i, m in enumerate(self.spec.researchers)
        ]  # fmt: skip

    def _evil(self, i: int) -> str:
        return ATTACKS[i % len(ATTACKS)] if self.hostile else ""

    def _check(self) -> None:
        if self.down:
            raise ProviderDown("no answer from the lab")
