"""The plots of problems: floors and ceilings, human baselines, the final lane and transfer. From the material to PNG bytes.

Units stand on the axes, n in the titles; intervals are 95 %. None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from aar.analysis.claims import Figure
from aar.analysis.material import Material
from aar.analysis.style import BLUE, CEILING, GREY, HUMAN, drawn, figure, png, words
from aar.scoring.problem import Problem


def baselines(m: Material) -> bytes | None:
    """The human baselines of every problem, with their intervals."""
    shown = [p for p in m.problems if p.scored]
    if not shown:
        return None
    heights = [len(p.scored) + 0.8 for p in shown]
    with figure(
        0.5 + 0.27 * sum(heights) + 0.35 * len(shown),
        nrows=len(shown),
        sharex=True,
        gridspec_kw={"height_ratios": heights},
    ) as (fig, axes):
        for ax, problem in zip(axes, shown, strict=True):
            lines = problem.scored[::-1]
            _bounds(ax)
            for y, line in enumerate(lines):
                _bar(ax, y, Figure.read(line["result"]["pgr"]), BLUE)
            ax.set_yticks(range(len(lines)), [drawn(line["method"]) for line in lines])
            seeds = max(len(line["result"]["seeds"]) for line in lines)
            ax.set_title(f"{problem.problem.short}: n = {problem.card.rows['test']} rows, {seeds} seeds")
            ax.set_ylim(-0.7, len(lines) - 0.3)
        axes[-1].set_xlabel("PGR (0 = teacher, 1 = ceiling), 95 % interval")
        return png(fig)


def transfer(m: Material) -> bytes | None:
    """The final figure of the study's problem and those of the problems nobody worked on, beside the best human baseline."""
    entries = _finals(m)
    if not entries:
        return None
    with figure(1.1 + 0.62 * len(entries)) as (fig, (ax,)):
        _bounds(ax)
        for y, (_, study, human) in enumerate(reversed(entries)):
            if study:
                ax.barh(y + 0.14, study.mean, height=0.34, color=BLUE, alpha=0.3)
                _bar(ax, y + 0.14, study, BLUE)
            else:
                ax.text(0.01, y + 0.14, "not scored", color=GREY, va="center", fontsize=8)
            if human:
                _bar(ax, y - 0.2, human, HUMAN, "D")
        ax.set_yticks(range(len(entries)), [name for name, *_ in reversed(entries)])
        ax.set_ylim(-0.6, len(entries) - 0.4)
        ax.set_xlabel("PGR (0 = teacher, 1 = ceiling), 95 % interval")
        words(ax, [("the study's method", BLUE), ("best human baseline", HUMAN)])
        return png(fig)


def bounds(m: Material) -> bytes | None:
    """Floor, ceiling and best human baseline of every problem, as accuracies."""
    shown = [p for p in m.problems if p.card.ceiling]
    if not shown:
        return None
    with figure(1.1 + 0.5 * len(shown)) as (fig, (ax,)):
        for y, p in enumerate(reversed(shown)):
            floor, ceiling = p.card.floor, p.card.ceiling or {}
            ax.plot([floor["mean"], ceiling["mean"]], [y, y], color=GREY, lw=1.2, zorder=1)
            best = p.best
            marks = [(floor, GREY, "o"), (ceiling, CEILING, "s")] + ([(best["acc"], HUMAN, "D")] if best else [])
            for acc, colour, marker in marks:
                ax.errorbar(
                    acc["mean"], y, xerr=1.96 * (acc["se"] or 0), color=colour, marker=marker, capsize=2.5, ms=6
                )
                ax.annotate(
                    f"{acc['mean']:.2f}",
                    (acc["mean"], y),
                    (0, 7),
                    textcoords="offset points",
                    ha="center",
                    fontsize=8,
                    color=colour,
                )
        ax.set_yticks(range(len(shown)), [f"{p.problem.short}\nn = {p.card.rows['test']}" for p in reversed(shown)])
        ax.set_ylim(-0.5, len(shown) - 0.35)
        ax.set_xlabel("accuracy on the test rows, 95 % interval over seeds")
        words(ax, [("floor (teacher)", GREY), ("best human baseline", HUMAN), ("ceiling (truth)", CEILING)])
        return png(fig)


# -- pieces


def _finals(m: Material) -> list[tuple[str, Figure | None, Figure | None]]:
    """(problem, the study's figure, the best human one): the study's own problem first."""
    final, moved = m.result.get("final"), m.result.get("transfer") or {}
    entries = [*([(m.spec.problem, final)] if final else []), *moved.items()]
    found = []
    for name, raw in entries:
        problem = Problem.parse(name)
        human = _pgr(next((p.best for p in m.problems if p.problem == problem), None))
        rows = f"n = {raw['n']} private" if "n" in raw else "asked before" if raw.get("seen") else "unseen"
        found.append((f"{problem.short}\n{rows}", Figure.read(raw), human))
    return found


def _pgr(result: Mapping[str, Any] | None) -> Figure | None:
    return Figure.read(result["pgr"]) if result else None


def _bar(ax: Axes, y: float, value: Figure | None, colour: str, marker: str = "o") -> None:
    if value:
        ax.errorbar(
            value.mean,
            y,
            xerr=[[value.mean - value.lo], [value.hi - value.mean]],
            color=colour,
            marker=marker,
            capsize=3,
            ms=5,
        )
        ax.annotate(
            f"{value.mean:.2f}",
            (value.hi, y),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=colour,
        )


def _bounds(ax: Axes) -> None:
    for x in (0.0, 1.0):
        ax.axvline(x, color=GREY, lw=0.9, ls=":")
