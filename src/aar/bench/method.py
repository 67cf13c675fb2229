"""Running a method over five seeds on cached features, in this process and as a command."""

from __future__ import annotations

import subprocess
import sys
import time

from aar.bench.base import Figure, Say, benches
from aar.scoring.problem import Card, Problem
from aar.scoring.trial import run_trial
from aar.settings import LabFolder

METHOD, PROBLEM, SEEDS = "vanilla", "code", range(5)
TARGET_S = 5.0


@benches.register("method")
def run(lab: LabFolder, say: Say) -> list[Figure]:
    """Seconds of `vanilla` on `code`, seeds 0-4, scored; needs a lab where `aar baseline run code` was done."""
    problem = Problem.parse(PROBLEM)
    Card.load(lab, problem)
    say("once, so that files are in memory")
    run_trial(lab, problem, METHOD, SEEDS)
    say("five seeds in one trial, then one by one, then as a command")
    together = run_trial(lab, problem, METHOD, SEEDS).seconds
    singly = sum(run_trial(lab, problem, METHOD, [seed]).seconds for seed in SEEDS)
    start = time.monotonic()
    command = [sys.executable, "-m", "aar.cli", "method", "run", METHOD, PROBLEM, "--lab", str(lab.root), "--json"]
    subprocess.run(command, check=True, capture_output=True)
    whole = time.monotonic() - start
    return [
        Figure("five seeds in one trial", together, "s", "five trials of one seed", singly),
        Figure("the whole command", whole, "s", target=TARGET_S),
    ]
