"""The desk alone, asked by a thread that speaks the process' part of the protocol."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from aar.errors import ProviderDown
from aar.researchers.base import Llm, Stopped
from aar.researchers.llm.desk import Desk
from aar.researchers.llm.prices import SCRIPTED, Prices
from aar.researchers.llm.purse import Purse

ANSWER = {"message": {}, "text": "hm", "tokens": {"fresh": 1000, "cached": 0, "written": 0, "out": 100}, "stop": "stop"}
MODEL = {"step": "model", "args": "a", "model": SCRIPTED, "most": 2000}


class Process:
    """Its end of the link: `ask` sends a request and gives the answer, doing what it is told with `do`."""

    def __init__(self, link: socket.socket) -> None:
        self.link, self.file = link, link.makefile("rb")

    def ask(
        self, request: dict[str, Any], do: Callable[[], dict[str, Any]] = lambda: {"did": ANSWER}
    ) -> dict[str, Any]:
        self.link.sendall(json.dumps(request).encode() + b"\n")
        heard = json.loads(self.file.readline())
        while "do" in heard:
            heard = self.ask(do())
        return dict(heard)


class Served:
    """One session of a desk; `act` plays the process."""

    def __init__(self, world: Any, llm: Llm | None = None) -> None:
        self.world = world
        self.who = replace(world.assignment("ada", "inspect"), llm=llm or Llm(model=SCRIPTED))
        self.purse = Purse(world.folder / "spending.jsonl")

    def session(self, act: Callable[[Process], Any]) -> Any:
        ours, theirs = socket.socketpair()
        bench, told = self.world.bench(self.who), list[Any]()

        def play() -> None:
            with suppress(OSError, ValueError, SystemExit):  # the desk ended first, or the process died
                told.append(act(Process(theirs)))
                theirs.sendall(b'{"done": "bye"}\n')
            end(theirs)

        player = threading.Thread(target=play, daemon=True)
        player.start()
        try:
            assert Desk(bench, self.purse, Prices(), ours).serve() == "bye"
        finally:
            bench.close()
            end(ours)
            player.join(10)
        return told[0]


def end(link: socket.socket) -> None:
    with suppress(OSError):
        link.shutdown(socket.SHUT_RDWR)
    link.close()


@pytest.fixture
def served(world: Any) -> Served:
    return Served(world)


def test_an_answer_is_settled_once_and_replayed_free(served: Served) -> None:
    """The second session gets the recorded answer without asking, and the charge stays one."""
    first = served.session(lambda p: p.ask(MODEL))
    spent = served.purse.spent("s", "ada")
    assert spent == pytest.approx((1000 * 3 + 100 * 15) / 1e6)

    def never() -> dict[str, Any]:
        raise AssertionError("it was asked again")

    assert served.session(lambda p: p.ask(MODEL, never)) == first
    assert (served.purse.spent("s", "ada"), len(served.purse.settled("s"))) == (spent, 1)


def test_an_answer_without_a_count_costs_its_worst_case(served: Served) -> None:
    """Unknown is never zero."""
    served.session(lambda p: p.ask(MODEL, lambda: {"did": ANSWER | {"tokens": None}}))
    assert served.purse.spent("s") == pytest.approx(Prices().most(SCRIPTED, 2000, served.who.llm.max_tokens))


def test_a_process_that_dies_with_a_request_under_way(served: Served) -> None:
    """ProviderDown, so that it is begun again; the request is charged at its worst case, and asked again under a new ref."""

    def die() -> dict[str, Any]:
        raise SystemExit

    with pytest.raises(ProviderDown) as caught:
        served.session(lambda p: p.ask(MODEL, die))
    assert caught.value.code == "agent_lost"
    worst = Prices().most(SCRIPTED, 2000, served.who.llm.max_tokens)
    assert served.purse.spent("s") == pytest.approx(worst)
    served.session(lambda p: p.ask(MODEL))
    assert served.purse.spent("s") == pytest.approx(worst + (1000 * 3 + 100 * 15) / 1e6)
    assert sorted(e.ref for e in served.purse.settled("s")) == ["s/ada/0/0", "s/ada/0/1"]


def test_killed_between_the_answer_and_its_charge(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is on disk, its charge is not: the next session settles it at what it cost, without asking again."""

    class Killed(BaseException):
        pass

    def kill(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Purse, "settle", kill)
        with pytest.raises(Killed):
            served.session(lambda p: p.ask(MODEL))
    before = served.purse.spent("s")
    served.session(lambda p: p.ask(MODEL, lambda: pytest.fail("asked again")))
    assert served.purse.spent("s") == pytest.approx((1000 * 3 + 100 * 15) / 1e6)
    assert before > served.purse.spent("s")


def test_a_stop_ends_it_while_the_model_thinks(served: Served) -> None:
    """The desk does not wait for an answer that takes for ever; what was asked is charged at its worst case."""
    release = threading.Event()

    def slow() -> dict[str, Any]:
        served.world.stop.set()
        release.wait(5)
        return {"did": ANSWER}

    with pytest.raises(Stopped):
        served.session(lambda p: p.ask(MODEL, slow))
    release.set()
    assert [e.settled["lost"] for e in served.purse.settled("s") if e.settled] == [True]


def test_tools(served: Served) -> None:
    """Mistakes come back as text for the model, and are no end; a budget tells of dollars."""

    def act(p: Process) -> list[dict[str, Any]]:
        calls = [
            ("evaluate", {"trial": "none"}),
            ("evaluate_file", {"predictions": [1]}),
            ("verdict", {"submission": 5}),
            ("budget", {"x": 1}),
            ("budget", {}),
        ]
        return [p.ask({"tool": name, "args": args}) for name, args in calls]

    *wrong, budget = served.session(act)
    assert all("error" in answer for answer in wrong), wrong
    assert (budget["answer"]["usd"], budget["answer"]["trials"]) == (1.0, 6)
