"""Jobs of one thread: told after their commit, alone in their failures, together where the commit fails."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from aar.errors import AarError, ProviderDown
from aar.lab import commits
from aar.lab.batches import Batches
from aar.lab.store import Store
from aar.lab.tables import Attempt

JOBS = 20


@pytest.fixture
def store(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    monkeypatch.setattr(commits, "GROUP_S", 60.0)  # a batch ends when nobody waits
    store = Store(tmp_path / "lab.db")
    store.migrate()
    yield store
    store.close()


def outcomes(store: Store) -> list[str]:
    with store.reading() as session:
        return sorted(session.scalars(sa.select(Attempt.outcome)))


def run(store: Store, failing: tuple[int, ...] = (), cancelled: tuple[int, ...] = (), instead: Any = None) -> list[Any]:
    """The first job waits until all are there; then they follow one another. What each one got."""
    batches, all_there = Batches(store), threading.Event()

    def job(number: int) -> str:
        if number == 0:
            assert all_there.wait(20)
        if act := (instead or {}).get(number):
            act()
        with store.transaction():
            store.insert(Attempt, researcher="ann", problem="toy", outcome=f"{number:02}", detail="")
            if number in failing:
                raise KeyError(number)
        return f"{number:02}"

    async def one(number: int) -> Any:
        answer = await batches.run(lambda: job(number))
        assert answer in outcomes(store), "told before it was committed"
        return answer

    async def everyone() -> list[Any]:
        tasks = [asyncio.create_task(one(n)) for n in range(JOBS)]
        await asyncio.sleep(0.2)
        for number in cancelled:
            tasks[number].cancel()
        await asyncio.sleep(0.05)
        all_there.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    try:
        return asyncio.run(everyone())
    finally:
        batches.close()


def test_one_commit_for_all_that_wait(store: Store) -> None:
    seen: list[int] = []
    store.after_commit.append(lambda: seen.append(len(outcomes(store))))
    assert run(store) == [f"{n:02}" for n in range(JOBS)]
    assert seen == [JOBS]


def test_a_failure_is_its_own(store: Store) -> None:
    """Its writes are taken back, and its neighbours' stand."""
    told = run(store, failing=(0, 7, JOBS - 1))
    assert [n for n, said in enumerate(told) if isinstance(said, KeyError)] == [0, 7, JOBS - 1]
    assert outcomes(store) == [f"{n:02}" for n in range(JOBS) if n not in (0, 7, JOBS - 1)]


def test_one_that_nobody_waits_for_is_left_out(store: Store) -> None:
    told = run(store, cancelled=(3, 4))
    assert [n for n, said in enumerate(told) if isinstance(said, asyncio.CancelledError)] == [3, 4]
    assert outcomes(store) == [f"{n:02}" for n in range(JOBS) if n not in (3, 4)]


def test_a_commit_that_fails_fails_all(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is told of a success that is not on disk; the next batch works."""

    def broken(self: sa.Connection) -> None:
        raise sa.exc.OperationalError("COMMIT", None, Exception("disk I/O error"))

    with monkeypatch.context() as patch:
        patch.setattr(sa.Connection, "commit", broken)
        assert {getattr(e, "code", None) for e in run(store, failing=(5,))} == {"disk_full"}
    assert outcomes(store) == []
    assert run(store) == [f"{n:02}" for n in range(JOBS)]


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("where", [0, 7, JOBS - 1])
def test_a_database_that_gives_up_fails_all(store: Store, where: int) -> None:
    """On a full disk SQLite may drop the whole transaction: what follows in the batch does not go in by itself."""

    def give_up() -> None:
        with store.transaction() as session:
            session.connection().exec_driver_sql("ROLLBACK")
            raise sa.exc.OperationalError("INSERT", None, sqlite3.OperationalError("database or disk is full"))

    told = run(store, instead={where: give_up})
    assert all(isinstance(said, AarError) for said in told), told
    assert outcomes(store) == []


def test_a_lab_that_cannot_begin_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> sa.Connection:
        raise ProviderDown("away")

    batches = Batches(store)
    monkeypatch.setattr(store._commits, "_begin", down)
    with pytest.raises(ProviderDown, match="away"):
        asyncio.run(batches.run(lambda: "never"))
    monkeypatch.undo()
    assert asyncio.run(batches.run(lambda: "again")) == "again"
    batches.close()
    batches.close()


def test_other_writers_have_their_turn_between(store: Store) -> None:
    """A thread that writes by itself meanwhile is neither lost nor kept waiting for ever."""
    batches, stop, written = Batches(store), threading.Event(), list[int]()

    def write() -> None:
        while not stop.is_set():
            store.insert(Attempt, researcher="bob", problem="toy", outcome="bob", detail="")
            written.append(1)

    async def ask() -> None:
        for _ in range(20):
            await asyncio.gather(
                *(
                    batches.run(
                        lambda: store.insert(Attempt, researcher="ann", problem="toy", outcome="ann", detail="")
                    )
                    for _ in range(10)
                )
            )

    writer = threading.Thread(target=write)
    writer.start()
    asyncio.run(ask())
    stop.set()
    writer.join(20)
    batches.close()
    assert outcomes(store).count("ann") == 200
    assert outcomes(store).count("bob") == len(written) > 0
