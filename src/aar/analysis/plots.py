"""The plots of a study at work: progress, time, variety. From the material to PNG bytes; None where there is nothing to draw.

Units stand on the axes, n in the titles; intervals are 95 %. Labels stand at what they name.
"""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from aar.analysis import curves, diversity, timeuse
from aar.analysis.claims import Figure
from aar.analysis.material import Material
from aar.analysis.style import (
    ARMS,
    BLUE,
    GREY,
    HUMAN,
    INK,
    LIGHT,
    MARKERS,
    RERUN,
    SKY,
    drawn,
    figure,
    png,
    spread_labels,
    words,
)


def progress(m: Material) -> bytes | None:
    """PGR against cumulative researcher-hours, per researcher, with the frontier and the human baseline."""
    answers = curves.points(m.events)
    if not answers:
        return None
    unit, scale = _clock(max(p.hours for p in answers))
    with figure(4.4) as (fig, (ax,)):
        _human_line(ax, m.human)
        ends = [_researcher(ax, m, name, answers, scale) for name in dict.fromkeys(p.researcher for p in answers)]
        hours, best = curves.best_so_far(answers)
        last = max(p.hours for p in answers)
        if best:
            ax.step(
                [*(h * scale for h in hours), last * scale],
                [*best, best[-1]],
                where="post",
                color=INK,
                lw=2.4,
                zorder=5,
            )
            ax.annotate(
                "best so far",
                (hours[-1] * scale, best[-1]),
                (-4, 5),
                textcoords="offset points",
                ha="right",
                weight="bold",
            )
        ax.set(
            xlabel=f"researcher-{unit}, all researchers added up",
            ylabel="PGR (0 = teacher, 1 = ceiling)",
            xlim=(0, None),
        )
        ax.margins(y=0.1)
        _unimproved(ax, m, answers, scale)
        _name_ends(ax, m, [e for e in ends if e], last * scale)
        verified = sum(p.verified for p in answers)
        ax.set_title(f"answers: {verified} reruns (filled), {len(answers) - verified} evaluations (hollow)")
        return png(fig)


def time_use(m: Material) -> bytes | None:
    """Where each researcher's time went, and the lab's for reruns."""
    uses = timeuse.by_researcher(m.events)
    if not uses:
        return None
    long = max(u.trying + u.waiting + u.other for u in uses) > 300
    unit, scale = ("minutes", 1 / 60) if long else ("seconds", 1.0)
    parts = [
        ("trying methods", "trying", BLUE),
        ("waiting for a slot", "waiting", SKY),
        ("asking, deciding", "other", LIGHT),
    ]
    with figure(1.2 + 0.27 * (len(uses) + 1)) as (fig, (ax,)):
        for y, use in enumerate(reversed(uses), 1):
            left = 0.0
            for _, key, colour in parts:
                ax.barh(y, getattr(use, key) * scale, left=left, color=colour, height=0.68)
                left += getattr(use, key) * scale
            ax.text(left, y, f"  {use.trials} trials", va="center", fontsize=8)
        reruns = sum(u.reruns for u in uses) * scale
        ax.barh(0, reruns, color=RERUN, height=0.68)
        ax.text(reruns, 0, "  reruns by the lab", va="center", fontsize=8, color=RERUN)
        ax.set_yticks(range(len(uses) + 1), ["the lab", *(drawn(m.label(u.researcher)) for u in reversed(uses))])
        ax.set_xlabel(f"{unit} of wall clock")
        ax.margins(x=0.16)
        words(ax, [(name, GREY if colour == LIGHT else colour) for name, _, colour in parts])
        return png(fig)


def variety(m: Material) -> bytes | None:
    """Distinct configurations over time, and how far apart the latest are."""
    seen = diversity.over_time(m.events)
    if not seen.hours:
        return None
    unit, scale = _clock(seen.hours[-1])
    x = np.array(seen.hours) * scale
    with figure(3.6, nrows=2, sharex=True) as (fig, (top, bottom)):
        tried = np.arange(1, len(x) + 1)
        top.plot(x, tried, color=GREY, lw=1)
        top.plot(x, seen.distinct, color=BLUE, lw=2)
        top.set_title(f"{seen.distinct[-1]} distinct configurations (blue) in {len(x)} trials (grey)")
        top.set(ylabel="count", ylim=(0, None))
        bottom.plot(x, seen.apart, color=BLUE, lw=2)
        bottom.set(
            ylabel="distance, 0 to 1",
            ylim=(0, 1),
            xlabel=f"researcher-{unit}, all researchers added up",
            xlim=(0, None),
        )
        bottom.set_title(f"mean distance among the latest {diversity.WINDOW} configurations")
        return png(fig)


# -- pieces


def _clock(hours: float) -> tuple[str, float]:
    return ("hours", 1.0) if hours > 2 else ("minutes", 60.0)


def _human_line(ax: Axes, human: Figure | None) -> None:
    if human:
        ax.axhspan(human.lo, human.hi, color=HUMAN, alpha=0.1, lw=0)
        ax.axhline(human.mean, color=HUMAN, ls="--", lw=1.4)
        ax.annotate(f"best human baseline {human}", (0.01, human.mean), (0, 3), xycoords=("axes fraction", "data"),
                    textcoords="offset points", color=HUMAN, fontsize=8)  # fmt: skip


def _researcher(
    ax: Axes, m: Material, name: str, answers: list[curves.Point], scale: float
) -> tuple[str, float, str] | None:
    """Its answers and its best so far; where its line ends."""
    colour, marker = _look(m, name)
    own = [p for p in answers if p.researcher == name]
    for p in own:
        ax.plot(
            p.hours * scale,
            np.nan if p.pgr is None else p.pgr,
            marker,
            color=colour,
            mfc=colour if p.verified else "white",
            ms=5,
            mew=1.3,
            zorder=6,
        )
    hours, best = curves.best_so_far(own)
    if not best:
        return None
    end = max(p.hours for p in answers)
    ax.step(
        [*(h * scale for h in hours), end * scale], [*best, best[-1]], where="post", color=colour, lw=0.9, alpha=0.55
    )
    return name, best[-1], colour


def _name_ends(ax: Axes, m: Material, ends: list[tuple[str, float, str]], x: float) -> None:
    """Each name where its line ends, moved apart."""
    low, high = ax.get_ylim()
    points = ax.bbox.height * 72 / ax.figure.dpi / (high - low)  # of type per unit of PGR
    for (name, y, colour), place in zip(ends, spread_labels([y for _, y, _ in ends], 11 / points), strict=True):
        ax.annotate(drawn(m.label(name)), (x, y), (8, (place - y) * points), textcoords="offset points", color=colour,
                    va="center", fontsize=8, annotation_clip=False)  # fmt: skip


def _unimproved(ax: Axes, m: Material, answers: list[curves.Point], scale: float) -> None:
    """Answers without a figure, as ticks in a strip under the curves."""
    none = [p for p in answers if p.pgr is None]
    if not none:
        return
    low, high = ax.get_ylim()
    ax.set_ylim(low - 0.13 * (high - low), high)
    for p in none:
        ax.plot(
            p.hours * scale,
            0.025,
            "|",
            transform=ax.get_xaxis_transform(),
            color=_look(m, p.researcher)[0],
            ms=7,
            mew=1.4,
        )
    ax.text(0.01, 0.05, f"| not improved: no figure told ({len(none)})", transform=ax.transAxes, fontsize=8, color=GREY)


def _look(m: Material, researcher: str) -> tuple[str, str]:
    arms = sorted({member.arm for member in m.spec.researchers}, key=lambda arm: (arm != "search", arm))
    i = arms.index(m.arm(researcher)) if m.arm(researcher) in arms else len(arms)
    return ARMS[i % len(ARMS)], MARKERS[i % len(MARKERS)]
