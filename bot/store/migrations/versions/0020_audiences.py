"""Who waits for a profile, counted, and what each bears of its checks."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

GROWN = sa.text("kind = 'chat' AND days >= 3 AND days <= 4")

subscriptions = sa.table(
    "subscriptions",
    sa.column("chat_id", sa.BigInteger),
    sa.column("profile_id", sa.String),
    sa.column("options", sa.JSON),
    sa.column("paused", sa.Boolean),
)
chats = sa.table("chats", sa.column("id", sa.BigInteger), sa.column("state", sa.String))
acquaintances = sa.table(
    "acquaintances",
    sa.column("kind", sa.String),
    sa.column("subject", sa.BigInteger),
    sa.column("days", sa.Integer),
)


def upgrade() -> None:
    waiting = op.create_table(
        "waiting_chats",
        sa.Column("profile_id", sa.String(length=32), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("share", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "chat_id", name=op.f("pk_waiting_chats")),
    )
    is_fast = subscriptions.c.options["fast"].as_boolean().is_(True)
    is_known = sa.exists().where(
        acquaintances.c.kind == "chat",
        acquaintances.c.subject == subscriptions.c.chat_id,
        acquaintances.c.days >= 3,
    )
    counted = (
        sa.select(
            subscriptions.c.profile_id,
            subscriptions.c.chat_id,
            sa.func.sum(sa.case((is_fast, 4.0), else_=1.0)),
            is_known,
            sa.literal(datetime.now(UTC).date(), sa.Date),
            sa.literal(0),
        )
        .join(chats, chats.c.id == subscriptions.c.chat_id)
        .where(subscriptions.c.paused.is_(False), chats.c.state == "active")
        .group_by(subscriptions.c.profile_id, subscriptions.c.chat_id)
    )
    names = ["profile_id", "chat_id", "weight", "known", "day", "share"]
    # Before anything refers to the profiles, which others could not change meanwhile.
    op.execute(sa.insert(waiting).from_select(names, counted))
    op.create_index("ix_waiting_chats_chat", "waiting_chats", ["chat_id"])
    audiences = op.create_table(
        "audiences",
        sa.Column("profile_id", sa.String(length=32), nullable=False),
        sa.Column("chats", sa.Integer(), server_default="0", nullable=False),
        sa.Column("weight", sa.Float(), server_default="0", nullable=False),
        sa.Column("known_weight", sa.Float(), server_default="0", nullable=False),
        sa.Column("rest", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["profiles.profile_id"],
            name=op.f("fk_audiences_profile_id_profiles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("profile_id", name=op.f("pk_audiences")),
    )
    known = sa.func.sum(sa.case((waiting.c.known, waiting.c.weight), else_=0.0))
    sums = sa.select(
        waiting.c.profile_id, sa.func.count(), sa.func.sum(waiting.c.weight), known
    ).group_by(waiting.c.profile_id)
    names = ["profile_id", "chats", "weight", "known_weight"]
    op.execute(sa.insert(audiences).from_select(names, sums))
    op.create_table(
        "check_shares",
        sa.Column("profile_id", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("millicredits", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["profile_id"],
            ["profiles.profile_id"],
            name=op.f("fk_check_shares_profile_id_profiles"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("profile_id", "day", name=op.f("pk_check_shares")),
    )
    op.create_index(op.f("ix_check_shares_day"), "check_shares", ["day"])
    op.create_index(
        "ix_acquaintances_grown",
        "acquaintances",
        ["last_day"],
        postgresql_where=GROWN,
        sqlite_where=GROWN,
    )


def downgrade() -> None:
    op.drop_index("ix_acquaintances_grown", "acquaintances")
    op.drop_table("check_shares")
    op.drop_table("audiences")
    op.drop_table("waiting_chats")
