"""What a report says, before any medium: claims, numbers, plots and tables. Texts of researchers are still raw in here."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aar.analysis import bars, plots, timeuse
from aar.analysis.claims import Claim, Figure, compare, difference, mean_difference, recovered
from aar.analysis.material import Material
from aar.scoring.problem import Problem
from aar.studies.events import StudyEvent
from aar.types import NotScored

RULE = ("A sentence speaks of a difference only where the 95 % interval of that difference leaves zero out. Otherwise it says that no "
        "difference is shown, which is not the same as showing that there is none.")  # fmt: skip


@dataclass(frozen=True)
class Column:
    name: str
    number: bool = False


@dataclass(frozen=True)
class Table:
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Part:
    """A section: perhaps a plot (PNG), and tables. `name` is its file's."""

    name: str
    title: str
    caption: str
    plot: bytes | None = None
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Content:
    study: str
    problem: str
    subtitle: str
    claims: tuple[Claim, ...]
    looks: str
    numbers: tuple[tuple[str, str], ...]
    parts: tuple[Part, ...]
    findings: tuple[dict[str, str], ...]
    foot: str
    rule: str = RULE


def compose(m: Material) -> Content:
    arms = ", ".join(
        f"{sum(r.arm == arm for r in m.spec.researchers)} x {arm}"
        for arm in sorted({r.arm for r in m.spec.researchers})
    )
    findings = [{k: str(f.get(k, "")) for k in ("title", "kind", "standing", "researcher", "body")} for f in m.findings]
    state = "" if m.result.get("final") else " Not finalized yet: the private rows are unopened."
    return Content(
        m.spec.name,
        m.spec.problem,
        f"{len(m.spec.researchers)} researchers ({arms}).{state}",
        tuple(claims(m)),
        looks(m),
        tuple(numbers(m)),
        tuple(p for p in parts(m) if p.plot or p.tables),
        tuple(f | {"researcher": m.label(f["researcher"])} for f in findings),
        "Texts of researchers are shown as data: control characters drawn as signs, long ones cut with a mark.",
    )


# -- claims


def claims(m: Material) -> list[Claim]:
    """Final lane first; the interactive lane supports no claim."""
    final, human = Figure.read(m.result.get("final")), m.human
    found = []
    if m.result.get("final"):
        label = m.result["final"].get("label")
        rows = f"the private rows of {m.spec.problem}" + (
            f" ({label}: opened by an earlier study too)" if label else ""
        )
        found.append(recovered(f"Primary method on {rows}", final))
        if final and human:
            found.append(
                compare(
                    "the primary method", "the best human baseline", difference(final, human), "PGR, on different rows"
                )
            )
    found.append(
        compare(
            "search",
            "random",
            arms(m),
            f"mean PGR on the private rows over {_n(m, 'search')} and {_n(m, 'random')} researchers",
        )
    )
    second = m.result.get("runner_up") or {}
    for whose, moved in (("Primary method", m.result.get("transfer")), ("Runner-up", second.get("transfer"))):
        for name, raw in (moved or {}).items():
            unseen = "which researchers had answers about before" if raw.get("seen") else "unseen by all researchers"
            found.append(recovered(f"{whose} on {Problem.parse(name).short}, {unseen}", Figure.read(raw)))
    return found


def arms(m: Material) -> Figure | NotScored:
    """search - random over researchers; each counts once, with its best opened method.

    A researcher that had nothing verified counts as the floor, PGR 0: leaving it out would flatter its arm. One whose
    verified method was not opened has no figure, and then there is no comparison.
    """
    best: dict[str, float] = {}
    for row in m.result.get("opened") or []:
        if figure := Figure.read(row):
            best[row["researcher"]] = max(best.get(row["researcher"], -math.inf), figure.mean)
    if not best:
        return NotScored("no researcher's method was opened on the private rows")
    had_one = {e.researcher for e in m.events if _is_verified(e)}
    if unknown := [r.name for r in m.spec.researchers if r.name not in best and r.name in had_one]:
        return NotScored(
            f"methods of {len(unknown)} of {len(m.spec.researchers)} researchers were verified but not opened"
        )
    of = {arm: [best.get(r.name, 0.0) for r in m.spec.researchers if r.arm == arm] for arm in ("search", "random")}
    return mean_difference(of["search"], of["random"])


def _is_verified(event: StudyEvent) -> bool:
    if event.kind == "job":
        return event.data.get("job_kind") == "rerun" and event.data.get("state") == "done"
    return event.kind == "verdict" and event.data.get("state") == "answered"


def looks(m: Material) -> str:
    """How often the lab was asked: what picking the best of many looks does is said next to the claims."""
    told = {kind: sum(e.kind == kind for e in m.events) for kind in ("evaluation", "verdict")}
    opened = len(m.result.get("opened") or []) or bool(m.result.get("final"))
    return (
        f"Multiple looking: the lab answered {told['evaluation']} evaluations and told {told['verdict']} verdicts on the interactive rows. The best of "
        "many answers runs high, so those figures rank and draw curves but carry no claim. The private rows were opened "
        + (f"once, for {int(opened)} methods together; their intervals hold for all of them at once. " if opened else "for no method so far. ")
        + ("An earlier study had opened the same rows, so they are no longer unseen. " if (m.result.get("final") or {}).get("label") else "")
        + "The sentences above are not corrected for there being several of them."
    )  # fmt: skip


# -- numbers, parts


def numbers(m: Material) -> list[tuple[str, str]]:
    r, main = m.result, m.main
    best, human = r.get("best_verified") or {}, r.get("human_baseline") or {}
    final, second = r.get("final") or {}, r.get("runner_up") or {}
    card = main.card if main else None
    wanted: list[tuple[str, str | None]] = [
        ("final PGR, private rows", f"{Figure.read(final)}, n = {final.get('n')}" if Figure.read(final) else None),
        ("best human baseline", f"{Figure.read(human)} {human.get('method', '')}" if Figure.read(human) else None),
        ("primary method", f"{best.get('method')} by {m.label(str(best.get('researcher')))}" if best else None),
        ("runner-up", f"{second.get('method')} by {m.label(str(second.get('researcher')))}" if second else None),
        ("floor", f"{card.floor['mean']:.3f}" if card else None),
        ("ceiling", f"{card.ceiling['mean']:.3f}" if card and card.ceiling else None),
        ("trials", _count(m, "trial")),
        ("distinct configurations", str(r["configurations"]) if "configurations" in r else None),
        ("evaluations", _count(m, "evaluation")), ("submissions", _count(m, "submission")),
        ("wall clock", f"{r['seconds']:.0f} s" if "seconds" in r else None),
        ("peak memory", f"{r['peak_memory_mb']:.0f} MB" if r.get("peak_memory_mb") else None),
    ]  # fmt: skip
    return [(name, value) for name, value in wanted if value]


def parts(m: Material) -> list[Part]:
    def part(draw: Callable[[Material], bytes | None], title: str, caption: str, *tables: Table) -> Part:
        return Part(draw.__name__, title, caption, draw(m), tuple(t for t in tables if t.rows))

    return [
        part(plots.progress, "Progress", "Each line is one researcher's best answer so far, by the gate and on its grid; the thick one is the team's. "
             + ("The band is the 95 % interval of the best human baseline on the same rows. " if m.human else "") + _one_answer(m), board(m)),
        part(bars.transfer, "Final lane and transfer", "Private rows, opened once after the primary method was registered, and problems that nobody "
             "worked on, on which the best two methods ran. Human baselines were measured on the test rows.", opened(m)),
        part(bars.baselines, "Human baselines", "PGR of the human-tuned methods, with the uncertainty of floor and ceiling in the interval.", not_run(m)),
        part(bars.bounds, "Floor and ceiling", "Floor: the teacher's accuracy. Ceiling: the student trained on the truth. PGR measures along this line."),
        part(plots.time_use, "Where the time went", "From the lab's clock, never as a method reports it.", phase_table(m)),
        part(plots.variety, "How different the configurations were", "Distance: share of genes in which two configurations differ, a number by how far "
             "apart in its range."),
    ]  # fmt: skip


def _one_answer(m: Material) -> str:
    """How much one answer on the interactive rows can be off by chance."""
    if not m.main or not m.main.card.ceiling:
        return ""
    card, n = m.main.card, m.main.card.rows["test"]
    gap = (card.ceiling or {})["mean"] - card.floor["mean"]
    return (
        f"One answer alone has a standard error of about {0.5 / math.sqrt(n) / gap:.2f} PGR (n = {n} rows)."
        if gap > 0
        else ""
    )


def board(m: Material) -> Table:
    columns = (
        Column("rank", True),
        Column("method"),
        Column("researcher"),
        Column("PGR", True),
        Column("accuracy", True),
        Column("claimed", True),
    )
    rows = [
        (str(rank), str(r["name"]), m.label(str(r["researcher"])), _num(r["pgr"], "not improved"),
         _num(r["accuracy"]) + (f" ± {r['error']:.3f}" if r["accuracy"] is not None and r["error"] else ""), _num(r["claimed"]))
        for rank, r in enumerate((r for r in m.board if r["kind"] == "submission"), 1)
    ]  # fmt: skip
    return Table("The study's board: server-run methods, as far as the gate lets out", columns, tuple(rows))


def opened(m: Material) -> Table:
    columns = (Column("method"), Column("researcher"), Column("what it is"), Column("PGR on private rows", True))
    rows = [
        (
            str(r.get("method")),
            m.label(str(r.get("researcher"))),
            m.described(str(r.get("researcher")), str(r.get("method"))),
            str(Figure.read(r) or "not scored"),
        )
        for r in m.result.get("opened") or []
    ]
    return Table("All methods opened, intervals holding together", columns, tuple(rows))


def not_run(m: Material) -> Table:
    rows = [
        (p.problem.short, str(line["method"]), str(line["not_run"]))
        for p in m.problems
        for line in p.lines
        if not line["result"]
    ]
    return Table("Not run", (Column("problem"), Column("method"), Column("why")), tuple(rows))


def phase_table(m: Material) -> Table:
    words = {"open": "research", "settling": "waiting for the last reruns", "finalizing": "final lane and transfer"}
    rows = [(words.get(name, name), f"{seconds:.0f}") for name, seconds in timeuse.phases(m.events) if seconds >= 1]
    return Table("The study", (Column("phase"), Column("seconds", True)), tuple(rows))


def _n(m: Material, arm: str) -> int:
    return sum(r.arm == arm for r in m.spec.researchers)


def _count(m: Material, kind: str) -> str | None:
    n = sum(e.kind == kind for e in m.events)
    return str(n) if n else None


def _num(value: Any, none: str = "-") -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else none
