"""A view as something rich can draw, and as plain lines. Every text is made visible and put in as it is, never as markup."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from aar.analysis.visible import visible
from aar.dashboard.state import COUNTED, Person, View
from aar.studies.events import StudyEvent

WIDE = 110  # columns from which board and findings stand side by side
STYLES = {
    "works": "green",
    "waits": "yellow",
    "failed": "bold red",
    "not started": "dim",
    "finished": "cyan",
    "stopped": "dim",
}
TOLD = ("study", "state", "evaluation", "submission", "verdict", "finding")


class Frame:
    """One picture of the view, as high as the terminal is."""

    def __init__(self, view: View, now: float) -> None:
        self.view, self.now = view, now

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        height, wide = options.max_height - 1, options.max_width >= WIDE
        people = max(2, min(len(self.view.people), height - 14))
        rest = height - people - 10  # head 4, two gaps, and a head of 2 for each of two rows of tables
        yield _head(self.view, self.now)
        yield Text()
        yield _people(self.view, people)
        yield Text()
        if wide:
            both = Table.grid(expand=True, padding=(0, 2, 0, 0))
            both.add_column(ratio=1)
            both.add_column(ratio=1)
            both.add_row(_board(self.view, max(1, rest)), _findings(self.view, max(1, rest)))
            yield both
        else:
            board = max(1, (rest - 2) // 2)
            yield _board(self.view, board)
            yield _findings(self.view, max(1, rest - 2 - board))


def line(view: View, event: StudyEvent) -> str | None:
    """An event as one line of plain text; None for what is too small to tell."""
    if event.kind not in TOLD:
        return None
    clock = time.strftime("%H:%M:%S", time.localtime(event.t))
    said = f"{event.kind}: {visible(event.text, 120)}"
    return f"{clock}  {visible(view.label(event.researcher), 24)}  {said}" if event.researcher else f"{clock}  {said}"


def summary(view: View, now: float) -> str:
    """The state in one line."""
    human = view.public.human
    baseline = f"human baseline {visible(human[0], 24)} {human[1]:.2f}" if human else "human baseline not on the board"
    counts = ", ".join(f"{view.done(what)}/{view.planned(what)} {what}" for what in COUNTED.values())
    return f"best PGR {_best(view)}; {baseline}; {counts}; {_left(view, now)}"


# -- pieces


def _head(view: View, now: float) -> RenderableType:
    spec, human = view.spec, view.public.human
    first = _text(
        (f"Study {visible(spec.name, 40)}", "bold"), (f" on {visible(spec.problem, 60)}: {visible(view.phase, 60)}", "")
    )
    second = _text(("best PGR so far ", ""), (_best(view), "bold"))
    if human:
        second.append(f"   human baseline {human[1]:.2f} ({visible(human[0], 24)})", style="magenta")
    third = _text((f"{_clock(now - view.began) if view.began else '0:00'} gone, {_left(view, now)}   ", ""))
    for what in COUNTED.values():
        third.append(f"{what} {view.done(what)}/{view.planned(what)}   ")
    if view.public.fault and not view.over:  # afterwards its server has left, as it should
        third.append(f"the lab does not answer: {visible(view.public.fault, 60)}", style="yellow")
    bar = ProgressBar(total=max(1, view.planned("trials")), completed=view.done("trials"), complete_style="green")
    return Group(first, second, third, bar)


def _people(view: View, most: int) -> Table:
    everybody = list(view.people.values())
    shown = everybody if len(everybody) <= most else everybody[: most - 1]
    rows: list[Sequence[Text]] = [_person(view, p) for p in shown]
    if len(shown) < len(everybody):
        rows.append([Text(f"and {len(everybody) - len(shown)} more", style="dim"), *([Text()] * 5)])
    return _table(("researcher", "direction", "state", "trials", "best PGR", "last"), rows, numeric=(3, 4))


def _person(view: View, p: Person) -> Sequence[Text]:
    best = f"{p.best:.2f}" if p.best is not None else "-"
    return [_text((visible(view.label(p.name), 18), "")), _text((visible(p.direction, 18), "dim")), _text((visible(p.state, 12), STYLES.get(p.state, ""))),
            _text((f"{p.trials}/{view.spec.trials}", "")), _text((best, "bold" if p.best is not None else "")), _text((visible(p.doing, 90), "dim"))]  # fmt: skip


def _board(view: View, most: int) -> Table:
    rows = [
        [_text((str(rank), "")), _text((visible(view.label(str(r["researcher"])), 18), "")), _text((visible(r["name"], 30), "")),
         _text((f"{r['pgr']:.2f}" if r["pgr"] is not None else "not improved", ""))]
        for rank, r in enumerate(view.public.rows[:most], 1)
    ]  # fmt: skip
    return _table(
        ("#", "leaderboard", "method", "PGR"),
        rows or [[Text("-"), Text("no rerun yet"), Text(), Text()]],
        numeric=(0, 3),
    )


def _findings(view: View, most: int) -> Table:
    rows = [
        [_text((visible(view.label(str(f["researcher"])), 18), "dim")), _text((visible(f["title"], 120), ""))]
        for f in view.public.findings[:most]
    ]
    return _table(("findings", ""), rows or [[Text("-"), Text("none yet")]])


def _table(columns: Iterable[str], rows: Iterable[Sequence[Text]], numeric: Sequence[int] = ()) -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, show_edge=False, expand=True, pad_edge=False, padding=(0, 1), header_style="bold"
    )
    for i, name in enumerate(columns):
        flexible = name in ("last", "", "method")
        table.add_column(
            Text(name),
            justify="right" if i in numeric else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=1 if flexible else None,
        )
    for row in rows:
        table.add_row(*row)
    return table


def _text(*parts: tuple[str, str]) -> Text:
    """Pieces with their styles, on one line."""
    text = Text(no_wrap=True, overflow="ellipsis", end="\n")
    for piece, style in parts:
        text.append(piece, style=style)
    return text


def _best(view: View) -> str:
    best = view.best
    return f"{best.best:.2f} ({visible(view.label(best.name), 18)})" if best else "none yet"


def _left(view: View, now: float) -> str:
    if view.over:
        return "over"
    left = view.seconds_left(now)
    return f"about {_clock(left)} left" if left is not None else "last steps" if view.began else "not started"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
