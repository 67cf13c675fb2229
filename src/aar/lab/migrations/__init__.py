"""Numbered, append-only Alembic migrations: a released file is never edited, a change is a new file."""
