"""docs/attacks.md and its picture: what was tried and what became of it. Written by `aar attack --write FILE`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from aar.attacks.field.campaign import FULL, WORTH, Outcome

HEAD = f"""# Attacks

Written by `aar attack --write docs/attacks.md`. Each attack is run through the public interface against a lab made for
it, with its own defence on and off. It counts as one if without the defence it gains {WORTH:.0f} accuracy points, reads or
reaches what it may not, or forges something. Gains are accuracy points over the honest answer on the interactive rows;
≤ is a one-sided 95 % bound over redraws of the labels ({FULL} in a full run). What `flagged` methods gain is real: they
generalise, so nothing stops them, and a person decides on the evidence.

Not held, and so not in the table: an attacker who is sure of some rows and tosses a coin on all others gains 5 points
alone and 8 as eight (docs/bench/gate.json). The lucky vector of a seed lottery is told as 3 points; the rerun on the
server's seeds takes them back, which is the gain shown. A finding's words are its author's: its standing says that reruns
of that author stand behind it, not that its figures are theirs.
"""


def write(path: Path, outcomes: Sequence[Outcome], how: str) -> None:
    count = Counter(o.result for o in outcomes)
    lines = [HEAD, f"{how} " + ", ".join(f"{n} {result}" for result, n in sorted(count.items())) + ".", ""]
    for family in dict.fromkeys(o.family for o in outcomes):
        lines += [f"## {family.capitalize()}", "", "| attack | without its defence | result | by | gain | queries | s |",
                  "|---|---|---|---|---|---|---|"]  # fmt: skip
        lines += [_row(o) for o in outcomes if o.family == family]
        lines.append("")
    if any(o.undefended_gain is not None and o.gain is not None for o in outcomes):
        picture = path.with_suffix(".png")
        draw(picture, outcomes)
        lines.insert(3, f"![Points gained with and without the defence]({picture.name})\n")
    path.write_text("\n".join(lines))


def draw(path: Path, outcomes: Sequence[Outcome]) -> None:
    """Points gained without and with the defence, of all attacks whose success is measured in points."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [o for o in outcomes if o.undefended_gain is not None and o.gain is not None][::-1]
    at = range(len(shown))
    figure, axes = plt.subplots(figsize=(8, 1 + 0.32 * len(shown)), constrained_layout=True)
    axes.barh(
        [y + 0.2 for y in at],
        [o.undefended_gain or 0.0 for o in shown],
        0.4,
        color="tab:grey",
        label="without its defence",
    )
    colour = {"prevented": "tab:green", "flagged": "tab:orange", "succeeded": "tab:red"}
    for result, c in colour.items():
        rows = [(y, o.gain or 0.0) for y, o in zip(at, shown, strict=True) if o.result == result]
        axes.barh([y - 0.2 for y, _ in rows], [g for _, g in rows], 0.4, color=c, label=f"with it: {result}")
    axes.axvline(WORTH, color="black", lw=0.8, ls=":")
    axes.set(yticks=list(at), yticklabels=[o.name for o in shown], xlabel="accuracy points over the honest answer")
    axes.set_xlim(left=-8)  # a prevented cheat that spoils its own answers may lose any number
    figure.legend(frameon=False, loc="outside lower center", ncols=4)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def gain_of(o: Outcome) -> str:
    if o.gain is None:
        return ""
    return f"{o.gain:+.1f}" + (f" (≤ {o.bound:.1f}, {o.redraws} redraws)" if o.bound is not None else "")


def _row(o: Outcome) -> str:
    cells = [f"**{o.name}** {o.what}", o.undefended, o.result, o.by, gain_of(o), str(o.queries), f"{o.seconds:.0f}"]
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"
