"""Audiences: who waits for a profile, counted by one more and one less, never anew.

Each chat that waits for a profile has one row, with what it counts; the profile's audience has the
sums. So neither a check nor a press reads all who wait. ``subscriptions.reweigh`` keeps both.
"""

import sqlalchemy as sa

from bot.store.schema import metadata

audiences = sa.Table(
    "audiences",
    metadata,
    sa.Column(
        "profile_id",
        sa.String(32),
        sa.ForeignKey("profiles.profile_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("chats", sa.Integer, nullable=False, server_default="0"),
    sa.Column("weight", sa.Float, nullable=False, server_default="0"),  # of all
    sa.Column("known_weight", sa.Float, nullable=False, server_default="0"),  # of known chats
    # Thousandths of a credit that are spent, and less than one for each chat.
    sa.Column("rest", sa.BigInteger, nullable=False, server_default="0"),
)

waiting_chats = sa.Table(
    "waiting_chats",
    metadata,
    # Refers to nothing: who is counted is followed, so the profile stays; and one that is not
    # counted any more is found by ``subscriptions.miscounted``, whatever has gone.
    sa.Column("profile_id", sa.String(32), primary_key=True),
    sa.Column("chat_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("weight", sa.Float, nullable=False),  # of all its subscriptions to the profile
    sa.Column("known", sa.Boolean, nullable=False),
    # Since when it bears a share of the checks: the day, and that day's share before.
    sa.Column("day", sa.Date, nullable=False),
    sa.Column("share", sa.BigInteger, nullable=False),
    sa.Index("ix_waiting_chats_chat", "chat_id"),
)

check_shares = sa.Table(
    "check_shares",
    metadata,
    sa.Column(
        "profile_id",
        sa.String(32),
        sa.ForeignKey("profiles.profile_id", ondelete="CASCADE"),
        primary_key=True,
    ),
    sa.Column("day", sa.Date, primary_key=True, index=True),
    # What the checks of that day cost each chat that waited all day, in thousandths of a credit.
    sa.Column("millicredits", sa.BigInteger, nullable=False),
)
