"""Access to the bot: the use cases for the access list. All use cases cost 0 credits.

In the mode ``invited``, strangers are refused. Without ``ADMIN_IDS``, the bot prints the owner
link at each start until the link is used.
"""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import structlog
from pydantic import SecretStr

from bot.billing.people import Guest, list_guests_by_cost, read_monthly_costs_of
from bot.domain.access import Entry, Judged, Mode, Subject, find_entry, judge_access
from bot.domain.budget import NoOwnLimit
from bot.domain.errors import (
    NOT_AN_OWNER,
    OWNER_IN_SETTINGS,
    OWNER_NOT_BLOCKABLE,
    PROFILE_IN_SETTINGS,
    RightsError,
)
from bot.domain.model import Anonymous, Endless
from bot.domain.records import Chat, Question
from bot.fetching import snapshots
from bot.runtime.timed_cache import TimedCache
from bot.store import access as store
from bot.store import acquaintances, chats, key_values, moves, profiles, subscriptions
from bot.store.engine.database import Database, Tx
from bot.updates.unit_of_work import (
    join_or_begin_read,
    join_or_begin_transaction,
    run_before_commit,
)

WasBlocked = bool
"""True if the subject was blocked."""

log = structlog.get_logger()

INVITATION_VALID_FOR = timedelta(days=7)
# If a different process stores a block, this process applies the block after at most this time.
REFRESH = timedelta(minutes=1)
_SEED = "owner_link"
_MODE = "access_mode"
# The database key of the value of BLOCKED_PROFILES at the last start.
_BLOCKED_PROFILES = "blocked_profiles"
OWNER, INVITE = "owner_", "invite_"  # prefixes of ``start`` payloads: owner link, invitation
_TOKEN_BYTES = 16
_NAME_AGAIN = timedelta(days=1)  # the minimum interval between two writes of an unchanged name


@dataclass(frozen=True, slots=True)
class Judgement:
    """The access decision about a person in a chat, and the stored data of the chat.

    ``chat`` is None for an unknown chat. ``is_muted`` is True if the chat or a topic has a mute.
    """

    judged: Judged
    is_owner: bool
    chat: Chat | None
    is_muted: bool
    question: Question | None = None


class Access:
    """The use cases for the access list and for the owners."""

    def __init__(
        self,
        db: Database,
        *,
        mode: Mode,
        owner_ids: Collection[int] = (),
        blocked_profiles: Collection[str] = (),
        token: SecretStr | None = None,
        wake: Callable[[], None] = lambda: None,
        now: Callable[[], datetime],
    ) -> None:
        """Create the use cases. The owner link is derived from ``token``, the bot's token.

        ``wake`` is called when alerts or checks may be due.
        """
        self._db = db
        self.mode = mode
        self._always_owners = frozenset(owner_ids)
        self.owner_ids = self._always_owners
        """The ids of the owners. A change by a different process is loaded within a minute."""
        self._always_blocked = frozenset(blocked_profiles)
        self._token = token or SecretStr(secrets.token_hex())
        self._names = TimedCache[int, str]()
        self._wake = wake
        self._now = now
        self.blocked = set(blocked_profiles)
        """The ids and names of blocked profiles.

        Changes modify this set object, because other objects share the set.
        """

    async def apply_access_settings(self) -> None:
        """Apply the access settings when the bot starts.

        After a change of the mode to ``invited``, the users of the bot keep their access. With
        ``ADMIN_IDS``, the owner link becomes invalid. ``BLOCKED_PROFILES`` is stored for all
        processes.
        """
        async with self._db.begin() as tx:
            before = await key_values.get(tx, _MODE)
            if self.mode == "invited" and before != "invited":
                await self._allow_current_users(tx)
            if before != self.mode:
                await key_values.put(tx, _MODE, self.mode)
            await key_values.put(tx, _BLOCKED_PROFILES, sorted(self._always_blocked))
            if self._always_owners:
                await key_values.remove(tx, _SEED)
                await acquaintances.make_known(tx, self._always_owners, self._now().date())
        await self.load_blocked_and_owners()

    async def _allow_current_users(self, tx: Tx) -> None:
        """Allow all chats that use the bot. A blocked chat gets access at the end of the block."""
        now = self._now()
        blocked = await chats.ids_blocked_by_access_list(tx, now=now)
        users = {*await chats.active_ids(tx), *blocked}
        kept = await store.allow_all_and_count_new(tx, users, via="before", now=now)
        if kept:
            log.info("chats that were there before stay allowed", chats=kept)

    async def read_and_judge_access(
        self, person: int | Anonymous, chat_id: int | None, *, as_chat: int | None = None
    ) -> Judgement:
        """Return the access decision, whether the person is an owner, and the stored chat.

        ``as_chat`` is the chat in whose name the person writes. If ``as_chat`` is not ``chat_id``,
        a block of ``as_chat`` applies even to an owner. ``chat_id`` may be the old id of a group
        that became a supergroup.
        """
        now = self._now()
        async with join_or_begin_read(self._db) as tx:
            found = await chats.get_with_access(tx, person, chat_id, now=now)
            # A late update can still have the old id of a group that became a supergroup.
            moved = None
            if found.chat is None and chat_id:
                moved = await chats.new_id_if_moved(tx, chat_id)
            if moved:
                chat_id = moved
                found = await chats.get_with_access(tx, person, moved, now=now)
            # An anonymous admin writes in the name of the chat itself, so ``as_chat`` needs no
            # access decision of its own.
            other = None if as_chat == chat_id else as_chat
            writer = await chats.judge_chat(tx, other, now=now) if other is not None else None
        judged = judge_access(
            self.mode,
            chat_id,
            rows=found.entries,
            person_id=person,
            responsible=found.responsible,
            now=now,
        )
        if writer and writer.verdict == "blocked":
            judged = replace(writer, is_silent=writer.is_silent or judged.is_silent)
            return Judgement(judged, is_owner=False, chat=found.chat, is_muted=found.is_muted)
        own = find_entry(found.entries, Subject("person", str(person)))
        is_owner = person in self._always_owners or bool(own and own.is_owner)
        if is_owner:
            judged = replace(judged, verdict="let")
        return Judgement(
            judged, is_owner, chat=found.chat, is_muted=found.is_muted, question=found.question
        )

    async def list_guests_by_cost(self, *, offset: int, limit: int) -> list[Guest]:
        """Return a page of persons and chats, sorted by the cost of this month, highest first.

        The list contains the persons and chats with costs this month or with an entry in the
        access list.
        """
        async with join_or_begin_read(self._db) as tx:
            return await list_guests_by_cost(tx, offset=offset, limit=limit, now=self._now())

    async def read_guest(self, telegram_id: int) -> Guest:
        """Return the costs of this month and the access entry of a person or chat.

        If ``telegram_id`` is the old id of a group that became a supergroup, return the
        supergroup.
        """
        async with join_or_begin_read(self._db) as tx:
            telegram_id = await chats.new_id_if_moved(tx, telegram_id) or telegram_id
            return await read_monthly_costs_of(tx, telegram_id, now=self._now())

    async def store_person_name(self, person: int, name: str) -> None:
        """Store the name of a person whom the bot has seen.

        Each process usually writes an unchanged name only once a day.
        """
        now = self._now()
        if self._names.get(person, now=now) == name:
            return
        self._names.put(person, name, until=now + _NAME_AGAIN)
        await run_before_commit(self._db, lambda tx: acquaintances.update_name(tx, person, name))

    async def record_first_refusal(self, about: Subject, *, name: str, language_code: str) -> bool:
        """Record that a person or chat is refused.

        Return False, and change nothing, if the access list already has a refusal.
        """
        async with join_or_begin_transaction(self._db) as tx:
            return await store.record_first_refusal(
                tx, about, name=name, language_code=language_code, now=self._now()
            )

    # Invitations.

    async def ensure_owner_link_payload(self) -> str | None:
        """Return the ``start`` payload of the owner link, or None if the bot has an owner.

        All processes return the same payload until the link is used, or until a start with
        ``ADMIN_IDS``.
        """
        if self._always_owners:
            return None
        async with self._db.begin() as tx:
            if await store.ids_of_owners_by_link(tx):
                return None
            await key_values.add(tx, _SEED, secrets.token_hex(_TOKEN_BYTES))
            seed = await key_values.get(tx, _SEED)
        return self._derive_owner_link_payload(str(seed))

    def _derive_owner_link_payload(self, seed: str) -> str:
        key = self._token.get_secret_value().encode()
        code = hmac.new(key, f"storybell owner {seed}".encode(), "sha256").hexdigest()
        return OWNER + code[:32]

    async def store_invitation(self, by: int | None, uses: int) -> tuple[str, datetime]:
        """Store an invitation for ``uses`` persons. Return the ``start`` payload and the expiry.

        The invitation is valid for 7 days. Expired invitations are deleted.
        """
        word = secrets.token_urlsafe(_TOKEN_BYTES)
        now = self._now()
        until = now + INVITATION_VALID_FOR
        async with join_or_begin_transaction(self._db) as tx:
            await store.add_invitation(
                tx, _sha256_hex(word), by=str(by or ""), uses=uses, until=until, now=now
            )
        return INVITE + word, until

    async def is_entry_link_valid(self, payload: str) -> bool:
        """Return whether an owner link or an invitation is valid. The link is not used up."""
        async with join_or_begin_read(self._db) as tx:
            if payload.startswith(OWNER):
                return await self._is_owner_link(tx, payload)
            word = payload.removeprefix(INVITE)
            is_invitation = payload.startswith(INVITE)
            return is_invitation and await store.is_invitation_open(
                tx, _sha256_hex(word), now=self._now()
            )

    async def _is_owner_link(self, tx: Tx, payload: str) -> bool:
        if self._always_owners:
            # While ADMIN_IDS is set, the owner link is invalid. A different process without
            # ADMIN_IDS may have made the link.
            return False
        seed = await key_values.get(tx, _SEED)
        if seed is None or not payload.isascii():
            return False
        return hmac.compare_digest(payload, self._derive_owner_link_payload(str(seed)))

    async def use_link_and_return_role(
        self, payload: str, person: int, *, name: str
    ) -> Literal["owner", "guest"] | None:
        """Use an owner link or an invitation. Return the role, or None if the link is invalid.

        A person with access uses up no invitation, and gets "guest" for any link but the owner
        link. In the mode ``open``, an invalid link also results in "guest".
        """
        now = self._now()
        subject = Subject("person", str(person))
        async with join_or_begin_transaction(self._db) as tx:
            if await self._is_owner_link(tx, payload) and await key_values.remove(tx, _SEED):
                await store.put(
                    tx, subject, now=now, name=name, is_allowed=True, is_owner=True, via="link"
                )
                self.owner_ids |= {person}
                log.info("the bot has an owner")
                return "owner"
            entry = await store.get(tx, subject)
            if person in self._always_owners or (entry and entry.is_allowed):
                return "guest"
            by = await store.use_invitation_and_return_creator(
                tx, _sha256_hex(payload.removeprefix(INVITE)), now=now
            )
            if by is None:
                return "guest" if self.mode == "open" else None
            values = {"name": name, "is_allowed": True, "via": "invitation", "added_by": by}
            await store.put(tx, subject, now=now, **values, since=now)
            return "guest"

    async def remove_owner(self, person: int) -> Entry:
        """Remove an owner who used the owner link. The person keeps access as a guest.

        Raises:
            RightsError: ``ADMIN_IDS`` has the person, or the person is not an owner.
        """
        if person in self._always_owners:
            raise RightsError(text=OWNER_IN_SETTINGS, who=person)
        subject = Subject("person", str(person))
        async with join_or_begin_transaction(self._db) as tx:
            entry = await store.get(tx, subject)
            if entry is None or not entry.is_owner:
                raise RightsError(text=NOT_AN_OWNER, who=person)
            entry = await store.put(tx, subject, now=self._now(), is_owner=False)
        self.owner_ids -= {person}
        log.info("an owner was removed")
        return entry

    # Entries of the access list.

    async def allow_and_end_block(
        self, subject: Subject, *, by: int | None, name: str = ""
    ) -> Entry:
        """Give a person or chat access to the bot, and end a block. Return the changed entry."""
        async with join_or_begin_transaction(self._db) as tx:
            values = {"is_allowed": True, "via": "owner", "added_by": str(by or "")}
            subject = await self._lock_current_subject(tx, subject)
            names = await self._name_column_with_stored_default(tx, subject, name)
            entry = await self._unblock_and_open_chats(tx, subject, **values, **names)
        self._wake()
        return entry

    async def store_channel_and_allow_if_admin_may(
        self, chat_id: int, by: int, *, kind: str, title: str, language_code: str
    ) -> None:
        """Store a channel that an administrator of the channel has named, and allow the channel.

        The administrator must have personal access to allow the channel. The changes are
        committed in a separate transaction.

        Raises:
            BlockedError: The access list blocks the channel or the responsible person.
        """
        now = self._now()
        async with self._db.begin() as tx:
            await chats.lock(tx, [chat_id])
            await chats.raise_if_blocked(tx, chat_id, now=now)
            known = await store.get(tx, Subject.of_chat(chat_id))
            if known is None or not known.is_allowed:
                await self._allow_if_adder_has_access(tx, chat_id, by, chat_title=title)
            await chats.add_or_update(
                tx, chat_id, kind=kind, title=title, now=now, language_code=language_code
            )

    async def allow_if_adder_has_access(self, chat_id: int, by: int, *, chat_title: str) -> None:
        """Allow a group or channel to which a person with personal access has added the bot.

        A permission that does not depend on the person who added the bot is not changed.
        """
        async with join_or_begin_transaction(self._db) as tx:
            await chats.lock(tx, [chat_id])
            await self._allow_if_adder_has_access(tx, chat_id, by, chat_title=chat_title)

    async def _allow_if_adder_has_access(
        self, tx: Tx, chat_id: int, by: int, *, chat_title: str
    ) -> None:
        subject = Subject.of_chat(chat_id)
        known = await store.get(tx, subject)
        if known and known.is_allowed_without_adder:
            return
        if not await store.has_own_access(tx, by, mode=self.mode, owner_ids=self._always_owners):
            # The recorded person who added the bot stays, because the access of the group depends
            # on the access of this person.
            return
        values = {"is_allowed": True, "via": "added", "added_by": str(by), "name": chat_title}
        await store.put(tx, subject, now=self._now(), refused_at=None, **values)

    async def block(
        self, subject: Subject, *, until: datetime | Endless, reason: str, name: str = ""
    ) -> Entry:
        """Block a person, a chat or a profile. Return the changed entry of the access list.

        If ``until`` is None, the block has no end. The block of a person closes the chats for
        which the person is responsible. The alerts of a blocked profile stop.

        Raises:
            RightsError: The person is an owner.
        """
        now = self._now()
        async with join_or_begin_transaction(self._db) as tx:
            if subject.kind == "person" and await self._is_owner(tx, int(subject.id)):
                raise RightsError(text=OWNER_NOT_BLOCKABLE)
            values = {"blocked_since": now, "blocked_until": until, "reason": reason}
            subject = await self._lock_current_subject(tx, subject)
            names = await self._name_column_with_stored_default(tx, subject, name)
            served = await self._lock_chats_that_block_would_close(tx, subject)
            entry = await store.put(tx, subject, now=now, refused_at=None, **values, **names)
            await moves.close_chats(tx, served, now=now)
        if subject.kind == "profile":
            self.blocked |= {subject.id, entry.name} - {""}
        self._wake()
        return entry

    async def unblock(self, subject: Subject) -> WasBlocked:
        """End a block. Return False if the subject was not blocked.

        The block of a profile ends for its id and all its names. Alerts restart with stories
        posted from now on.

        Raises:
            RightsError: ``BLOCKED_PROFILES`` has the profile.
        """
        if subject.kind == "profile":
            return await self._unblock_profile(subject)
        async with join_or_begin_transaction(self._db) as tx:
            subject = await self._lock_current_subject(tx, subject)
            entry = await store.get(tx, subject)
            if entry is None or entry.blocked_since is None:
                return False
            await self._unblock_and_open_chats(tx, subject)
        self._wake()
        return True

    async def _unblock_profile(self, subject: Subject) -> WasBlocked:
        was_blocked = False
        async with join_or_begin_transaction(self._db) as tx:
            words = await self._ids_and_names_of_profile(tx, subject.id)
            if words & self._always_blocked:
                raise RightsError(text=PROFILE_IN_SETTINGS, who=subject.id)
            for word in sorted(words):
                entry = await store.get(tx, Subject("profile", word))
                if entry is not None and entry.blocked_since is not None:
                    await self._unblock_and_open_chats(tx, Subject("profile", word))
                    was_blocked = True
        if not was_blocked:
            return False
        self.blocked -= words
        self._wake()
        return True

    async def _ids_and_names_of_profile(self, tx: Tx, word: str) -> set[str]:
        """Return all words that may stand for the profile ``word`` in the access list.

        The words are ``word``, the ids of the profile, and the names of the profile in the access
        list.
        """
        since = self._now() - profiles.NAME_IS_SURE
        current = await profiles.ids_by_username(tx, [word], named_since=since)
        blocked = await store.listed_profile_ids_by_username(tx, [word])
        words = {word, *current.values(), *blocked.values()}
        return words | await store.listed_usernames_of_profiles(tx, words)

    async def set_daily_allowance(
        self, subject: Subject, daily_credits: int | NoOwnLimit
    ) -> Entry:
        """Set the daily allowance of a person or chat in credits. Return the changed entry.

        If ``daily_credits`` is None, the allowance in the settings applies again.
        """
        async with join_or_begin_transaction(self._db) as tx:
            subject = await self._lock_current_subject(tx, subject)
            return await store.put(tx, subject, now=self._now(), allowance=daily_credits)

    async def _unblock_and_open_chats(self, tx: Tx, subject: Subject, **values: object) -> Entry:
        """End a block, and set the columns ``values`` of the entry. Return the changed entry.

        Chats that only this block closed are opened, and their checks are rescheduled.
        """
        now = self._now()
        served = await self._lock_chats_that_block_would_close(tx, subject)
        before = await store.get(tx, subject)
        ended = {"blocked_since": None, "blocked_until": None, "reason": "", "refused_at": None}
        if subject.kind == "profile" and subject.id not in self._always_blocked:
            # Delete the stored id of the profile, because a different profile may have the
            # username at a later block.
            ended["name"] = ""
        entry = await store.put(tx, subject, now=now, **ended, **values)
        if before and before.blocked_since:
            # A chat that is still blocked for another reason, or that the bot has left, stays
            # closed.
            opened = await moves.open_unblocked_chats(tx, served, now=now)
            followed = await subscriptions.followed_profile_ids(tx, opened)
            await snapshots.reschedule_checks(tx, followed, now=now, is_by_owner=True)
        return entry

    async def _end_expired_block(self, tx: Tx, subject: Subject) -> bool:
        """End an expired block. If the block was extended or has ended before, return False."""
        await self._lock_chats_that_block_would_close(tx, subject)
        entry = await store.lock(tx, subject)
        is_expired = entry is not None and entry.blocked_until is not None
        if entry is None or not is_expired or entry.is_blocked(self._now()):
            return False
        await self._unblock_and_open_chats(tx, subject)
        return True

    @staticmethod
    async def _lock_chats_that_block_would_close(tx: Tx, subject: Subject) -> list[int]:
        """Lock the chats that a block of ``subject`` closes.

        Return the ids of the chats. The chats are locked before the entry of the access list is
        changed.
        """
        served = await chats.chat_ids_that_block_would_close(tx, subject)
        await chats.lock(tx, served)
        return served

    async def _lock_current_subject(self, tx: Tx, subject: Subject) -> Subject:
        """Return ``subject`` with the current id of the chat, and lock the chat.

        The lock prevents a migration of the chat until the transaction ends. Any other subject is
        returned unchanged.
        """
        if subject.kind != "chat":
            return subject
        return Subject("chat", str(await chats.lock_and_return_current_id(tx, int(subject.id))))

    async def _is_owner(self, tx: Tx, person: int) -> bool:
        return person in self._always_owners or person in await store.ids_of_owners_by_link(tx)

    async def _name_column_with_stored_default(
        self, tx: Tx, subject: Subject, name: str
    ) -> dict[str, str]:
        """Return a dict with a value for the column ``name`` of the access list, or an empty dict.

        Without ``name``, the value is the stored title of the chat or the stored id of the
        profile.
        """
        if not name and subject.kind == "profile":
            known = await profiles.find_by_username(
                tx, subject.id, named_since=self._now() - profiles.NAME_IS_SURE
            )
            name = known.profile_id if known else ""
        elif not name:
            chat = await chats.get(tx, int(subject.id))
            name = chat.title if chat else ""
        return {"name": name} if name else {}

    async def end_expired_and_apply_blocks(self) -> None:
        """End expired blocks, close blocked chats, and load blocked profiles and owners."""
        expired = await self._db.fetch(
            lambda tx: store.entries_with_ended_block(tx, now=self._now())
        )
        has_ended = False
        for entry in expired:
            subject = Subject(entry.kind, entry.subject)
            if await self._db.run(partial(self._end_expired_block, subject=subject)):
                has_ended = True
                log.info("a block is over", kind=entry.kind)
        if has_ended:
            self._wake()
        await self._close_blocked_chats()
        await self.load_blocked_and_owners()

    async def _close_blocked_chats(self) -> None:
        """Close the open chats that the access list blocks or silences.

        Such a chat exists, for example, if a chat was first stored after the beginning of its
        block.
        """
        now = self._now()
        async with self._db.read() as tx:
            blocked = await chats.ids_blocked_by_access_list(tx, now=now)
            active = await chats.active_among(tx, blocked)
        for chat_id in active:
            async with self._db.begin() as tx:
                await chats.lock(tx, [chat_id])
                if await chats.is_blocked(tx, chat_id, now=now):
                    await moves.close_chats(tx, [chat_id], now=now)

    async def record_id_of_blocked_profile(self, username: str, profile_id: str) -> None:
        """Store the id of a blocked profile, so that the block outlives a change of the name.

        The caller has checked that the name is blocked.
        """
        subject = Subject("profile", username)
        async with join_or_begin_transaction(self._db) as tx:
            await store.put(tx, subject, now=self._now(), name=profile_id)
        self.blocked |= {profile_id}

    async def load_blocked_and_owners(self) -> None:
        """Load the blocked profiles and the owners, which other processes may have changed.

        Missing ids of blocked profiles are stored if the API returned the name in the last 30
        days. The process that started last determines ``BLOCKED_PROFILES``.
        """
        async with self._db.read() as tx:
            in_settings = await key_values.get(tx, _BLOCKED_PROFILES)
            if in_settings is not None:
                self._always_blocked = frozenset(in_settings)
            listed = await store.blocked_usernames_and_ids(tx, now=self._now())
            self.owner_ids = self._always_owners | await store.ids_of_owners_by_link(tx)
            words = {*self._always_blocked, *listed}
            known = await store.listed_profile_ids_by_username(tx, words)
            since = self._now() - profiles.NAME_IS_SURE
            found = await profiles.ids_by_username(tx, words - known.keys(), named_since=since)
        self.blocked.clear()
        self.blocked.update(words, known.values(), found.values())
        if found:  # the id is stored, because the profile may have a new name at the next start
            await self._db.run(lambda tx: self._store_profile_ids(tx, found))

    async def _store_profile_ids(self, tx: Tx, found: Mapping[str, str]) -> None:
        for username, profile_id in sorted(found.items()):
            await store.put(tx, Subject("profile", username), now=self._now(), name=profile_id)


def _sha256_hex(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogateescape")).hexdigest()
