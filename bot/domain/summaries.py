"""The daily summary: a notice that lists the new stories of a chat or topic, by profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.domain import selection
from bot.domain.albums import plan_albums
from bot.domain.records import Chat, ChatQueue, Delivery
from bot.domain.selection import Batch

LINES = 20  # the maximum number of profiles in the list


@dataclass(frozen=True, slots=True)
class Summary:
    """The deliveries of a daily summary.

    ``by_profile`` has the stories of each profile, in the order of sending. ``ended`` has the
    stories that expired before the summary. The notice shows their number.
    """

    by_profile: tuple[tuple[Delivery, ...], ...]
    ended: tuple[Delivery, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the notice.

        - ``posted``: the name, the number of stories and the subscription of each listed profile.
        - ``more``: the number of profiles that are not listed.
        - ``n``: the number of all stories.
        - ``ended``: the number of expired stories, by name.
        - ``silent``: whether all subscriptions are silent.
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


def is_due(batch: Batch, chat: Chat) -> bool:
    """Return whether a batch has stories that wait for a summary, so that the summary is due."""
    return any(selection.is_for_summary(row, chat) for row in batch.rows)


def plan(rows: Sequence[Delivery], queue: ChatQueue, *, now: datetime) -> Summary | None:
    """Return the summary of the due stories of a chat or topic.

    The rules of the subscriptions are applied before the stories are counted. Return None if no
    story remains, or if the stories fit into one album of one profile: the album needs no list.
    The summary of a channel does not count expired stories, because the people who made the
    subscriptions get a private notice of these stories.
    """
    willing, others = selection.judge(
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
