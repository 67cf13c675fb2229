"""The progress bar of what a language model has to read: how much is done, time left. On a pipe, one line every ten seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from aar.cli.console import Output

Report = Callable[[str, int, int, float], None]
EVERY_S = 10.0


@contextmanager
def feature_progress(out: Output) -> Iterator[Report]:
    """A callback (what in which unit, done, all, seconds left) that draws a bar per job on a terminal."""
    console = Console(stderr=True)
    if out.json or not console.is_terminal:
        yield _plain(out)
        return
    bar = Progress(TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[left]}"), console=console)
    jobs: dict[str, TaskID] = {}

    def report(what: str, done: int, total: int, left_s: float) -> None:
        if what not in jobs:
            jobs[what] = bar.add_task(what, total=total, left="")
        bar.update(jobs[what], completed=done, total=total, left=f"{done:,}/{total:,}, {left_s:.0f} s left")

    with bar:
        yield report


def _plain(out: Output) -> Report:
    last: dict[str, float] = {}

    def report(what: str, done: int, total: int, left_s: float) -> None:
        if done >= total or time.monotonic() - last.get(what, -EVERY_S) >= EVERY_S:
            last[what] = time.monotonic()
            print(f"{what}: {done:,}/{total:,}, {left_s:.0f} s left", file=sys.stderr) if not out.json else None

    return report
