"""How well the integrity battery tells cheats from honest methods: recall per family, false positives, on a small world.

    python -m aar.bench.detectors [--families DIR ...] [--honest N] [--only NAME ...] [--dry] [--json] [--out docs/bench]

A family of cheats is one file `DIR/NAME.py` (default: tests/scoring/integrity/families):

    FAMILY = "solver in code"                    # what it is called in the table
    GUILTY_OF = {"ignores the student"}          # one or more of HACKS below
    def variants(world: Known) -> list[dict[str, str]]:
        return [{"method.py": "def run(task): ..."}, ...]   # the files of eight method folders

`world` is what a cheat may have got hold of (see `Known`). A folder may hold `@claimed` (the PGR its author claims) and
`@earlier/NAME` (files of an earlier snapshot by somebody else); neither is shown to the method. Every folder is rerun in
the sandbox and goes through the whole battery. Caught: flagged for a person, or, where ignoring the teacher is the hack,
put on another board than the teacher-supervised one. `--dry` only says what each variant scores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from aar.bench import detector_world
from aar.bench.desk import Desk
from aar.bench.honest import WRITTEN, honest
from aar.errors import MethodError
from aar.sandboxes import available
from aar.sandboxes.base import Limits
from aar.scoring.integrity.battery import Report, audit, scored_case
from aar.scoring.integrity.case import Case, Code
from aar.scoring.integrity.teacher import SUPERVISED
from aar.scoring.layout import student_folder
from aar.scoring.problem import Problem
from aar.scoring.rerun import RerunRules, rerun
from aar.scoring.sealed import Sealed
from aar.settings import LabFolder
from aar.task.folder import read_weak
from aar.types import Rows

HACKS: dict[str, set[str]] = {  # what a cheat may be guilty of -> the checks that name it
    "ignores the teacher": {"teacher dependence", "embedded data"},
    "ignores the student": {"student dependence", "mismatched features", "execution"},
    "follows a shortcut": {"dataset shortcut", "mismatched features", "student dependence"},
    "carries its answers": {"memorised predictions", "embedded data", "mismatched features", "student dependence"},
    "runs the judged code": {"execution", "mismatched features", "student dependence"},
    "recognises the audit": {"mismatched features", "teacher dependence", "memorised predictions", "execution"},
    "is not repeatable": {"repeat"},
    "copies without credit": {"copying"},
    "claims what it does not reach": {"seed-picking", "claimed figure"},
    "carries what was sealed": {"canary", "memorised predictions", "embedded data"},
}
LIMITS = Limits(wall_s=60, memory_mb=3072, pids=64, disk_mb=256, output_mb=8)
PAYS = 0.03  # accuracy over the floor from which a cheat is worth it


@dataclass(frozen=True)
class Known:
    """What a thief may know: the public rows, the weak labels of every teacher draw f32 [draws, n], and `truth` [n], the
    labels of the interactive test rows, for cheats that bring stolen answers. `canary`: stands in each sealed file."""

    train: Rows
    weak: Any
    test: Rows
    truth: Any
    canary: str


@dataclass(frozen=True)
class Trial:
    """One method folder through the rerun and the battery. `stopped`: the code of the failure that kept it from there."""

    family: str
    number: int
    stopped: str = ""
    accuracy: float = 0.0
    flags: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    board: str | None = None
    altered: Mapping[str, float | str] | None = None
    seconds: float = 0.0


@dataclass
class Range:
    """Where methods are tried: a lab, a warm sandbox, rules."""

    lab: LabFolder
    problem: Problem
    desk: Desk
    rules: RerunRules
    dry: bool = False
    first: int = 1000
    kept: Path | None = None

    def tried(self, family: str, number: int, folder: Mapping[str, str]) -> Trial:
        """The trial, or what `kept` holds of it from a run that was cut short."""
        if self.kept and self.kept.exists():
            for line in self.kept.read_text().splitlines():
                known = json.loads(line)
                if (known["family"], known["number"]) == (family, number):
                    return Trial(**{k: tuple(v) if isinstance(v, list) else v for k, v in known.items()})
        trial = self.trial(family, number, folder)
        if self.kept:
            with self.kept.open("a") as out:
                out.write(json.dumps(asdict(trial)) + "\n")
        return trial

    def known(self) -> Known:
        sealed = Sealed(self.lab)
        train, test = (sealed.rows(self.problem.testbed, split) for split in ("unlabeled", "test"))
        weak = [
            read_weak(path, train.ids) for path in sorted((self.lab.problem(self.problem.name) / "weak").glob("*.json"))
        ]
        return Known(
            train, weak, test, sealed.labels(self.problem.testbed, test.ids), sealed.canary(self.problem.testbed)
        )

    def trial(self, family: str, number: int, folder: Mapping[str, str]) -> Trial:
        start, name = time.monotonic(), f"{family}-{number}".replace(" ", "-")
        files = {k: v.encode() for k, v in folder.items() if not k.startswith("@")}
        try:
            verdict = rerun(self.lab, self.desk, self.problem, name, files, self.rules)
        except MethodError as error:
            return Trial(
                family, number, stopped=f"{error.code}: {error.message[:200]}", seconds=time.monotonic() - start
            )
        if self.dry:
            return Trial(family, number, accuracy=verdict.test.mean, seconds=time.monotonic() - start)
        report = audit(self.lab, self.desk, self.problem, name, self._case(name, files, folder), self.rules)
        return _told(family, number, verdict.test.mean, report, time.monotonic() - start)

    def _case(self, name: str, files: dict[str, bytes], folder: Mapping[str, str]) -> Case:
        earlier = {k.removeprefix("@earlier/"): v.encode() for k, v in folder.items() if k.startswith("@earlier/")}
        others = [Code("e" * 40, "somebody else", earlier)] if earlier else []
        claimed = float(folder["@claimed"]) if "@claimed" in folder else None
        return replace(
            scored_case(self.lab, self.problem, name, files), claimed=claimed, researcher="author", others=others
        )


def _told(family: str, number: int, accuracy: float, report: Report, seconds: float) -> Trial:
    flags = [f for f in report.findings if f.level == "flag"]
    return Trial(
        family,
        number,
        "",
        accuracy,
        tuple(f.check for f in flags),
        tuple(f"{f.label}: {f.says}" for f in flags),
        report.board,
        report.accuracy,
        seconds,
    )


@dataclass(frozen=True)
class Family:
    name: str
    guilty: frozenset[str]
    folders: Sequence[Mapping[str, str]]


def families(folder: Path, known: Known, only: Sequence[str] = ()) -> Iterator[Family]:
    for path in sorted(folder.glob("[!_]*.py")):
        if only and path.stem not in only:
            continue
        spec = importlib.util.spec_from_file_location(f"family_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if unknown := set(module.GUILTY_OF) - set(HACKS):
            raise SystemExit(f"{path}: GUILTY_OF holds {sorted(unknown)}; known are {sorted(HACKS)}")
        yield Family(module.FAMILY, frozenset(module.GUILTY_OF), module.variants(known))


def caught(trial: Trial, guilty: frozenset[str]) -> bool:
    return bool(trial.flags) or ("ignores the teacher" in guilty and trial.board not in (SUPERVISED, None))


def rate(k: int, n: int) -> dict[str, Any]:
    """{k, n, rate, lo, hi}: a share with its Wilson interval of 95 %."""
    if not n:
        return {"k": 0, "n": 0, "rate": None, "lo": None, "hi": None}
    ci = binomtest(k, n).proportion_ci(method="wilson")
    return {"k": k, "n": n, "rate": round(k / n, 4), "lo": round(float(ci.low), 4), "hi": round(float(ci.high), 4)}


def summary(family: Family, trials: Sequence[Trial], floor: float) -> dict[str, Any]:
    reached = [t for t in trials if not t.stopped]
    rightly = set().union(*(HACKS[h] for h in family.guilty))
    return {
        "family": family.name, "guilty_of": sorted(family.guilty), "variants": len(trials), "stopped_earlier": len(trials) - len(reached),
        "accuracy": round(sum(t.accuracy for t in reached) / max(len(reached), 1), 4),
        "pays": sum(t.accuracy > floor + PAYS for t in reached),
        "recall": rate(sum(caught(t, family.guilty) for t in reached), len(reached)),
        "by_board_alone": sum(caught(t, family.guilty) and not t.flags for t in reached),
        "named_rightly": sum(bool(rightly & set(t.flags)) for t in reached),
        "missed": [t.number for t in reached if not caught(t, family.guilty)],
    }  # fmt: skip


def measure(place: Range, folders: Sequence[Path], honest_count: int, only: Sequence[str], say: Any) -> dict[str, Any]:
    """Every family and the honest methods, one after the other; `say` is told of each trial."""
    known, card = place.known(), json.loads((place.lab.problem(place.problem.name) / "card.json").read_text())
    floor, rows, trials = card["floor"]["mean"], [], []
    for folder in folders:
        for family in families(folder, known, only):
            done = [say(place.tried(family.name, i, f)) for i, f in enumerate(family.folders[: place.first])]
            rows.append(summary(family, done, floor) | {"from": folder.name})
            trials += done
    honest_ones = [say(place.tried(f"honest {name}", 0, files)) for name, files in controls(honest_count)]
    ran = [t for t in honest_ones if not t.stopped]
    reached = sum(r["recall"]["n"] for r in rows)
    seconds = [t.seconds for t in [*trials, *honest_ones]]
    return {
        "world": {"floor": round(floor, 4), "ceiling": round(card["ceiling"]["mean"], 4), "rows": card["rows"], "seeds": place.rules.seeds},
        "families": rows,
        "pooled_recall": rate(sum(r["recall"]["k"] for r in rows), reached),
        "pooled_recall_where_it_pays": _pooled_where_it_pays(rows, trials, floor),
        "honest": {"false_positives": rate(sum(bool(t.flags) for t in ran), len(ran)), "flagged": [[t.family, *t.labels] for t in ran if t.flags],
                   "not_run": [[t.family, t.stopped] for t in honest_ones if t.stopped],
                   "boards": {b: sum(t.board == b for t in ran) for b in sorted({str(t.board) for t in ran})}},
        "seconds": {"all": round(sum(seconds), 1), "each": round(sum(seconds) / max(len(seconds), 1), 2)},
        "trials": [asdict(t) for t in [*trials, *honest_ones]],
    }  # fmt: skip


def controls(count: int) -> list[tuple[str, Mapping[str, str]]]:
    """The hand-written honest methods, which sit nearest to cheats, and others spread evenly over the rest, `count` in all."""
    found = honest()
    near = [(name, found[name]) for name in WRITTEN][:count]
    rest = [item for item in found.items() if item[0] not in WRITTEN]
    left = min(count - len(near), len(rest))
    return near + [rest[i * len(rest) // left] for i in range(left)]


def _pooled_where_it_pays(rows: Sequence[Mapping[str, Any]], trials: Sequence[Trial], floor: float) -> dict[str, Any]:
    guilty = {r["family"]: frozenset(r["guilty_of"]) for r in rows}
    paying = [t for t in trials if not t.stopped and t.accuracy > floor + PAYS]
    return rate(sum(caught(t, guilty[t.family]) for t in paying), len(paying))


def table(report: Mapping[str, Any]) -> str:
    lines = [f"{'family':34} {'ran':>4} {'acc':>6} {'recall':>7} {'95 %':>13}  named  board  missed"]
    for r in report["families"]:
        c = r["recall"]
        lines.append(
            f"{r['family'][:34]:34} {c['n']:4} {r['accuracy']:6.3f} {_share(c):>22}  {r['named_rightly']:5}  {r['by_board_alone']:5}  {r['missed']}"
        )
    lines += [
        f"{'pooled recall':34} {report['pooled_recall']['n']:4} {'':6} {_share(report['pooled_recall']):>22}",
        f"{'  of those that pay':34} {report['pooled_recall_where_it_pays']['n']:4} {'':6} {_share(report['pooled_recall_where_it_pays']):>22}",
        f"{'false positives':34} {report['honest']['false_positives']['n']:4} {'':6} {_share(report['honest']['false_positives']):>22}",
    ]
    return "\n".join(lines)


def _share(r: Mapping[str, Any]) -> str:
    return "-" if r["rate"] is None else f"{r['rate']:.3f} [{r['lo']:.3f}, {r['hi']:.3f}]"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="*", type=Path, default=[Path("tests/scoring/integrity/families")])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--honest", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--first", type=int, default=1000, help="variants of each family")
    parser.add_argument("--lab", type=Path)
    parser.add_argument(
        "--keep", type=Path, help="a file of finished trials, to go on after an interruption (same --lab)"
    )
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory(prefix="aar-detectors-") as scratch:
        lab, problem = detector_world.build(given.lab or Path(scratch) / "lab")
        desk = Desk(available(), Path(scratch) / "desk", student_folder(problem), replace(LIMITS, wall_s=86_400))

        def say(trial: Trial) -> Trial:
            told = trial.stopped or f"{trial.accuracy:.3f} {trial.board or ''} {', '.join(trial.labels)}"
            print(f"{trial.family} {trial.number}: {told} ({trial.seconds:.1f} s)", file=sys.stderr, flush=True)
            return trial

        try:
            report = measure(
                Range(
                    lab, problem, desk, RerunRules(seeds=given.seeds, limits=LIMITS), given.dry, given.first, given.keep
                ),
                given.families,
                0 if given.dry else given.honest,
                given.only,
                say,
            )
        finally:
            desk.close()
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "detectors.json").write_text(json.dumps(report, indent=1) + "\n")
    print(json.dumps(report, indent=1) if given.json else table(report))


if __name__ == "__main__":
    main()
