"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

INT = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # 64 bits on both


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", INT, nullable=False),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_attempts_researcher_created"), "attempts", ["researcher", "created"])
    op.create_table(
        "audit_entries",
        sa.Column("id", INT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "baselines",
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("accuracy", sa.Double()),
        sa.Column("pgr", sa.Double()),
        sa.Column("se", sa.Double()),
        sa.Column("seeds", INT, nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('floor', 'ceiling', 'baseline', 'human')", name=op.f("ck_baselines_kind_known")),
        sa.PrimaryKeyConstraint("problem", "name", name=op.f("pk_baselines")),
    )
    op.create_table(
        "evaluations",
        sa.Column("label_set", sa.String(), nullable=False),
        sa.Column("seq", INT, autoincrement=False, nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("team", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("rows", sa.String(), nullable=False),
        sa.Column("n", INT, nullable=False),
        sa.Column("bits", sa.LargeBinary(), nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=False),
        sa.Column("paid", sa.Boolean(), nullable=False),
        sa.Column("like", INT),
        sa.Column("distance", sa.Double()),
        sa.Column("complement", sa.Boolean(), nullable=False),
        sa.Column("improved", sa.Boolean(), nullable=False),
        sa.Column("ladder", INT, nullable=False),
        sa.Column("floor", sa.Double(), nullable=False),
        sa.Column("step", sa.Double(), nullable=False),
        sa.Column("level", INT, nullable=False),
        sa.PrimaryKeyConstraint("label_set", "seq", name=op.f("pk_evaluations")),
    )
    op.create_index(op.f("ix_evaluations_researcher"), "evaluations", ["researcher"])
    op.create_table(
        "events",
        sa.Column("id", INT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_events")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "idempotency_keys",
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("body_hash", sa.String(), nullable=False),
        sa.Column("status", INT, nullable=False),
        sa.Column("answer", sa.JSON(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("owner", "route", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_table(
        "label_set_rows",
        sa.Column("label_set", sa.String(), nullable=False),
        sa.Column("row", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("label_set", "row", name=op.f("pk_label_set_rows")),
    )
    op.create_table(
        "label_set_sightings",
        sa.Column("label_set", sa.String(), nullable=False),
        sa.Column("study", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("label_set", "study", "who", name=op.f("pk_label_set_sightings")),
    )
    op.create_table(
        "ledger",
        sa.Column("id", INT, nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("researcher", sa.String()),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("tokens_in", INT, nullable=False),
        sa.Column("tokens_out", INT, nullable=False),
        sa.Column("usd", sa.Double(), nullable=False),
        sa.Column("hours", sa.Double(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("ref", sa.String()),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger")),
        sa.UniqueConstraint("ref", name=op.f("uq_ledger_ref")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_ledger_researcher"), "ledger", ["researcher"])
    op.create_index(op.f("ix_ledger_study"), "ledger", ["study"])
    op.create_table(
        "links",
        sa.Column("child", sa.String(), nullable=False),
        sa.Column("parent", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("child", "parent", name=op.f("pk_links")),
    )
    op.create_index(op.f("ix_links_parent"), "links", ["parent"])
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("tree", sa.String(), nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("files", INT, nullable=False),
        sa.Column("bytes", INT, nullable=False),
        sa.Column("marked_by", INT),
        sa.Column("created", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_snapshots")),
    )
    op.create_index(op.f("ix_snapshots_study"), "snapshots", ["study"])
    op.create_index(op.f("ix_snapshots_tree"), "snapshots", ["tree"])
    op.create_table(
        "studies",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("stopped", sa.String()),
        sa.CheckConstraint("state IN ('open', 'stopped', 'finalized')", name=op.f("ck_studies_state_known")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_studies")),
    )
    op.create_table(
        "researchers",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["study"], ["studies.name"], name=op.f("fk_researchers_study_studies")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_researchers")),
    )
    op.create_index(op.f("ix_researchers_study"), "researchers", ["study"])
    op.create_table(
        "submissions",
        sa.Column("id", INT, nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("snapshot", sa.String(), nullable=False),
        sa.Column("claimed", sa.Double()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("fault", sa.String()),
        sa.Column("code", sa.String()),
        sa.Column("message", sa.String()),
        sa.Column("public", sa.JSON(none_as_null=True)),
        sa.Column("verdict", sa.JSON(none_as_null=True)),
        sa.Column("board", sa.String()),
        sa.Column("worker", sa.String()),
        sa.Column("lease", sa.String()),
        sa.Column("lease_until", sa.String()),
        sa.Column("tries", INT, nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("started", sa.String()),
        sa.Column("finished", sa.String()),
        sa.CheckConstraint("fault IN ('you', 'method', 'lab', 'provider')", name=op.f("ck_submissions_fault_known")),
        sa.CheckConstraint(
            "state IN ('queued', 'running', 'verified', 'failed', 'pending_review', 'disqualified')",
            name=op.f("ck_submissions_state_known"),
        ),
        sa.ForeignKeyConstraint(["snapshot"], ["snapshots.id"], name=op.f("fk_submissions_snapshot_snapshots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_submissions_problem_state"), "submissions", ["problem", "state"])
    op.create_index(op.f("ix_submissions_researcher"), "submissions", ["researcher"])
    op.create_index(op.f("ix_submissions_state_created"), "submissions", ["state", "created"])
    op.create_index(op.f("ix_submissions_study"), "submissions", ["study"])
    op.create_table(
        "findings",
        sa.Column("id", INT, nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("runs", sa.JSON(), nullable=False),
        sa.Column("votes", INT, nullable=False),
        sa.Column("comments", INT, nullable=False),
        sa.Column("marked_by", INT),
        sa.Column("created", sa.String(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('result', 'hypothesis', 'insight', 'error', 'observation')", name=op.f("ck_findings_kind_known")
        ),
        sa.ForeignKeyConstraint(["marked_by"], ["submissions.id"], name=op.f("fk_findings_marked_by_submissions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_findings")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_findings_study"), "findings", ["study"])
    op.create_table(
        "reviews",
        sa.Column("id", INT, nullable=False),
        sa.Column("submission", INT, nullable=False),
        sa.Column("reviewer", sa.String(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.CheckConstraint("decision IN ('approve', 'disqualify')", name=op.f("ck_reviews_decision_known")),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name=op.f("fk_reviews_submission_submissions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reviews_submission"), "reviews", ["submission"])
    op.create_table(
        "runs",
        sa.Column("id", INT, nullable=False),
        sa.Column("submission", INT, nullable=False),
        sa.Column("seed", INT, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("accuracy", sa.Double()),
        sa.Column("pgr", sa.Double()),
        sa.Column("seconds", sa.Double()),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["submission"], ["submissions.id"], name=op.f("fk_runs_submission_submissions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_runs")),
        sa.UniqueConstraint("submission", "seed", name=op.f("uq_runs_submission_seed")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("study", sa.String()),
        sa.Column("researcher", sa.String()),
        sa.Column("created", sa.String(), nullable=False),
        sa.Column("revoked", sa.String()),
        sa.CheckConstraint("(scope = 'researcher') = (researcher IS NOT NULL)", name=op.f("ck_tokens_researcher_set")),
        sa.CheckConstraint("scope IN ('researcher', 'reviewer', 'owner')", name=op.f("ck_tokens_scope_known")),
        sa.ForeignKeyConstraint(["researcher"], ["researchers.name"], name=op.f("fk_tokens_researcher_researchers")),
        sa.ForeignKeyConstraint(["study"], ["studies.name"], name=op.f("fk_tokens_study_studies")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
    )
    op.create_index(op.f("ix_tokens_researcher"), "tokens", ["researcher"])
    op.create_table(
        "comments",
        sa.Column("id", INT, nullable=False),
        sa.Column("finding", INT, nullable=False),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["finding"], ["findings.id"], name=op.f("fk_comments_finding_findings")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_comments")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_comments_finding"), "comments", ["finding"])
    op.create_table(
        "votes",
        sa.Column("finding", INT, nullable=False),
        sa.Column("researcher", sa.String(), nullable=False),
        sa.Column("value", INT, nullable=False),
        sa.Column("created", sa.String(), nullable=False),
        sa.CheckConstraint("value IN (-1, 1)", name=op.f("ck_votes_value_known")),
        sa.ForeignKeyConstraint(["finding"], ["findings.id"], name=op.f("fk_votes_finding_findings")),
        sa.PrimaryKeyConstraint("finding", "researcher", name=op.f("pk_votes")),
    )
