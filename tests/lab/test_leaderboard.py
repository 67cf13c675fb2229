"""The board, the ledger and the events that they are told by."""

from __future__ import annotations

import asyncio
import json

import pytest

from aar.errors import Conflict, InputError, NotFound
from aar.lab import events, leaderboard, ledger, queue, reviews, snapshots, studies, tokens
from aar.lab.fakes import METHOD, person
from aar.lab.services import Lab
from aar.lab.tokens import Identity

OWNER = Identity("owner", "owner")


def ranked(lab: Lab, who: Identity, name: str, public: dict[str, object], **rest: object) -> int:
    row = queue.enqueue(lab, who, "toy", name, snapshots.put(lab, who, METHOD, note=name).id, claimed=99.0)
    job = queue.claim(lab.store, "w")
    assert job is not None
    queue.finish(lab.store, job, {"exact": 0.777}, public, **rest)  # type: ignore[arg-type]
    return row.id


def test_only_verified_rows_rank(lab: Lab) -> None:
    """By public PGR, "not improved" behind; a claim of 99 ranks nothing; waiting, failed and reviewed rows are off."""
    ann = person(lab, "ann")
    low = ranked(lab, ann, "low", {"status": "improved", "pgr": 0.2})
    high = ranked(lab, ann, "high", {"status": "improved", "pgr": 0.6})
    none = ranked(lab, ann, "none", {"status": "not_improved", "pgr": None})
    ranked(lab, ann, "pending", {"status": "improved", "pgr": 0.9}, review=True)
    queue.enqueue(lab, ann, "toy", "waiting", snapshots.put(lab, ann, METHOD).id, claimed=99.0)
    rows = leaderboard.board(lab, ann, "toy").rows
    assert [(r.rank, r.submission) for r in rows if r.kind == "submission"] == [(1, high), (2, low), (3, none)]
    assert rows[0].claimed == 99.0
    assert "0.777" not in json.dumps([r.__dict__ for r in rows])


def test_a_decision_puts_a_row_on_or_off(lab: Lab) -> None:
    """Approved rows rank, disqualified ones do not."""
    ann = person(lab, "ann")
    row = ranked(lab, ann, "m", {"pgr": 0.5}, review=True, board="teacher-free")

    def on_board() -> list[str | None]:
        return [r.teacher_dependence for r in leaderboard.board(lab, ann, "toy").rows if r.submission == row]

    assert [p.submission for p in reviews.listed(lab)] == [row]
    assert on_board() == []
    reviews.decide(lab, OWNER, row, "approve", "fine")
    assert on_board() == ["teacher-free"]
    reviews.decide(lab, OWNER, row, "disqualify", "not fine")
    assert on_board() == []
    with pytest.raises(InputError, match="reason"):
        reviews.decide(lab, OWNER, row, "approve", " ")
    assert [r.decision for r in reviews.listed(lab, "disqualified")[0].reviews] == ["approve", "disqualify"]


def test_floor_ceiling_and_people_stand_unranked(lab: Lab) -> None:
    """Baselines are flagged by kind and have no rank; setting one again replaces it."""
    leaderboard.set_baseline(lab, "toy", "a person, 7 days", "human", pgr=0.2)
    leaderboard.set_baseline(lab, "toy", "a person, 7 days", "human", pgr=0.23)
    rows = leaderboard.board(lab, OWNER, "toy").rows
    assert [(r.rank, r.kind, r.pgr) for r in rows] == [
        (None, "floor", 0.0),
        (None, "ceiling", 1.0),
        (None, "human", 0.23),
    ]
    with pytest.raises(NotFound):
        leaderboard.board(lab, OWNER, "unknown")


def test_ledger_adds_up_and_counts_once(lab: Lab) -> None:
    """Sums by study and researcher; a charge that is reported twice is one; negative ones are refused."""
    studies.create(lab, "one", "toy")
    for ref in ("a", "b", "a"):
        ledger.charge(lab.store, "llm", study="one", researcher="ann", tokens_in=10, tokens_out=5, usd=0.25, ref=ref)
    ledger.charge(lab.store, "compute", study="one", researcher="bob", hours=1.5)
    ledger.charge(lab.store, "compute", hours=1.0)
    (total,) = ledger.totals(lab.store, "one", "ann")
    assert (total.tokens_in, total.tokens_out, total.usd, total.charges) == (20, 10, 0.5, 2)
    assert [(t.researcher, t.hours) for t in ledger.totals(lab.store, "one")] == [("ann", 0.0), ("bob", 1.5)]
    assert len(ledger.totals(lab.store)) == 3
    for bad in (-1.0, float("inf"), float("nan")):
        with pytest.raises(InputError):
            ledger.charge(lab.store, "llm", usd=bad)


def test_events_reach_their_audience(lab: Lab) -> None:
    """Owners see all, members their study's and their own; numbers increase and `last` leaves nothing out."""
    for name in ("one", "two"):
        studies.create(lab, name, "toy")
    ann, bob = person(lab, "ann", "one"), person(lab, "bob", "two")
    events.publish(lab.store, "for-one", {}, "one")
    events.publish(lab.store, "for-owner", {}, "one", audience="owner")
    events.publish(lab.store, "for-ann", {}, "one", audience="ann")
    events.publish(lab.store, "for-all", {})

    def kinds(who: Identity) -> list[str]:
        return [e.kind for e in events.after(lab.store, who, 0) if e.kind != "study"]

    assert kinds(OWNER) == ["for-one", "for-owner", "for-ann", "for-all"]
    assert kinds(ann) == ["for-one", "for-ann", "for-all"]
    assert kinds(bob) == ["for-all"]
    first = events.after(lab.store, ann, 0, limit=2)
    assert [e.id for e in events.after(lab.store, ann, first[-1].id)] == [
        e.id for e in events.after(lab.store, ann, 0) if e.id > first[-1].id
    ]


def test_a_stream_goes_on_as_things_happen(lab: Lab) -> None:
    """A reader that waits gets what is published later, as server-sent events, until the lab stops."""

    async def read() -> bytes:
        got = b""
        async for chunk in events.stream(lab.store, OWNER, 0, follow=True, stopping=lambda: lab.stopping):
            got += chunk
            if b"first" in got and b"second" not in got:
                await asyncio.to_thread(events.publish, lab.store, "second", {"n": 2})
            lab.stopping = b"second" in got
        return got

    events.publish(lab.store, "first", {"n": 1})
    text = asyncio.run(asyncio.wait_for(read(), 10)).decode()
    assert text.startswith("id: 1\nevent: first\ndata: {")
    assert '"n": 2' in text


def test_a_rolled_back_act_is_never_told(lab: Lab) -> None:
    """An event exists if and only if its act does."""
    with pytest.raises(NotFound):
        queue.enqueue(lab, person(lab, "ann"), "toy", "m", "0" * 40)
    assert [e for e in events.after(lab.store, OWNER, 0) if e.kind == "submission"] == []


def test_an_unsandboxed_researcher_never_ranks(lab: Lab) -> None:
    """The same verdict ranks or not by who handed it in; who was once unsandboxed stays so under any later token."""
    bob = person(lab, "bob")
    tokens.create(lab.store, "eve", kind=tokens.UNSANDBOXED)
    eve = person(lab, "eve")
    best = ranked(lab, eve, "best", {"status": "improved", "pgr": 0.9})
    good = ranked(lab, bob, "good", {"status": "improved", "pgr": 0.2})
    rows = [r for r in leaderboard.board(lab, bob, "toy").rows if r.kind == "submission"]
    assert [(r.rank, r.submission, r.note) for r in rows] == [(1, good, ""), (None, best, leaderboard.UNRANKED)]


def test_who_loses_the_sandbox_loses_the_rank(lab: Lab) -> None:
    """Known as sandboxed first, and for what was handed in then as well: nobody can tell when the folder was read."""
    bob = person(lab, "bob")
    good = ranked(lab, bob, "good", {"status": "improved", "pgr": 0.2})
    tokens.create(lab.store, "bob", kind=tokens.UNSANDBOXED)
    rows = [r for r in leaderboard.board(lab, bob, "toy").rows if r.kind == "submission"]
    assert [(r.rank, r.submission, r.note) for r in rows] == [(None, good, leaderboard.UNRANKED)]


def test_code_of_an_unsandboxed_researcher_never_ranks_whoever_hands_it_in(lab: Lab) -> None:
    """The snapshot itself, and one that builds on it at two removes; one's own stays where it was."""
    bob = person(lab, "bob")
    tokens.create(lab.store, "eve", kind=tokens.UNSANDBOXED)
    own = ranked(lab, bob, "own", {"status": "improved", "pgr": 0.2})
    made = [snapshots.put(lab, person(lab, "eve"), {**METHOD, "README.md": b"labels"}).id]
    for note in ("changed", "changed again"):
        made.append(snapshots.put(lab, bob, METHOD, made[-1:], note=note).id)
    handed_in = []
    for snapshot in (made[0], made[2]):
        handed_in.append(queue.enqueue(lab, bob, "toy", "m", snapshot, None).id)
        job = queue.claim(lab.store, "w")
        assert job is not None
        queue.finish(lab.store, job, {}, {"status": "improved", "pgr": 0.9})
    rows = [r for r in leaderboard.board(lab, bob, "toy").rows if r.kind == "submission"]
    assert [(r.rank, r.submission) for r in rows] == [(1, own), *((None, i) for i in handed_in)]


def test_reviewers_who_disagree(lab: Lab) -> None:
    """The last decision holds, and the list says that there is a dispute until one gives in."""
    eve, mal = Identity("reviewer", "eve"), Identity("reviewer", "mal")
    row = ranked(lab, person(lab, "ann"), "a", {"status": "improved", "pgr": 0.2}, review=True)
    reviews.decide(lab, eve, row, "approve", "read it")
    assert not reviews.listed(lab, "verified")[0].disputed
    reviews.decide(lab, mal, row, "disqualify", "reads labels")
    (found,) = reviews.listed(lab, "disqualified")
    assert (found.disputed, [(r.reviewer, r.decision) for r in found.reviews]) == (
        True,
        [("eve", "approve"), ("mal", "disqualify")],
    )
    reviews.decide(lab, mal, row, "reinstate", "it does not")
    assert not reviews.listed(lab, "verified")[0].disputed


def test_only_what_is_disqualified_is_reinstated(lab: Lab) -> None:
    """Otherwise a reviewer would think to undo something and approve instead."""
    row = ranked(lab, person(lab, "ann"), "a", {"status": "improved", "pgr": 0.2}, review=True)
    with pytest.raises(Conflict, match="pending_review"):
        reviews.decide(lab, OWNER, row, "reinstate", "oops")
    reviews.decide(lab, OWNER, row, "disqualify", "cheats")
    assert reviews.decide(lab, OWNER, row, "reinstate", "does not").decision == "reinstate"
    assert [r.state for r in reviews.listed(lab, "verified")] == ["verified"]
