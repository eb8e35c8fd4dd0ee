"""On how many days somebody was seen; who was known before is known from the ledger."""

import time
from datetime import UTC, date, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

DAY_MS = 86_400_000
KNOWN_AFTER = 3


def upgrade() -> None:
    """Make the table, and fill it."""
    table = op.create_table(
        'acquaintances',
        sa.Column('kind', sa.String(length=8), nullable=False),
        sa.Column('subject', sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column('days', sa.Integer(), nullable=False),
        sa.Column('last_day', sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint('kind', 'subject', name=op.f('pk_acquaintances')),
    )
    seen = _seen(op.get_bind())
    rows = [
        {'kind': kind, 'subject': subject, 'days': len(days), 'last_day': max(days)}
        for (kind, subject), days in sorted(seen.items())
    ]
    if rows:
        op.bulk_insert(table, rows)


def _seen(connection: sa.Connection) -> dict[tuple[str, int], set[date]]:
    """Return the days of all who spent, and of chats that have followed somebody for a while."""
    seen: dict[tuple[str, int], set[date]] = {}

    def note(kind: str, subject: int, *days: date) -> None:
        seen.setdefault((kind, subject), set()).update(days)

    entries = sa.table('ledger_entries', *map(sa.column, ('chat_id', 'user_id', 'at')))
    day = (sa.type_coerce(entries.c.at, sa.BigInteger) / sa.literal_column(str(DAY_MS)))
    days = sa.select(
        entries.c.chat_id, entries.c.user_id, sa.cast(sa.func.floor(day), sa.Integer)
    ).distinct()
    for chat_id, user_id, number in connection.execute(days):
        at = date(1970, 1, 1) + timedelta(days=int(number))
        note('chat', chat_id, at)
        if user_id is not None:
            note('person', user_id, at)
    sums = sa.table('ledger_days', sa.column('chat_id'), sa.column('day', sa.Date()))
    for chat_id, at in connection.execute(sa.select(sums.c.chat_id, sums.c.day).distinct()):
        note('chat', chat_id, at)
        if chat_id > 0:  # a private chat has the id of its person
            note('person', chat_id, at)
    followers = sa.table('subscriptions', *map(sa.column, ('chat_id', 'created_at')))
    long_ago = int((time.time() - KNOWN_AFTER * 86_400) * 1000)
    old = sa.select(followers.c.chat_id).where(followers.c.created_at < long_ago).distinct()
    today = datetime.now(UTC).date()
    for (chat_id,) in connection.execute(old):
        note('chat', chat_id, *(today - timedelta(days=n) for n in range(KNOWN_AFTER)))
    seen.pop(('chat', 0), None)  # the schedule
    return seen


def downgrade() -> None:
    """Drop the table."""
    op.drop_table('acquaintances')
