"""Writers that share a commit: each is acknowledged after it, fails alone, and falls together only with the database."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from aar.errors import AarError, ProviderDown
from aar.lab import commits
from aar.lab.commits import Turns
from aar.lab.store import Store
from aar.lab.tables import Attempt, Researcher

WRITERS = 8


@pytest.fixture
def store(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(commits, "GROUP_S", 60.0)  # groups end when nobody waits
    store = Store(tmp_path / "lab.db")
    store.migrate()
    yield store
    store.close()


def outcomes(store: Store) -> set[str]:
    with store.reading() as session:
        return set(session.scalars(sa.select(Attempt.outcome)))


def write_together(store: Store, failing: tuple[str, ...] = (), last: object = None) -> dict[str, BaseException | None]:
    """A first writer holds its turn until all others wait; then they follow one another. What each one got."""
    said: dict[str, BaseException | None] = {}
    waiting = store._commits._turns._waiting
    all_wait = threading.Event()

    def write(name: str) -> None:
        try:
            with store.transaction() as session:
                if name == "0":
                    assert all_wait.wait(20)
                session.add(Attempt(researcher="ann", problem="toy", outcome=name))
                session.flush()
                if name in failing:
                    raise KeyError(name)
            assert name in outcomes(store), "acknowledged before it was committed"
            said[name] = None
        except BaseException as e:
            said[name] = e

    threads = [threading.Thread(target=write, args=(str(i),)) for i in range(WRITERS)]
    threads[0].start()
    while store._commits._open is None:
        pass
    for i, thread in enumerate(threads[1:], 1):
        thread.start()
        while len(waiting) < i:
            pass
    all_wait.set()
    for thread in threads:
        thread.join(30)
    return said


def count_commits(store: Store) -> list[int]:
    seen: list[int] = []
    store.after_commit.append(lambda: seen.append(len(outcomes(store))))
    return seen


def test_those_who_wait_share_one_commit(store: Store) -> None:
    """Eight writers, one commit; nobody is told before it."""
    commits_seen = count_commits(store)
    assert write_together(store) == {str(i): None for i in range(WRITERS)}
    assert commits_seen == [WRITERS]


@pytest.mark.parametrize("failing", [("0",), ("3",), ("7",), ("2", "7"), tuple("01234567")])
def test_a_failure_is_ones_own(store: Store, failing: tuple[str, ...]) -> None:
    """Wherever in the group it happens: its writes are gone, the others' are there."""
    said = write_together(store, failing)
    assert {name for name, e in said.items() if e} == set(failing)
    assert all(isinstance(said[name], KeyError) for name in failing)
    assert outcomes(store) == {str(i) for i in range(WRITERS)} - set(failing)


def test_a_commit_that_fails_is_told_to_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears yes, nothing is there, and the next transaction works."""

    def broken(self: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", None, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(sa.Connection, "commit", broken)
        said = write_together(store)
    assert {getattr(e, "code", None) for e in said.values()} == {"disk_full"}
    assert outcomes(store) == set()
    assert write_together(store) == {str(i): None for i in range(WRITERS)}


def test_a_hook_that_fails_is_told_to_all(store: Store) -> None:
    """The audit log is written after the commit and before the answer: without it nobody is answered."""

    def full() -> None:
        raise ProviderDown("no room", code="disk_full")

    store.after_commit.append(full)
    assert {getattr(e, "code", None) for e in write_together(store).values()} == {"disk_full"}


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_database_that_gives_up_fails_the_group(store: Store) -> None:
    """On a full disk SQLite may drop the whole transaction: those whose writes were in it must hear of it."""
    seen: list[BaseException] = []

    def early() -> None:
        try:
            with store.transaction() as session:
                session.add(Researcher(name="early", study=None))
                session.flush()
                while not store._commits._turns._waiting:
                    pass
        except AarError as e:
            seen.append(e)

    thread = threading.Thread(target=early)
    thread.start()
    while store._commits._open is None:
        pass
    with pytest.raises(AarError), store.transaction() as session:  # noqa: PT012
        session.add(Researcher(name="late", study=None))
        session.flush()
        session.connection().exec_driver_sql("ROLLBACK")  # as SQLite does by itself when it fails like this:
        raise sa.exc.OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))
    thread.join(20)
    assert [e.code for e in seen if isinstance(e, AarError)] == ["database_lost"]
    with store.reading() as session:
        assert session.scalars(sa.select(Researcher.name)).all() == []


def test_turns_are_first_come_first_served() -> None:
    """Also when one of those who wait gives up."""
    turns, order = Turns(), []

    def work(name: int) -> None:
        assert turns.take(20)
        order.append(name)
        turns.give_back()

    assert turns.take(1)
    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for i, thread in enumerate(threads):
        thread.start()
        while len(turns._waiting) < i + 1:
            pass
        assert not turns.take(0.01)
    turns.give_back()
    for thread in threads:
        thread.join(20)
    assert order == [0, 1, 2, 3]
    assert turns.take(0.01)
