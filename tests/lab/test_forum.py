"""The forum: bodies are kept whole or refused, standing comes from verified runs, studies do not see one another."""

from __future__ import annotations

import pytest

from aar.errors import AarError, BudgetSpent, Conflict, InputError, NotFound
from aar.lab import forum, queue, reviews, snapshots, studies
from aar.lab.fakes import METHOD, person
from aar.lab.services import Lab
from aar.lab.tokens import Identity


def note(lab: Lab, who: Identity, title: str = "t", **refs: object) -> forum.FindingView:
    return forum.post(lab, who, "insight", title, "body", **refs)  # type: ignore[arg-type]


def verified(lab: Lab, who: Identity, parents: list[str] | None = None, body: bytes = b"x") -> tuple[int, str]:
    """A submission with a verdict, and its snapshot."""
    code = snapshots.put(lab, who, METHOD | {"x.txt": body}, parents).id
    row = queue.enqueue(lab, who, "toy", "m", code)
    job = queue.claim(lab.store, "worker")
    assert job is not None
    queue.finish(lab.store, job, {"acc": 0.7}, {"status": "improved", "pgr": 0.5})
    return row.id, code


@pytest.mark.parametrize("length", [5_001, 200_000])
def test_long_bodies_are_kept_whole(lab: Lab, length: int) -> None:
    """What was posted comes back to the last character (the reference system loses summaries over 5,000)."""
    ann = person(lab, "ann")
    body = ("é𝔘\n" * length)[:length]
    made = forum.post(lab, ann, "result", "long", body)
    assert forum.read(lab, ann, made.id).body == body
    assert forum.listed(lab, ann)[0].body == body


def test_longer_ones_are_refused_by_name(lab: Lab) -> None:
    """One character more is an error that says so, and nothing is stored; so are empty ones and unknown kinds."""
    ann = person(lab, "ann")
    with pytest.raises(InputError, match="200,001 characters, 200,000 are allowed; nothing was stored"):
        forum.post(lab, ann, "result", "long", "x" * 200_001)
    for kind, title, body in (
        ("result", " ", "b"),
        ("result", "t", ""),
        ("rumour", "t", "b"),
        ("result", "t" * 301, "b"),
    ):
        with pytest.raises(InputError):
            forum.post(lab, ann, kind, title, body)
    assert forum.listed(lab, ann) == []


def test_standing_comes_from_verified_runs(lab: Lab) -> None:
    """No run id: unverified. A run without a verdict: unverified. All verified: verified."""
    ann = person(lab, "ann")
    first, code = verified(lab, ann)
    waiting = queue.enqueue(lab, ann, "toy", "m", code).id
    standings = [note(lab, ann, runs=runs).standing for runs in ([], [waiting], [first, waiting], [first])]
    assert standings == ["unverified", "unverified", "unverified", "verified"]
    assert note(lab, person(lab, "mallory"), runs=[first]).standing == "unverified", (
        "another's run proves nothing of hers"
    )
    with pytest.raises(NotFound):
        note(lab, ann, runs=[99])


def test_disqualifying_marks_all_that_builds_on_it(lab: Lab) -> None:
    """Findings and snapshots below a disqualified submission are marked, at any distance, also later ones;
    others are not; reinstating it takes the marks back, but for what another disqualified one explains."""
    ann, bob = person(lab, "ann"), person(lab, "bob")
    owner = Identity("owner", "owner")
    bad, code = verified(lab, ann)
    good, _ = verified(lab, bob, body=b"other")
    direct = note(lab, ann, runs=[bad]).id
    child = snapshots.put(lab, bob, METHOD | {"y": b"y"}, [code]).id
    far = note(lab, bob, snapshots=[child]).id
    quoting = note(lab, bob, findings=[far]).id
    echo = note(lab, bob, findings=[direct]).id
    clean = note(lab, bob, runs=[good]).id

    reviews.decide(lab, owner, bad, "disqualify", "reads the labels")
    later = note(lab, bob, findings=[quoting]).id
    marked = {f.id for f in forum.listed(lab, ann) if f.standing == "disqualified"}
    assert marked == {direct, echo, far, quoting, later}
    assert snapshots.read(lab, ann, child).disqualified
    assert forum.read(lab, ann, clean).standing == "verified"

    both = note(lab, bob, runs=[good], findings=[direct]).id
    reviews.decide(lab, owner, good, "disqualify", "a copy")
    reviews.decide(lab, owner, bad, "reinstate", "a mistake")
    assert {f.id for f in forum.listed(lab, ann) if f.standing == "disqualified"} == {clean, both}
    reviews.decide(lab, owner, good, "reinstate", "credit was given")
    assert not any(f.standing == "disqualified" for f in forum.listed(lab, ann))
    assert not snapshots.read(lab, ann, child).disqualified
    assert forum.read(lab, ann, direct).standing == "verified"


def test_search_sort_and_sync(lab: Lab) -> None:
    """Every word must be found, in title or body; percent signs are letters; `after` gives what is new."""
    ann, bob, cem = (person(lab, n) for n in ("ann", "bob", "cem"))
    first = forum.post(lab, ann, "result", "Confidence filter", "keeps 50% of rows")
    second = forum.post(lab, bob, "hypothesis", "Early stopping", "confidence helps")
    forum.vote(lab, cem, second.id, 1)
    forum.comment(lab, cem, first.id, "why?")

    def ids(**query: object) -> list[int]:
        return [f.id for f in forum.listed(lab, ann, **query)]  # type: ignore[arg-type]

    assert ids(search="CONFIDENCE") == [second.id, first.id]
    assert ids(search="confidence rows") == [first.id]
    assert ids(search="50%") == [first.id]
    assert ids(search="%") == [first.id]
    assert ids(search="'; DROP TABLE findings;--") == []
    assert ids(sort="votes") == [second.id, first.id]
    assert ids(sort="comments") == [first.id, second.id]
    assert ids(sort="old") == [first.id, second.id]
    assert (ids(kind="result"), ids(researcher="bob"), ids(after=first.id)) == ([first.id], [second.id], [second.id])
    assert ids(limit=1, offset=1) == [first.id]


def test_votes_count_once(lab: Lab) -> None:
    """A second vote replaces the first, 0 takes it back, nobody votes for themselves."""
    ann, bob, cem = (person(lab, n) for n in ("ann", "bob", "cem"))
    finding = note(lab, ann).id
    votes = [
        forum.vote(lab, who, finding, value).votes for who, value in ((bob, 1), (bob, 1), (cem, 1), (bob, -1), (bob, 0))
    ]
    assert votes == [1, 1, 2, 0, 1]
    with pytest.raises(Conflict, match="author"):
        forum.vote(lab, ann, finding, 1)


def test_comments(lab: Lab) -> None:
    """In order, whole, counted."""
    ann, bob = person(lab, "ann"), person(lab, "bob")
    finding = note(lab, ann).id
    for text in ("first", "second " * 10_000):
        forum.comment(lab, bob, finding, text)
    assert [c.body for c in forum.comments(lab, ann, finding)] == ["first", "second " * 10_000]
    assert forum.read(lab, ann, finding).comments == 2


def test_studies_do_not_see_one_another(lab: Lab) -> None:
    """A member sees its own study's findings and snapshots; another's do not exist for it, in any way."""
    for name in ("one", "two"):
        studies.create(lab, name, "toy")
    ann, bob = person(lab, "ann", "one"), person(lab, "bob", "two")
    finding = note(lab, ann).id
    run, code = verified(lab, ann)
    assert forum.listed(lab, bob) == [] == snapshots.listed(lab, bob)
    attempts = (
        lambda: forum.read(lab, bob, finding),
        lambda: forum.comments(lab, bob, finding),
        lambda: forum.comment(lab, bob, finding, "x"),
        lambda: forum.vote(lab, bob, finding, 1),
        lambda: note(lab, bob, findings=[finding]),
        lambda: note(lab, bob, runs=[run]),
        lambda: note(lab, bob, snapshots=[code]),
        lambda: snapshots.read(lab, bob, code),
        lambda: snapshots.put(lab, bob, METHOD, [code]),
        lambda: queue.enqueue(lab, bob, "toy", "stolen", code),
    )
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert [f.id for f in forum.listed(lab, Identity("owner", "owner"))] == [finding]


def test_a_stopped_study_takes_nothing(lab: Lab) -> None:
    """After the stop every act is refused with the study's state; reading goes on."""
    studies.create(lab, "one", "toy")
    ann, bob = person(lab, "ann", "one"), person(lab, "bob", "one")
    finding, code = note(lab, bob).id, snapshots.put(lab, ann, METHOD).id
    studies.set_state(lab, "one", "stopped")
    attempts = (
        lambda: note(lab, ann),
        lambda: forum.comment(lab, ann, finding, "x"),
        lambda: forum.vote(lab, ann, finding, 1),
        lambda: snapshots.put(lab, ann, METHOD),
        lambda: queue.enqueue(lab, ann, "toy", "m", code),
    )
    for attempt in attempts:
        with pytest.raises(AarError) as caught:
            attempt()
        assert caught.value.code == "study_stopped"
    assert forum.read(lab, ann, finding).title == "t"


def test_snapshots_have_a_quota(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """One researcher cannot fill the disk; another still has room."""
    ann, bob = person(lab, "ann"), person(lab, "bob")
    monkeypatch.setattr(snapshots, "QUOTA", 150)
    snapshots.put(lab, ann, {"a": bytes(100)})
    with pytest.raises(BudgetSpent, match="100 of 150 bytes"):
        snapshots.put(lab, ann, {"b": bytes(51)})
    snapshots.put(lab, bob, {"b": bytes(51)})
