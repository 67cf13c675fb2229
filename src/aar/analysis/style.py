"""How plots look: a palette that colour-blind readers can tell apart (Okabe and Ito), a phone's width, plain text only."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

from aar.analysis.visible import visible

BLUE, ORANGE, PINK, SKY, GREY, INK = "#0072B2", "#D55E00", "#CC79A7", "#56B4E9", "#767676", "#222222"
LIGHT = "#C9C9C9"
ARMS, MARKERS = (BLUE, ORANGE, PINK, SKY, INK), "os^Dv"
HUMAN, CEILING, RERUN, SECOND = "#00805E", "#6A3D9A", ORANGE, PINK
WIDTH = 4.9  # inches: on a phone, 360 pixels wide, the text is still readable
RULES: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 9.5, "axes.titlesize": 9.5, "axes.titlelocation": "left", "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": GREY, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK,
    "ytick.color": INK, "axes.grid": False, "legend.frameon": False, "savefig.facecolor": "white",
    "text.parse_math": False,  # names are not formulas
    "text.usetex": False,
}  # fmt: skip


@contextmanager
def figure(height: float, **grid: Any) -> Iterator[tuple[Figure, Sequence[Axes]]]:
    """A figure of `height` inches and its axes. Uses no pyplot: nothing is global, nothing stays open."""
    with matplotlib.rc_context(RULES):
        fig = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasAgg(fig)
        axes: np.ndarray = fig.subplots(squeeze=False, **grid)
        yield fig, list(axes.flat)


def drawn(text: object, most: int = 20) -> str:
    """Untrusted text for a plot: visible, and what the font has no shape for is spelled out."""
    spelled = "".join(c if ord(c) in _shapes() else f"‹U+{ord(c):04X}›" for c in visible(text, most))
    return visible(spelled, most)


@functools.cache
def _shapes() -> frozenset[int]:
    return frozenset(get_font(findfont("DejaVu Sans")).get_charmap())


def png(fig: Figure) -> bytes:
    """The same bytes for the same figure."""
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def words(ax: Axes, parts: list[tuple[str, str]]) -> None:
    """Coloured words above the plot in the place of a legend."""
    handles = [ax.plot([], [], color=colour, label=text)[0] for text, colour in parts]
    legend = ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=len(parts), handlelength=0, handletextpad=0,
                       columnspacing=1.1, fontsize=8.5)  # fmt: skip
    for text, (_, colour) in zip(legend.get_texts(), parts, strict=True):
        text.set_color(colour)


def spread_labels(wanted: Sequence[float], gap: float) -> list[float]:
    """Places as near as may be to the wanted ones, in their order, at least `gap` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    blocks: list[tuple[float, list[int]]] = []  # (lowest place, members)
    for i in order:
        block = (wanted[i], [i])
        while blocks and blocks[-1][0] + gap * len(blocks[-1][1]) > block[0]:
            below = blocks.pop()[1]
            members = below + block[1]
            block = (sum(wanted[m] - gap * k for k, m in enumerate(members)) / len(members), members)
        blocks.append(block)
    places = [0.0] * len(wanted)
    for low, members in blocks:
        for k, m in enumerate(members):
            places[m] = low + gap * k
    return places
