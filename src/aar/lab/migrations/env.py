"""Alembic's entry: runs on the connection that `store.migrate` hands over, inside its transaction."""

from alembic import context

from aar.lab.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,  # the caller's transaction covers the whole upgrade
)
context.run_migrations()
