"""The database: migrations, transactions, and what happens when it cannot be written."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

from aar.errors import ProviderDown
from aar.lab import store as store_module
from aar.lab.store import MIGRATIONS, Store, newest_revision
from aar.lab.tables import Attempt, Base, Finding, Researcher, Review, Snapshot, Submission, Token


@pytest.fixture
def store(database: str, tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "state" / "lab.db")
    store.migrate()
    yield store
    store.close()


only_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def attempts(store: Store) -> int:
    with store.reading() as session:
        return session.scalar(sa.select(sa.func.count()).select_from(Attempt)) or 0


def attempt() -> Attempt:
    return Attempt(researcher="ann", problem="toy", outcome="improved")


def shape(engine: sa.Engine) -> dict[str, object]:
    """Everything that the database itself knows of each table."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"], c["primary_key"]) for c in inspector.get_columns(table)},
            "checks": sorted((str(c["name"]), c["sqltext"]) for c in inspector.get_check_constraints(table)),
            "unique": sorted(str(c["column_names"]) for c in inspector.get_unique_constraints(table)),
            "foreign": sorted((str(c["constrained_columns"]), c["referred_table"]) for c in inspector.get_foreign_keys(table)),
            "indexes": sorted((str(i["name"]), str(i["column_names"])) for i in inspector.get_indexes(table)),
        }
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }  # fmt: skip


def test_a_new_file_that_another_process_writes_is_waited_for(tmp_path: Path) -> None:
    """SQLite itself refuses at once to change a file's journal that somebody holds for writing."""
    other = sqlite3.connect(tmp_path / "new.db", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite3.OperationalError, match="locked"):  # what the store has to live with
        sqlite3.connect(tmp_path / "new.db", timeout=10).execute("PRAGMA journal_mode=WAL")
    threading.Timer(0.3, other.execute, ("COMMIT",)).start()
    store = Store(tmp_path / "new.db")
    store.migrate()
    assert store.revision() == newest_revision()
    store.close()


@only_sqlite
def test_migrating_from_blank_gives_the_models(store: Store, tmp_path: Path) -> None:
    """The migrated schema is the one the models describe: columns, checks, keys and indexes."""
    plain = Store(tmp_path / "plain.db")
    Base.metadata.create_all(plain.engine)
    assert shape(store.engine) == shape(plain.engine)


def test_alembic_finds_nothing_to_change(store: Store) -> None:
    """On both databases."""
    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []


def test_migrations_are_numbered_without_a_gap() -> None:
    """0001, 0002, ... and the last is what a migrated database says it is."""
    names = sorted(p.name for p in (MIGRATIONS / "versions").glob("*.py"))
    assert [name[:5] for name in names] == [f"{i:04}_" for i in range(1, len(names) + 1)]
    assert newest_revision() == f"{len(names):04}"


def test_migrating_twice_changes_nothing(store: Store) -> None:
    """A second `migrate` finds nothing to do and keeps the rows."""
    with store.transaction() as session:
        session.add(attempt())
    store.migrate()
    assert (store.revision(), attempts(store)) == (newest_revision(), 1)


def test_rows_survive_migrations(database: str, tmp_path: Path) -> None:
    """A lab of the first version, with a review in it, is brought to this one: the row stays and `reinstate` is legal."""
    store = Store(tmp_path / "old.db")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with store.engine.begin() as connection:
        if store.schema:
            connection.execute(sa.schema.CreateSchema(store.schema))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(sa.insert(Snapshot), {"id": "s", "tree": "t", "researcher": "ann", "files": 1, "bytes": 1})
        row = {"id": 7, "researcher": "ann", "problem": "toy", "method": "m", "snapshot": "s", "state": "verified"}
        connection.execute(sa.insert(Submission), row)
        connection.execute(
            sa.insert(Review), {"submission": 7, "reviewer": "eve", "decision": "approve", "reason": "r"}
        )
    store.migrate()
    with store.transaction() as session:
        session.add(Review(submission=7, reviewer="eve", decision="reinstate", reason="r"))
    with store.reading() as session:
        assert session.scalars(sa.select(Review.decision).order_by(Review.id)).all() == ["approve", "reinstate"]
    store.close()


def test_labs_never_mix(store: Store, tmp_path: Path) -> None:
    """Also where both are kept in one PostgreSQL database; and a lab's folder can move."""
    with store.transaction() as session:
        session.add(attempt())
    other = Store(tmp_path / "other" / "lab.db")
    other.migrate()
    assert (attempts(store), attempts(other)) == (1, 0)
    other.close()
    store.close()
    moved = Store((tmp_path / "state").rename(tmp_path / "moved") / "lab.db")
    assert attempts(moved) == 1
    moved.close()


@only_sqlite
def test_durable_settings(store: Store) -> None:
    """Every connection is in WAL mode, syncs in full and checks foreign keys."""
    with store.engine.connect() as connection:
        found = {
            p: connection.exec_driver_sql(f"PRAGMA {p}").scalar()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    """An error inside, also after an inner transaction, rolls all of it back."""
    with pytest.raises(RuntimeError), store.transaction() as session:  # noqa: PT012
        session.add(attempt())
        with store.transaction() as inner:
            assert inner is session
            inner.add(attempt())
        raise RuntimeError
    assert attempts(store) == 0


def test_values_are_checked_by_the_database(store: Store) -> None:
    """An unknown kind or an unknown researcher cannot be stored, whatever the code above forgot."""
    for bad in (
        Finding(researcher="ann", kind="rumour", title="t", body="b"),
        Token(id="1", hash="h", name="ann", scope="researcher", researcher="nobody"),
        Token(id="2", hash="h", name="ann", scope="researcher", researcher=None),
    ):
        with pytest.raises(store_module.LabError, match="database refused"), store.transaction() as session:
            session.add(bad)


@only_sqlite
def test_locked_database_says_so(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process's write lock gives ProviderDown with a hint, and the row is not half there."""
    monkeypatch.setattr(store_module, "BUSY_S", 0.1)
    store = Store(tmp_path / "state" / "lab.db")
    other = sqlite3.connect(tmp_path / "state" / "lab.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(ProviderDown, match="locked") as caught, store.transaction() as session:
        session.add(attempt())
    assert caught.value.code == "database_busy"
    other.execute("ROLLBACK")
    assert attempts(store) == 0


@only_sqlite
def test_full_disk_says_so(store: Store) -> None:
    """A database that cannot grow gives ProviderDown, keeps what it had, and works again once there is room."""

    def limit_pages(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    with store.transaction() as session:
        session.add(Researcher(name="ann", study=None))
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
    store.engine.dispose()
    sa.event.listen(store.engine, "connect", limit_pages)
    with pytest.raises(ProviderDown) as caught, store.transaction() as session:
        session.add(Finding(researcher="ann", kind="insight", title="t", body="x" * 1_000_000))
    assert caught.value.code == "disk_full"
    sa.event.remove(store.engine, "connect", limit_pages)
    store.engine.dispose()
    with store.transaction() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(Finding)) == 0
        session.add(Finding(researcher="ann", kind="insight", title="t", body="x" * 1_000_000))


def test_hooks_run_after_commit_only(store: Store) -> None:
    """What follows a commit sees it; a rollback triggers nothing."""
    seen: list[int] = []
    store.after_commit.append(lambda: seen.append(attempts(store)))
    with store.transaction() as session:
        session.add(attempt())
        assert seen == []
    with pytest.raises(RuntimeError), store.transaction():
        raise RuntimeError
    assert seen == [1]
