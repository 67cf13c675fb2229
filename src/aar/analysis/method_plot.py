"""The table of methods as a picture: one row a method, one column a problem, PGR as colour and figure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from aar.analysis.method_pages import mark
from aar.analysis.style import GREY, INK, drawn, figure, png

ROW = 0.17  # inches


def picture(table: Mapping[str, Any]) -> bytes:
    """PNG; methods by mean rank, best first. A cell without a figure was not run or not scored."""
    problems = list(table["problems"])
    ran = {m: line for m, line in table["methods"].items() if line["mean_rank"] is not None}
    order = sorted(ran, key=lambda m: ran[m]["mean_rank"])
    cells = [[ran[m]["problems"][p] for p in problems] for m in order]
    value = np.array([[c["pgr"]["mean"] if c.get("pgr") else np.nan for c in row] for row in cells])
    with figure(1.2 + ROW * len(order)) as (fig, (ax,)):
        shown = ax.imshow(
            np.ma.masked_invalid(value), aspect="auto", cmap="cividis", vmin=min(0.0, _low(value)), vmax=1.0
        )
        ax.set_yticks(
            range(len(order)), [drawn(m, 24) + (" (human)" if ran[m]["human"] else "") for m in order], fontsize=7
        )
        names = [drawn(table["problems"][p]["short"].partition("/")[0], 22) for p in problems]
        ax.set_xticks(range(len(problems)), names, fontsize=7, rotation=25, ha="left")
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        _figures(ax, cells, shown)
        bar = fig.colorbar(shown, ax=ax, orientation="horizontal", aspect=40, pad=0.01)
        bar.set_label(
            f"PGR, mean of {len(table['seeds'])} seeds; ▲ ▼ shown better or worse than the best human baseline",
            fontsize=7,
        )
        bar.ax.tick_params(labelsize=7)
        return png(fig)


def _low(value: np.ndarray) -> float:
    return float(max(-0.5, np.nanmin(value))) if np.isfinite(value).any() else 0.0


def _figures(ax: Any, cells: list[list[Mapping[str, Any]]], shown: Any) -> None:
    for i, row in enumerate(cells):
        for j, cell in enumerate(row):
            if not cell.get("pgr"):
                ax.text(j, i, "–", ha="center", va="center", fontsize=6.5, color=GREY)
                continue
            dark = shown.norm(cell["pgr"]["mean"]) < 0.55
            text = f"{cell['pgr']['mean']:.2f} {mark(cell)}".strip()
            ax.text(j, i, text, ha="center", va="center", fontsize=6.5, color="white" if dark else INK)
