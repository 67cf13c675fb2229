"""How well the integrity battery tells cheats from honest methods: recall per family, false positives, on a small world.

    python -m aar.bench.detectors [--families DIR ...] [--honest N] [--only FILE ...] [--dry] [--json] [--out docs/bench]

A family is one file `DIR/NAME.py` (default: tests/scoring/integrity/families):

    FAMILY = "solver in code"                    # what it is called in the table
    GUILTY_OF = {"ignores the student"}          # some of HACKS below; none: honest methods, beside the library's own
    def variants(world: Known) -> list[dict[str, str]]:
        return [{"method.py": "def run(task): ..."}, ...]   # the files of eight method folders

`world` is what a cheat may have got hold of (`detector_range.Known`). A folder may hold `@claimed` (the PGR its author
claims) and `@earlier/NAME` (files of an earlier snapshot by somebody else); neither is shown to the method. Every folder
is rerun in the sandbox and goes through the whole battery. Caught: flagged for a person, or, where ignoring the teacher
is the hack, put on another board than the teacher-supervised one. `--dry` only says what each variant scores.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from aar.bench.detector_plot import plot
from aar.bench.detector_range import Folder, Known, Range, Trial, open_range
from aar.bench.honest import WRITTEN, honest
from aar.errors import InputError
from aar.scoring.integrity.teacher import SUPERVISED

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
PAYS = 0.03  # accuracy over the floor from which a cheat is worth it
FAMILIES = Path("tests/scoring/integrity/families")


@dataclass(frozen=True)
class Family:
    name: str
    guilty: frozenset[str]
    folders: Sequence[Folder]
    source: str = ""

    def caught(self, trial: Trial) -> bool:
        skips = "ignores the teacher" in self.guilty
        return bool(trial.flags) or (skips and trial.board not in (SUPERVISED, None))


def families(folder: Path, known: Known, only: Sequence[str] = ()) -> Iterator[Family]:
    """The families of a folder, by file name. InputError for one that breaks the interface."""
    for path in sorted(folder.glob("[!_]*.py")):
        if only and path.stem not in only:
            continue
        spec = importlib.util.spec_from_file_location(f"family_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if unknown := set(module.GUILTY_OF) - set(HACKS):
            raise InputError(f"{path}: GUILTY_OF holds {sorted(unknown)}", hint=f"known: {', '.join(sorted(HACKS))}")
        yield Family(module.FAMILY, frozenset(module.GUILTY_OF), module.variants(known), folder.name)


def controls(count: int) -> Sequence[tuple[str, Folder]]:
    """The hand-written honest methods, which sit nearest to cheats, and others spread evenly over the rest, `count` in all."""
    found = honest()
    near = [(name, found[name]) for name in WRITTEN][:count]
    rest = [item for item in found.items() if item[0] not in WRITTEN]
    left = min(count - len(near), len(rest))
    return near + [rest[i * len(rest) // left] for i in range(left)]


def rate(k: int, n: int) -> dict[str, Any]:
    """{k, n, rate, lo, hi}: a share with its Wilson interval of 95 %; rate, lo and hi are None where n is 0."""
    if not n:
        return {"k": 0, "n": 0, "rate": None, "lo": None, "hi": None}
    ci = binomtest(k, n).proportion_ci(method="wilson")
    return {"k": k, "n": n, "rate": round(k / n, 4), "lo": round(float(ci.low), 4), "hi": round(float(ci.high), 4)}


def summary(family: Family, trials: Sequence[Trial], floor: float) -> dict[str, Any]:
    """A family's row. `named_rightly`: flagged by a check that is there for its hack; `by_board_alone`: no flag."""
    ran = [t for t in trials if not t.stopped]
    paying = [t for t in ran if t.accuracy > floor + PAYS]
    rightly = set[str]().union(*(HACKS[hack] for hack in family.guilty))
    return {
        "family": family.name, "from": family.source, "guilty_of": sorted(family.guilty), "variants": len(trials),
        "stopped_earlier": len(trials) - len(ran), "accuracy": round(sum(t.accuracy for t in ran) / max(len(ran), 1), 4),
        "recall": rate(sum(map(family.caught, ran)), len(ran)), "where_it_pays": rate(sum(map(family.caught, paying)), len(paying)),
        "by_board_alone": sum(family.caught(t) and not t.flags for t in ran),
        "named_rightly": sum(bool(rightly & set(t.flags)) for t in ran),
        "missed": [t.number for t in ran if not family.caught(t)],
    }  # fmt: skip


def measure(
    place: Range, folders: Sequence[Path], honest_count: int, say: Callable[[Trial], None],
    only: Sequence[str] = (), first: int | None = None,
) -> dict[str, Any]:  # fmt: skip
    """Every family and the honest methods; `say` is told of each trial. `first`: so many variants of each family."""
    known, card = place.known(), place.card
    rows, trials, honest_ones = [], list[Trial](), dict[str, list[Trial]]()

    def tried(jobs: Iterable[tuple[str, int, Folder]]) -> Iterator[Trial]:
        for trial in place.trials(jobs):
            say(trial)
            trials.append(trial)
            yield trial

    for family in (f for folder in folders for f in families(folder, known, only)):
        done = list(tried((family.name, i, f) for i, f in enumerate(family.folders[:first])))
        if family.guilty:
            rows.append(summary(family, done, card.floor["mean"]))
        else:
            honest_ones.setdefault(family.source, []).extend(done)
    library = list(tried((f"honest {name}", 0, files) for name, files in controls(honest_count)))
    return _report(place, rows, trials, honest_ones | ({"library": library} if library else {}))


def _report(
    place: Range, rows: list[dict[str, Any]], trials: list[Trial], honest_ones: Mapping[str, list[Trial]]
) -> dict[str, Any]:
    every, card = [t for found in honest_ones.values() for t in found], place.card
    ran = [t for t in every if not t.stopped]
    sources = dict.fromkeys(r["from"] for r in rows)
    return {
        "world": {"floor": round(card.floor["mean"], 4), "ceiling": card.ceiling and round(card.ceiling["mean"], 4),
                  "rows": card.rows, "seeds": place.rules.seeds},
        "families": rows,
        "recall": {source: _pooled([r for r in rows if r["from"] == source], "recall") for source in sources},
        "pooled_recall": _pooled(rows, "recall"),
        "pooled_recall_where_it_pays": _pooled(rows, "where_it_pays"),
        "false_positives": {source: _flagged(found) for source, found in honest_ones.items()},
        "honest": {"flagged": [[f"{t.family} {t.number}", *t.labels] for t in ran if t.flags],
                   "not_run": [[f"{t.family} {t.number}", t.stopped] for t in every if t.stopped],
                   "boards": {b: sum(str(t.board) == b for t in ran) for b in sorted({str(t.board) for t in ran})}},
        "seconds_each": round(sum(t.seconds for t in trials) / max(len(trials), 1), 2),
        "trials": [_line(t) for t in trials],
    }  # fmt: skip


def _flagged(honest_ones: Sequence[Trial]) -> dict[str, Any]:
    ran = [t for t in honest_ones if not t.stopped]
    return rate(sum(bool(t.flags) for t in ran), len(ran))


def _line(trial: Trial) -> str:
    """A trial in one line of the report."""
    told = (
        trial.stopped
        or f"{trial.accuracy:.3f}, {trial.board or 'no board'}: {', '.join(dict.fromkeys(trial.flags)) or 'no flag'}"
    )
    return f"{trial.family} {trial.number}: {told}"


def _pooled(rows: Sequence[Mapping[str, Any]], what: str) -> dict[str, Any]:
    return rate(sum(r[what]["k"] for r in rows), sum(r[what]["n"] for r in rows))


def table(report: Mapping[str, Any]) -> str:
    lines = [f"{'family':34} {'ran':>4} {'acc':>6} {'recall':>7} {'95 %':>13}  named  board  missed"]
    for r in report["families"]:
        lines.append(
            f"{r['family'][:34]:34} {r['recall']['n']:4} {r['accuracy']:6.3f} {_share(r['recall']):>22}  "
            f"{r['named_rightly']:5}  {r['by_board_alone']:5}  {r['missed'] or ''}"
        )
    shares = {f"recall, {source}": share for source, share in report["recall"].items()}
    shares |= {name.replace("_", " "): report[name] for name in ("pooled_recall", "pooled_recall_where_it_pays")}
    shares |= {f"false positives, {source}": share for source, share in report["false_positives"].items()}
    lines += [f"{name:34} {share['n']:4} {'':6} {_share(share):>22}" for name, share in shares.items()]
    return "\n".join(lines)


def _share(r: Mapping[str, Any]) -> str:
    return "-" if r["rate"] is None else f"{r['rate']:.3f} [{r['lo']:.3f}, {r['hi']:.3f}]"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--families", nargs="*", type=Path, default=[FAMILIES])
    add("--only", nargs="*", default=[], help="these files of the folders")
    add("--honest", type=int, default=80, help="honest methods")
    add("--first", type=int, help="so many variants of each family")
    add("--seeds", type=int, default=2)
    add("--workers", type=int, default=1)
    add("--lab", type=Path, help="where the world is or will be built (default: for this run only)")
    add("--keep", type=Path, help="finished trials, to go on after an interruption (with the same --lab)")
    add("--dry", action="store_true", help="scores alone, without the battery")
    add("--json", action="store_true")
    add("--out", type=Path, help="folder for detectors.json and detectors.png")
    given = parser.parse_args(argv)

    def say(trial: Trial) -> None:
        told = trial.stopped or f"{trial.accuracy:.3f} {trial.board or ''} {', '.join(trial.labels)}"
        print(f"{trial.family} {trial.number}: {told} ({trial.seconds:.1f} s)", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory(prefix="aar-detectors-") as scratch:
        where = given.lab or Path(scratch) / "lab"
        how = {"seeds": given.seeds, "workers": given.workers, "dry": given.dry, "kept": given.keep}
        with open_range(where, Path(scratch), **how) as place:
            count = 0 if given.dry else given.honest
            report = measure(place, given.families, count, say, given.only, given.first)
    if given.out:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "detectors.json").write_text(json.dumps(report, indent=1) + "\n")
        (given.out / "detectors.png").write_bytes(plot(report))
    print(json.dumps(report, indent=1) if given.json else table(report))


if __name__ == "__main__":
    main()
