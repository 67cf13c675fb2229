"""The live view: what it shows, and that no text of a researcher moves the cursor, colours the screen or breaks its lines."""

from __future__ import annotations

import io
import re
import threading
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console

from aar.analysis.visible import visible
from aar.dashboard import render
from aar.dashboard.live import LiveView, tail, watch
from aar.dashboard.render import Frame, line, summary
from aar.dashboard.state import View, ask
from aar.settings import LabFolder
from aar.studies.events import StudyEvent

SGR = re.compile(r"\x1b\[[0-9;]*m")  # colours: ours, set by rich


def drawn(view: View, width: int = 130, height: int = 42, now: float | None = None) -> str:
    """A frame as a colour terminal gets it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, height=height, color_system="standard")
    console.print(Frame(view, view.last if now is None else now))
    return console.file.getvalue()  # type: ignore[attr-defined]


def viewed(fake: ModuleType, hostile: bool = False, verdicts: bool = True, share: float = 1.0) -> View:
    of = fake.spec(hostile)
    view, events = View(of), fake.events(of, hostile=hostile, verdicts=verdicts)
    for event in events[: int(len(events) * share)]:
        view.hear(event)
    view.public = ask(fake.FakeClient(of, hostile), of)
    return view


def test_it_shows_what_matters(fake: ModuleType) -> None:
    """Best PGR against the human baseline, everybody's state and direction, findings, board, budget and time left."""
    shown = SGR.sub("", drawn(viewed(fake, share=0.6)))
    for words in ("best PGR so far 0.", "human baseline 0.30 (confident)", "search-3", "kept-doubt", "works", "trials ", "/108", "evaluations ",
                  "leaderboard", "0.45", "findings", "soft labels", "left"):  # fmt: skip
        assert words in shown


@pytest.mark.parametrize("width", [60, 84, 130, 200])
def test_hostile_text_moves_nothing(fake: ModuleType, width: int) -> None:
    """After rich's own colours are taken out, no control character but the line ends is left, and no line is too long."""
    for share in (0.5, 1.0):
        text = drawn(viewed(fake, hostile=True, share=share), width)
        plain = SGR.sub("", text)
        assert not re.findall("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", plain)
        assert "]8;;" not in text  # a hyperlink
        for row in plain.splitlines():
            assert Console(width=width).measure(row).maximum <= width


def test_hostile_text_colours_nothing(fake: ModuleType) -> None:
    """The same styles in the same order as with harmless texts: markup in a name is only shown."""
    friendly, hostile = (SGR.findall(drawn(viewed(fake, hostile=h), 200)) for h in (False, True))
    assert set(hostile) == set(friendly)
    assert "[bold red]" in drawn(viewed(fake, hostile=True), 200)


def test_the_attack_works_without_the_guard(fake: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests above can fail: with the text put in as it came, the screen is cleared."""
    monkeypatch.setattr(render, "visible", lambda text, most=200: str(text)[:most])
    assert "\x1b[2J" in drawn(viewed(fake, hostile=True))


def test_plain_lines_hold_one_event_each(fake: ModuleType) -> None:
    """In a pipe too: no control character, one line an event."""
    view = viewed(fake, hostile=True)
    told = [t for e in fake.events(view.spec, hostile=True) if (t := line(view, e))] + [summary(view, view.last)]
    assert len(told) > 60
    for text in told:
        assert text == visible(text, 10_000)
    assert "best PGR 0." in told[-1]
    assert "108/108 trials" in told[-1]


def test_frames_fit_the_terminal(fake: ModuleType) -> None:
    """On 80 x 24, and bigger, a frame is no higher than the screen."""
    for width, height in ((80, 24), (84, 30), (130, 24), (130, 60)):
        rows = SGR.sub("", drawn(viewed(fake), width, height)).splitlines()
        assert len(rows) <= height
        assert any("leaderboard" in row for row in rows)
        assert any("findings" in row for row in rows)


def test_time_left_is_guessed_late_and_bounded(fake: ModuleType) -> None:
    """Before anything ended the wall clock is the guess; then the trials' pace; when it is over, nothing."""
    of = fake.spec()
    view = View(of)
    assert view.seconds_left(0.0) is None
    view.hear(StudyEvent(1000.0, "", "study", "open", {"state": "open", "until_s": of.wall_s}))
    assert view.seconds_left(1010.0) == of.wall_s - 10
    for i in range(54):
        view.hear(StudyEvent(1030.0, of.researchers[i % 9].name, "trial", "t"))
    assert view.seconds_left(1030.0) == pytest.approx(30)
    view.hear(StudyEvent(1040.0, "", "study", "complete", {"state": "complete"}))
    assert view.seconds_left(1040.0) is None


def test_pauses_between_sessions_do_not_count(fake: ModuleType) -> None:
    """A resumed study goes on with the time it had used, not with the time since its first start."""
    view = View(fake.spec())
    view.hear(StudyEvent(0.0, "", "study", "open", {"state": "open", "until_s": 150}))
    view.hear(StudyEvent(40.0, view.spec.researchers[0].name, "trial", "t"))  # killed after this
    view.hear(StudyEvent(9000.0, "", "study", "open", {"state": "open", "until_s": 150}))
    assert view.seconds_gone(9010.0) == 50
    assert view.seconds_left(9010.0) == 100


def test_a_lab_that_is_away_is_a_state(fake: ModuleType) -> None:
    """What was known stays on show, and the fault stands beside it."""
    of = fake.spec()
    client = fake.FakeClient(of)
    console = Console(file=io.StringIO(), width=130)
    with LiveView(of, lambda: client, console) as live:
        live._ask(True)
        client.down = True
        live._ask(True)
        assert live.view.public.rows
        assert live.view.public.fault
        assert "the lab does not answer" in drawn(live.view)


def test_a_pipe_gets_lines(fake: ModuleType) -> None:
    """Where there is no terminal, no escape sequence at all is written, and the last line sums up."""
    of = fake.spec(hostile=True)
    console = Console(file=io.StringIO(), width=130)
    with LiveView(of, lambda: fake.FakeClient(of, True), console) as live:
        for event in fake.events(of, hostile=True):
            live.hear(event)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b" not in text
    assert text.splitlines()[-1].startswith("best PGR 0.")


def test_a_terminal_gets_a_last_frame(fake: ModuleType) -> None:
    """The final state stays on the screen."""
    of = fake.spec()
    console = Console(file=io.StringIO(), force_terminal=True, width=130, height=42)
    with LiveView(of, lambda: fake.FakeClient(of), console) as live:
        for event in fake.events(of):
            live.hear(event)
    assert "9/9" in console.file.getvalue()  # type: ignore[attr-defined]


def test_watching_reads_the_file(fake: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From another terminal: everything in the file, until the study's last word."""
    monkeypatch.setenv("AAR_STATE", str(tmp_path / "outside"))
    lab = LabFolder(tmp_path / "lab")
    fake.write(lab)
    view = watch(lab, "demo", Console(file=io.StringIO(), width=130))
    assert view.over
    assert view.done("trials") == 108


def test_half_a_line_is_waited_for(tmp_path: Path) -> None:
    """A line that is being written is read when it is whole; a broken one is passed over."""
    path = tmp_path / "events.jsonl"
    path.write_text('{"t": 1, "researcher": "a", "kind": "log", "text": "x", "data": {}}\nbroken\n{"t": 2, "resea')
    stop = threading.Event()
    stop.set()
    assert [e.t for e in tail(path, stop)] == [1]
