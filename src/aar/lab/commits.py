"""Group commit: writers of this process take turns, and those that wait together share one commit.

A commit waits for the disk, which takes longer than most transactions. So a writer whose turn ends while others wait
leaves the database transaction open to the next one, and returns when the last of the group has committed. Each has a
savepoint of its own, so that one that fails takes back its own writes and nothing else. Nobody's write is acknowledged
before its commit. Where the database gives up the whole transaction (a full disk), all of the group fail.

A writer must not hold a lock that another writer wants inside its transaction.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from aar.errors import ProviderDown

GROUP_S = 0.05  # a group older than this commits, whoever waits


class Turns:
    """A lock, first come first served, that knows whether anybody waits for it."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._taken = False

    def take(self, timeout_s: float) -> bool:
        """Wait for one's turn; False when it did not come in time."""
        with self._mutex:
            if not self._taken:
                self._taken = True
                return True
            ticket = threading.Lock()
            ticket.acquire()
            self._waiting.append(ticket)
        if ticket.acquire(timeout=timeout_s):
            return True
        with self._mutex:
            if ticket not in self._waiting:
                return True  # it came in this very moment
            self._waiting.remove(ticket)
            return False

    def hand_over(self) -> bool:
        """The next one's turn; False, and the turn is kept, when nobody waits."""
        with self._mutex:
            if not self._waiting:
                return False
            self._waiting.popleft().release()
            return True

    def give_back(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False


class Group:
    """Writers that share one database transaction on `connection`."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.writers = 0  # whose writes are in it
        self.done = threading.Event()
        self.error: BaseException | None = None
        self._ends = time.monotonic() + GROUP_S

    @property
    def may_grow(self) -> bool:
        return self.error is None and time.monotonic() < self._ends


class GroupCommit:
    """`group = commits.enter()`, write on `group.connection` inside a savepoint, `commits.leave(group, kept)`."""

    def __init__(
        self, begin: Callable[[], sa.Connection], alive: Callable[[sa.Connection], bool],
        committed: Callable[[], Any], rolled_back: Callable[[], Any],
    ) -> None:  # fmt: skip
        self._begin, self._alive = begin, alive
        self._committed, self._rolled_back = committed, rolled_back
        self._turns = Turns()
        self._open: Group | None = None

    def enter(self, timeout_s: float) -> Group:
        """Wait for one's turn and join the open group, or begin one."""
        if not self._turns.take(timeout_s):
            raise ProviderDown("the database is busy", code="database_busy", hint="try again in a few seconds")
        if self._open is None:
            try:
                self._open = Group(self._begin())
            except BaseException:
                self._turns.give_back()
                raise
        return self._open

    def leave(self, group: Group, kept: bool) -> None:
        """End one's turn. With `kept` returns once the writes are on disk, or raises why they are not."""
        if kept:
            group.writers += 1
        self.check(group)
        if group.may_grow and self._turns.hand_over():
            if kept:
                group.done.wait()
        else:
            self._close(group)
        if kept and group.error is not None:
            raise group.error

    def check(self, group: Group) -> None:
        """Note it where the database has given up the whole transaction."""
        if not self._alive(group.connection):
            group.error = ProviderDown(
                "the database gave up a transaction; nothing was written", code="database_lost", hint="try again"
            )

    def _close(self, group: Group) -> None:
        """Commit, let the next group begin, then tell those who wait."""
        self._open = None
        try:
            with group.connection as connection:
                if group.error is None and group.writers:
                    connection.commit()
                else:
                    connection.rollback()
        except BaseException as e:
            group.error = e
        finally:
            self._turns.give_back()
        try:
            if group.error is not None:
                self._rolled_back()
            elif group.writers:
                self._committed()
        except BaseException as e:
            group.error = e
        finally:
            group.done.set()
