"""The database: engine, sessions, transactions, migrations. Knows how to be durable; not what the rows mean.

SQLite in WAL mode with synchronous=FULL (a reply is sent after the commit is on disk), or PostgreSQL where
`$AAR_DATABASE` is its URL: each lab has a schema of its own there, so that labs never mix.
There is one writer at a time on both, so ids that are handed out in order are also committed in order, which
the event stream and the audit log rely on. A write transaction either commits whole or leaves nothing.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from aar.errors import AarError, InputError, LabError, ProviderDown
from aar.lab.commits import Group, GroupCommit
from aar.lab.tables import AuditEntry, Base

BUSY_S = 15.0
MIGRATIONS = Path(__file__).parent / "migrations"
WRITER_LOCK = 4_710_224  # PostgreSQL advisory lock: any constant that is ours


class Store:
    """`store.reading()` for looks, `store.transaction()` for changes; both give a SQLAlchemy session."""

    def __init__(self, url: str | Path) -> None:
        self.schema = ""  # on PostgreSQL: where this lab's tables are; empty: wherever the URL says
        if isinstance(url, Path):
            url.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            shared = os.environ.get("AAR_DATABASE")
            self.schema = _name_of(url) if shared else ""
            url = shared or f"sqlite:///{url}"
        self.engine = _engine(url, self.schema)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        # A reader sees one moment. A writer on PostgreSQL must see what was committed while it waited for its turn.
        self._reads = (
            self.engine if self.is_sqlite else self.engine.execution_options(isolation_level="REPEATABLE READ")
        )
        self.after_commit: list[Callable[[], None]] = []
        self.after_rollback: list[Callable[[], None]] = []
        self._commits = GroupCommit(self._begin, self._alive, self._committed, self._rolled_back)
        self._current: ContextVar[Session | None] = ContextVar("current", default=None)
        self._shared: ContextVar[Group | None] = ContextVar("shared", default=None)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent look; joins the transaction that is open in this thread, if there is one."""
        if (open_session := self._current.get()) is not None:
            yield open_session
            return
        with _translated(), Session(self._reads) as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """All or nothing, durable on exit. A nested call joins the outer one and commits with it."""
        if (outer := self._current.get()) is not None:
            yield outer
            return
        with _translated():
            shared = self._shared.get()
            if shared and shared.error:
                raise shared.error
            group, kept = shared or self._commits.enter(BUSY_S), False
            try:
                with self._session_in(group) as session:
                    yield session
                kept = True
            except BaseException:
                self._rolled_back()
                raise
            finally:
                if shared:
                    self._commits.check(shared)
                else:
                    self._commits.leave(group, kept)

    @contextmanager
    def together(self) -> Iterator[None]:
        """This thread's transactions in here share one commit: none of them is on disk before this ends without an error."""
        with _translated():
            group = self._commits.enter(BUSY_S)
            mark = self._shared.set(group)
            try:
                yield
            finally:
                self._shared.reset(mark)
                self._commits.leave(group, kept=True)

    @contextmanager
    def _session_in(self, group: Group) -> Iterator[Session]:
        session = Session(group.connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        mark = self._current.set(session)
        try:
            yield session
            session.commit()
        finally:
            self._current.reset(mark)
            with suppress(DBAPIError):  # the whole transaction is gone, and the savepoint with it
                session.close()

    def _begin(self) -> sa.Connection:
        connection = self.engine.connect().execution_options(write=True)
        try:
            connection.begin()
            if not self.is_sqlite:
                connection.execute(sa.text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        except BaseException:
            connection.close()
            raise
        return connection

    def _alive(self, connection: sa.Connection) -> bool:
        """Whether the database still has this transaction: on a full disk it drops it without being asked."""
        if connection.invalidated:
            return False
        raw: Any = connection.connection.dbapi_connection
        return raw.in_transaction if self.is_sqlite else raw.info.transaction_status.name == "INTRANS"

    def _committed(self) -> None:
        for hook in self.after_commit:
            hook()

    def _rolled_back(self) -> None:
        for hook in self.after_rollback:
            hook()

    def insert(self, table: type[Base], **values: Any) -> bool:
        """One row, by plain SQL: a fifth of what an object in the session costs. False, and nothing done, when a row
        with this key is there. Objects that were added to the session before are not written first."""
        with self.transaction() as session:
            statement = _insert(table, self.engine.dialect.name)
            return session.connection().execute(statement, values).rowcount == 1

    def record(self, actor: str, action: str, **body: Any) -> None:
        """Note an act for the audit log; it is written with the transaction and chained before the reply."""
        self.insert(AuditEntry, actor=actor, action=action, body=body)

    def migrate(self) -> None:
        """Bring the schema to this version. Safe to call from many processes at once."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        if self.revision() == newest_revision():
            return
        with _translated(), self._begin() as connection:  # others wait, then find nothing to do
            if self.schema:
                connection.execute(sa.schema.CreateSchema(self.schema, if_not_exists=True))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()

    def revision(self) -> str | None:
        """The schema's version, or None for a blank database."""
        with _translated(), self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.scalar(sa.text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        self.engine.dispose()


@cache
def _insert(table: type[Base], dialect: str) -> sa.Executable:
    rows: Any = table.__table__
    insert = postgresql.insert(rows) if dialect == "postgresql" else sqlite.insert(rows)
    return insert.on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def newest_revision() -> str:
    """Migrations are numbered, so the last file name is the head."""
    return sorted(p.name for p in (MIGRATIONS / "versions").glob("[0-9]*.py"))[-1][:4]


def _name_of(path: Path) -> str:
    """The lab's name in a database that other labs may share; kept beside the file that it has no use for."""
    kept = path.with_suffix(".id")
    if not kept.exists():
        name = f"lab_{secrets.token_hex(6)}"
        draft = kept.with_suffix(f".{name}")
        draft.write_text(name)
        with suppress(FileExistsError):  # another process was first
            os.link(draft, kept)
        draft.unlink()
    return kept.read_text()


def _engine(url: str, schema: str) -> sa.Engine:
    pool: dict[str, Any] = {"pool_size": 20, "max_overflow": 40, "pool_timeout": BUSY_S}
    if url.startswith("sqlite"):
        return sa.create_engine(url, connect_args={"timeout": BUSY_S}, **pool)
    try:
        options = f"-c lock_timeout={BUSY_S:.0f}s" + (f" -c search_path={schema}" if schema else "")
        connect = {"options": options, "connect_timeout": BUSY_S}
        return sa.create_engine(url, connect_args=connect, pool_pre_ping=True, **pool)
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ImportError) as e:
        raise InputError(
            f"AAR_DATABASE cannot be used ({e})",
            code="bad_database",
            hint="postgresql+psycopg://user@host/name, and `pip install 'aar-lab[postgres]'`",
        ) from e


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, see _begin_sqlite
    _use_wal(connection)
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "trusted_schema=OFF"):
        connection.execute(f"PRAGMA {pragma}")


def _use_wal(connection: sqlite3.Connection) -> None:
    """On a new file: SQLite does not wait (its timeout is not used) while another process does the same."""
    end = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as e:
            if e.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.01)


def _begin_sqlite(connection: sa.Connection) -> None:
    # IMMEDIATE takes the write lock at the start: a transaction never fails half-way because another one wrote.
    write = connection.get_execution_options().get("write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _translated() -> Iterator[None]:
    """Database failures as errors of this lab, sorted by whether trying again can help."""
    try:
        yield
    except AarError:
        raise
    except PoolTimeout as e:
        raise ProviderDown("the database is busy", code="database_busy", hint="try again in a few seconds") from e
    except DBAPIError as e:
        raise _explain(_first(e)) from e


def _first(e: DBAPIError) -> DBAPIError:
    """What went wrong first: when the transaction is gone, rolling its savepoint back fails as well."""
    while isinstance(e.__context__, DBAPIError):
        e = e.__context__
    return e


def _explain(e: DBAPIError) -> AarError:
    said = str(e.orig).split("\n")[0]  # what follows quotes the values
    if "locked" in said or "busy" in said or "lock timeout" in said:
        return ProviderDown(
            "the database is locked by another process", code="database_busy", hint="try again in a few seconds"
        )
    if "full" in said or "No space" in said or "disk I/O" in said:
        return ProviderDown(
            f"the lab's disk is full or failing ({said}); nothing was written",
            code="disk_full",
            hint="the owner must free space on the lab's disk, then try again",
        )
    if e.connection_invalidated or "connection failed" in said:
        return ProviderDown("the lab's database does not answer", code="database_down", hint="is PostgreSQL running?")
    if "readonly" in said or "unable to open" in said:
        return ProviderDown(
            f"the lab's database cannot be written ({said})", code="database_readonly", hint="check its permissions"
        )
    return LabError(f"the database refused: {said}", code="database_fault", hint="run `aar doctor`")
