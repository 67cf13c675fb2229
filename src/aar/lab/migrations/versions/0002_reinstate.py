"""Reviews may reinstate."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    with op.batch_alter_table("reviews", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(op.f("ck_reviews_decision_known"), type_="check")
        table.create_check_constraint(
            op.f("ck_reviews_decision_known"), "decision IN ('approve', 'disqualify', 'reinstate')"
        )
