"""The plots of problems: floors and ceilings, human baselines, the final lane and transfer. From the material to PNG bytes.

Units stand on the axes, n in the titles; intervals are 95 %. None where there is nothing to draw.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from aar.analysis.claims import Figure
from aar.analysis.material import Material
from aar.analysis.style import BLUE, CEILING, GREY, HUMAN, SECOND, drawn, figure, png, words
from aar.scoring.problem import Problem

WHOSE = (("primary method", BLUE, "o"), ("runner-up", SECOND, "v"), ("best human baseline", HUMAN, "D"))


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
    """The best two methods on the study's private rows and on the problems nobody worked on, beside the best human baseline."""
    entries = _finals(m)
    if not entries:
        return None
    with figure(1.1 + 0.72 * len(entries)) as (fig, (ax,)):
        _bounds(ax)
        for y, (_, *figures) in enumerate(reversed(entries)):
            for (_, colour, marker), value, lower in zip(WHOSE, figures, (0.24, 0.0, -0.24), strict=True):
                _bar(ax, y + lower, value, colour, marker)
            if not figures[0]:
                ax.text(0.01, y + 0.24, "not scored", color=GREY, va="center", fontsize=8)
        ax.set_yticks(range(len(entries)), [name for name, *_ in reversed(entries)])
        ax.set_ylim(-0.6, len(entries) - 0.4)
        ax.set_xlabel("PGR (0 = teacher, 1 = ceiling), 95 % interval")
        words(ax, [(name, colour) for i, (name, colour, _) in enumerate(WHOSE) if any(e[i + 1] for e in entries)])
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


def _finals(m: Material) -> list[tuple[str, Figure | None, Figure | None, Figure | None]]:
    """(problem, the primary's figure, the runner-up's, the best human one): the study's own problem first."""
    final, second = m.result.get("final"), m.result.get("runner_up") or {}
    opened = {row.get("submission"): row for row in m.result.get("opened") or []}
    entries = [(m.spec.problem, final, opened.get(second.get("submission")))] if final else []
    entries += [(n, raw, (second.get("transfer") or {}).get(n)) for n, raw in (m.result.get("transfer") or {}).items()]
    found = []
    for name, raw, other in entries:
        problem = Problem.parse(name)
        human = _pgr(next((p.best for p in m.problems if p.problem == problem), None))
        rows = f"n = {raw['n']} private" if "n" in raw else "asked before" if raw.get("seen") else "unseen"
        found.append((f"{problem.short}\n{rows}", Figure.read(raw), Figure.read(other), human))
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
