"""Audit triggers in PostgreSQL that record claims, and writes by processes that lost a claim.

Each process has a unique ``application_name``. A process that claims a chat's queue or an update
owns the row until another process claims it. A write by a different process is stale.
The sender of a message may always record that the message was sent.
"""

from dataclasses import dataclass

import asyncpg

from tests.support.postgres import connected

WITNESSES = """
CREATE TABLE audit_owners (
    kind text, id bigint, owner text, PRIMARY KEY (kind, id)
);
CREATE TABLE audit_stale (
    at timestamptz DEFAULT clock_timestamp(), kind text, id bigint, by text, owner text, what text
);
CREATE TABLE audit_calls (id bigint PRIMARY KEY, by text, at timestamptz);

CREATE FUNCTION audit_me() RETURNS text LANGUAGE sql AS
    $$ SELECT current_setting('application_name') $$;

CREATE FUNCTION audit_claim(what text, row_id bigint) RETURNS void LANGUAGE sql AS $$
    INSERT INTO audit_owners VALUES (what, row_id, audit_me())
    ON CONFLICT (kind, id) DO UPDATE SET owner = excluded.owner
$$;

CREATE FUNCTION audit_write(what text, row_id bigint, details text)
RETURNS void LANGUAGE sql AS $$
    INSERT INTO audit_stale (kind, id, by, owner, what)
    SELECT what, row_id, audit_me(), owner, details FROM audit_owners
    WHERE kind = what AND id = row_id AND owner <> audit_me()
$$;

-- Any process may release the claims of a process that has died.
CREATE FUNCTION audit_is_release(owner text, leased_until bigint) RETURNS boolean LANGUAGE sql AS
    $$ SELECT owner IS NULL AND leased_until = 0 $$;

CREATE FUNCTION audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.token <> OLD.token THEN
        PERFORM audit_claim('queue', NEW.chat_id);
    ELSIF OLD.owner IS NOT NULL AND NOT audit_is_release(NEW.owner, NEW.leased_until)
        AND (NEW.owner, NEW.leased_until) IS DISTINCT FROM (OLD.owner, OLD.leased_until) THEN
        PERFORM audit_write('queue', NEW.chat_id, format('leased until %s', NEW.leased_until));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER UPDATE ON chat_queues FOR EACH ROW EXECUTE FUNCTION audit_queue();

CREATE FUNCTION audit_delivery() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- When it is due may be judged anew by a process that begins.
    IF NEW.story_pk IS NOT NULL AND NEW.state <> 'sent' AND NEW.copies >= OLD.copies
        AND (NEW.state, NEW.copies, NEW.attempts, NEW.sending)
            IS DISTINCT FROM (OLD.state, OLD.copies, OLD.attempts, OLD.sending) THEN
        PERFORM audit_write(
            'queue', NEW.chat_id, format('story %s: %s -> %s', NEW.story_pk, OLD, NEW)
        );
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER UPDATE ON deliveries FOR EACH ROW EXECUTE FUNCTION audit_delivery();

CREATE FUNCTION audit_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.token > OLD.token THEN
        PERFORM audit_claim('update', NEW.id);
    ELSIF NOT (audit_is_release(NEW.owner, NEW.leased_until)
        AND (NEW.done_at, NEW.due_at) IS NOT DISTINCT FROM (OLD.done_at, OLD.due_at)) THEN
        PERFORM audit_write('update', NEW.id, format('done at %s', NEW.done_at));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER UPDATE ON inbox FOR EACH ROW EXECUTE FUNCTION audit_update();

CREATE FUNCTION audit_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO audit_calls VALUES (NEW.id, audit_me(), clock_timestamp());
    RETURN NULL;
END $$;
CREATE TRIGGER audit AFTER INSERT ON ledger_entries FOR EACH ROW EXECUTE FUNCTION audit_call();
"""


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A ledger entry that was never closed: the process, the time, and the nominal credits."""

    by: str
    at: float
    nominal: int


async def begin(url: str) -> None:
    """Install the triggers in a migrated database."""
    async with connected(url) as connection:
        await connection.execute(WITNESSES)


async def stale_marks(connection: asyncpg.Connection) -> list[str]:
    """Return the writes of stale owners as lines of text."""
    rows = await connection.fetch("SELECT * FROM audit_stale ORDER BY at")
    return [
        f"{row['at']:%H:%M:%S.%f} {row['by']} on {row['kind']} {row['id']} of {row['owner']}:"
        f" {row['what']}"
        for row in rows
    ]


async def open_calls(connection: asyncpg.Connection) -> list[OpenCall]:
    """Return the API calls without a recorded charge."""
    rows = await connection.fetch(
        "SELECT by, extract(epoch FROM c.at)::float8 AS at, nominal"
        " FROM ledger_entries e JOIN audit_calls c ON c.id = e.id"
        " WHERE state IN ('reserved', 'presumed')"
    )
    return [OpenCall(*row) for row in rows]
