"""How much do attackers gain from the gate, and what does it cost honest users?

    python bench/gate.py [--redraws 60] [--out docs/bench]

Prints a table and writes gate.json and gate.png. One core; about ten minutes at 60 redraws.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from aar.scoring.attackers import ATTACKS, Attack, parking
from aar.scoring.gate import PUBLISHED, GateRules
from aar.scoring.ladder import Ladder, step_for
from aar.scoring.siege import FLOOR, HONEST, attack_exact, attack_gate, draw_world, upper_bound

SIZES = (400, 1263)
GAINS = (0, 1, 2, 3)
SLOW = {"single flip", "block flip"}  # thousands of free duplicates a redraw, each exactly worthless


def gain(gains: np.ndarray) -> dict[str, float]:
    return {"mean": round(float(gains.mean()), 2), "upper95": round(upper_bound(gains), 2), "redraws": len(gains)}


def alone(redraws: int) -> list[dict[str, Any]]:
    """Every attack by one researcher, defence off (exact, 1,500 queries) and on (default rules)."""
    rows = []
    for n in SIZES:
        for name, attack in ATTACKS.items():
            queries = 200 if "seeds" in name else 1500
            off = attack_exact(attack, n, queries, 5)
            on = attack_gate(attack, n, 50 if name in SLOW else redraws)
            rows.append({"n": n, "attack": name, "off": gain(off), "on": gain(on)})
            print(f"{n:5} {name:22} off {off.mean():5.1f}   on {on.mean():5.2f} (<= {upper_bound(on):.2f})", flush=True)
    return rows


def after_rerun(redraws: int) -> list[dict[str, Any]]:
    """What is left of the luckiest of 200 seeds once the server has rerun the method on its own seeds."""
    rows = []
    for n in SIZES:
        worlds = [draw_world(rng, n, 1) for rng in np.random.default_rng(0).spawn(redraws)]
        left = gain(np.array([np.mean([w.gain(v) for v in w.fresh]) for w in worlds]))
        rows.append({"n": n, "left": left})
        print(f"{n:5} best of 200 seeds after a rerun on server seeds: {left}", flush=True)
    return rows


def colluders(redraws: int) -> list[dict[str, Any]]:
    """Eight researchers who park and pool: default rules, the published budget, and confidences that are all or
    nothing (64 % coin flips), which no budget of use holds."""
    cases: list[tuple[str, str, GateRules | None, int]] = [
        ("default", "even", None, redraws),
        ("default, all-or-nothing", "certain", None, redraws // 2),
        ("published 500", "even", PUBLISHED, max(5, redraws // 6)),
    ]
    rows = []
    for n in (*SIZES, 3000):
        for label, shape, rules, k in cases:
            if n > max(SIZES) and rules:
                continue
            for margin in (0.0, 0.5, 1.0):
                attack: Attack = parking(margin)
                for accomplices in (1, 8):
                    got = attack_gate(
                        attack,
                        n,
                        k if n <= max(SIZES) else max(10, k // 4),
                        accomplices=accomplices,
                        rules=rules,
                        shape=shape,
                    )
                    rows.append({"n": n, "rules": label, "margin": margin, "accomplices": accomplices, **gain(got)})
                    print(
                        f"{n:5} {label:24} margin {margin} x{accomplices}: {got.mean():5.2f} "
                        f"(<= {upper_bound(got):.2f})",
                        flush=True,
                    )
    return rows


def leak_by_budget(redraws: int) -> list[dict[str, Any]]:
    """Gain of eight colluders against interactive rows per paid vector: where the default comes from."""
    rows = []
    for n in SIZES:
        for per in (60, 30, 15, 10, 6, 3):
            got = attack_gate(parking(0.0), n, redraws, accomplices=8, rules=GateRules(rows_per_paid=per))
            rows.append({"n": n, "rows_per_paid": per, **gain(got)})
    return rows


def honest(draws: int = 40_000) -> list[dict[str, Any]]:
    """P(improved) for a true gain, one vector and 5-seed means; the researcher was told its earlier result before.

    The two vectors differ on 15 % of the rows; a 5-seed mean differs by chance as 7.2 % would (65 % of the
    differing rows change with the seed).
    """
    rng, rows = np.random.default_rng(0), []
    for n in SIZES:
        step = step_for(n)
        for kind, differ in (("one vector", 0.15), ("mean of 5 seeds", 0.072)):
            for points in GAINS:
                g = points / 100
                before = rng.binomial(n, HONEST, draws) / n
                moved = rng.binomial(n, differ, draws)
                change = (2 * rng.binomial(moved, 0.5 + g / (2 * differ)) - moved) / n
                told, wrong = 0, []
                for a, b in zip(before, before + change, strict=True):
                    ladder, _ = Ladder(FLOOR, step).answer(a)
                    ladder, improved = ladder.answer(b)
                    told += improved
                    if improved:
                        wrong.append(ladder.told - b)
                rows.append(
                    {
                        "n": n,
                        "kind": kind,
                        "gain": points,
                        "ladder": round(float(told) / draws, 3),
                        "exact": round(float((change > 0).mean()), 3),
                        "rms_grid_error": round(float(np.sqrt(np.mean(np.square(wrong)))), 4),
                    }
                )
    return rows


def plot(result: dict[str, Any], path: Path) -> None:
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), constrained_layout=True)
    colours = {400: "tab:orange", 1263: "tab:blue"}
    for n in SIZES:
        for kind, line in (("one vector", "-"), ("mean of 5 seeds", "--")):
            rows = [r for r in result["honest"] if (r["n"], r["kind"]) == (n, kind)]
            left.plot(GAINS, [r["ladder"] for r in rows], line, marker="o", color=colours[n], label=f"n = {n}, {kind}")
        rows = [r for r in result["leak_by_budget"] if r["n"] == n]
        right.plot(
            [1000 / r["rows_per_paid"] for r in rows],
            [r["mean"] for r in rows],
            marker="o",
            color=colours[n],
            label=f"n = {n}",
        )
    left.set(
        xlabel="true gain, points (0: false improvement)",
        ylabel="P(told improved)",
        ylim=(0, 1),
        xticks=GAINS,
        title="What honest users are told",
    )
    right.axhline(4, color="grey", lw=1, ls=":")
    right.axvline(1000 / GateRules().rows_per_paid, color="grey", lw=1, ls="--")
    right.set(
        xlabel="paid vectors per 1,000 interactive rows (dashed: default)",
        ylabel="gain, points",
        ylim=(0, None),
        title="What eight colluders gain (dotted: the bound)",
    )
    for axes in (left, right):
        axes.legend(frameon=False)
        axes.grid(alpha=0.25)
    figure.savefig(path, dpi=120)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--redraws", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("docs/bench"))
    args = parser.parse_args()
    start = time.perf_counter()
    result: dict[str, Any] = {"floor": FLOOR, "honest_accuracy": HONEST, "unit": "accuracy points gained"}
    result["honest"] = honest()
    for row in result["honest"]:
        print(row)
    result |= {
        "leak_by_budget": leak_by_budget(args.redraws),
        "colluders": colluders(args.redraws),
        "alone": alone(args.redraws),
        "after_rerun": after_rerun(args.redraws),
    }
    result["seconds"] = round(time.perf_counter() - start)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "gate.json").write_text(json.dumps(result, indent=1) + "\n")
    plot(result, args.out / "gate.png")
    print(f"{result['seconds']} s; {args.out}/gate.json, {args.out}/gate.png")


if __name__ == "__main__":
    main()
