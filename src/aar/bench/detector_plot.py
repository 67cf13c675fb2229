"""The figure of the detectors' bench: recall of each family and the share of honest methods flagged, with intervals."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten
from typing import Any

from aar.analysis.style import BLUE, GREY, ORANGE, SKY, figure, png

RECALL, FALSE = 0.9, 0.05  # targets
NAME = 36  # characters


def plot(report: Mapping[str, Any]) -> bytes:
    """PNG of a report of `detectors.measure`. Families of every folder, pooled recall, false positives."""
    folders = list(dict.fromkeys(r["from"] for r in report["families"]))
    rows = [(r["family"], r["recall"], (BLUE, SKY)[folders.index(r["from"]) % 2]) for r in report["families"]]
    rows += [(f"all families of {source}", share, GREY) for source, share in report["recall"].items()]
    rows += [(f"honest of {source}, flagged", share, ORANGE) for source, share in report["false_positives"].items()]
    rows = [row for row in rows if row[1]["n"]]
    with figure(0.9 + 0.24 * len(rows)) as (fig, (ax,)):
        for y, (_, share, colour) in enumerate(reversed(rows)):
            ax.plot([share["lo"], share["hi"]], [y, y], color=colour, linewidth=2)
            ax.plot(share["rate"], y, "o", color=colour, markersize=5)
        for target, colour in ((RECALL, GREY), (FALSE, ORANGE)):
            ax.axvline(target, color=colour, linewidth=0.8, linestyle=":")
        ax.set_yticks(
            range(len(rows)),
            [f"{shorten(name, NAME, placeholder='...')} ({share['n']})" for name, share, _ in reversed(rows)],
        )
        ax.set_xlim(-0.02, 1.02)
        ax.set_xlabel("share caught (95 %; dots: targets)")
        return png(fig)
