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

    ``by_profile`` has the stories of each profile, and the profiles are in the order of sending.
    ``ended`` has the stories that expired before the summary. The notice shows only the number of
    these stories. In a channel, ``ended`` is empty.
    """

    by_profile: tuple[tuple[Delivery, ...], ...]
    ended: tuple[Delivery, ...] = ()

    @property
    def fields(self) -> dict[str, Any]:
        """Return the fields of the notice that lists the stories.

        - ``posted`` has the username, the number of stories and the id of the subscription of each
          listed profile.
        - ``more`` is the number of profiles that are not listed.
        - ``n`` is the number of all stories in ``by_profile``.
        - ``ended`` has the number of expired stories for each username.
        - ``silent`` is True if all subscriptions in ``by_profile`` are silent.
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

    - If the batch is the notice of a summary, the stories are counted again, unless the notice may
      already be in the chat.
    - Otherwise, the stories are counted if the batch has a story that waits for a summary
      (``selection.waits_for_summary``).
    """
    if batch.rows[0].notice == SUMMARY:
        return not batch.is_repeat
    return any(selection.waits_for_summary(row, chat) for row in batch.rows)


def summary_of_due_stories(
    rows: Sequence[Delivery], queue: ChatQueue, *, now: datetime
) -> Summary | None:
    """Return the summary of the due stories of a chat or topic.

    ``rows`` are the due deliveries of the chat or topic. The summary counts the stories that can
    join a summary (``selection.can_join_summary``) and that may be sent now
    (``selection.select_sendable``). Return None if no story is counted. Also return None if the
    counted stories are a single album of one profile, because this album needs no list.

    The summary of a channel does not count expired stories, because the channel gets no public
    post about these stories.
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
