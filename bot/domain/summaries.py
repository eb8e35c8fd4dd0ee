"""The daily summary, which is a notice with the number of new stories of each profile.

The stories are sent after the notice. A single album is sent without a notice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain import selection
from bot.domain.albums import plan_albums
from bot.domain.records import SUMMARY, Chat, ChatQueue, Delivery
from bot.domain.selection import Batch

LINES = 20  # the maximum number of profiles in the list


@dataclass(frozen=True, slots=True)
class Summary:
    """The deliveries of a daily summary.

    ``by_profile`` has the stories of each profile, in the order of sending. ``ended`` has the
    stories that expired before the summary, and is empty for a channel. The summary shows only the
    number of these expired stories.
    """

    by_profile: tuple[tuple[Delivery, ...], ...]
    ended: tuple[Delivery, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the notice that lists the stories.

        - ``posted``: the username, number of stories and subscription id of each listed profile.
        - ``more``: the number of profiles that are not listed.
        - ``n``: the number of all stories in ``by_profile``.
        - ``ended``: the number of expired stories for each username.
        - ``silent``: whether all subscriptions in ``by_profile`` are silent.
        """
        shown = self.by_profile[:LINES]
        ended: dict[str, int] = {}
        for row in self.ended:
            ended[row.username] = ended.get(row.username, 0) + 1
        return {
            "posted": [[rows[0].username, len(rows), rows[0].subscription_id] for rows in shown],
            "more": len(self.by_profile) - len(shown),
            "n": sum(map(len, self.by_profile)),
            "ended": ended,
            "silent": all(rows[0].options.silent for rows in self.by_profile),
        }


def must_count_summary_stories(batch: Batch, chat: Chat) -> bool:
    """Return whether the stories of a daily summary must be counted before ``batch`` is sent.

    The notice of a summary that may already be in the chat is not counted again.
    """
    if batch.rows[0].notice == SUMMARY:
        return not batch.is_repeat
    return any(selection.waits_for_summary(row, chat) for row in batch.rows)


def summary_of_due_stories(
    rows: Sequence[Delivery], queue: ChatQueue, *, now: datetime
) -> Summary | None:
    """Return the summary of the due stories of a chat or topic.

    ``rows`` are the due deliveries of the chat or topic. Return None unless more than one album
    can be sent now.
    """
    willing, others = selection.select_sendable(
        [row for row in rows if selection.can_join_summary(row)], queue, now=now
    )
    by_profile: dict[int | None, list[Delivery]] = {}
    for row in willing:
        by_profile.setdefault(row.subscription_id, []).append(row)
    if sum(_count_albums(found) for found in by_profile.values()) < 2:  # noqa: PLR2004 - one album has no list
        return None
    ended = tuple(row for row, reason in others.dropped if reason == selection.TOO_OLD)
    return Summary(
        tuple(tuple(found) for found in by_profile.values()),
        ended if queue.chat.kind != "channel" else (),
    )


def _count_albums(rows: Sequence[Delivery]) -> int:
    return len(plan_albums(row.story for row in rows if row.story))
