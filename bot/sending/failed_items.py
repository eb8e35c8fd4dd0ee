"""Messages about stories that could not be sent. Each message is about a single cause.

Stories of another album that fail for the same cause may be added to an unsent message.
"""

from collections.abc import Mapping
from typing import Any

from bot.domain.links import PAGE
from bot.domain.serialization import load_stories
from bot.presentation.actions import Buttons, link_button
from bot.presentation.notices import COUNTED
from bot.presentation.translation import Translator, translator_for

Payload = dict[str, Any]

_MOST_LINES = 25  # maximum number of lines about stories in a message; a line may contain a URL


def failure_notices_by_cause(
    album: Payload, error_by_story: Mapping[str, str], *, reply_to: int | None = None
) -> list[Payload]:
    """Return the messages about the failed stories of an album: one payload for each cause.

    ``error_by_story`` maps story ids to error messages, which are the causes.
    """
    by_pk = {story.pk: story for story in load_stories(album["stories"])}
    by_cause: dict[str, list[list[str]]] = {}
    for pk, error in error_by_story.items():
        if story := by_pk.get(pk):
            name = story.profile.username
            page = story.page_url if name else ""
            about = [name, story.media_url or story.page_url, page]
            by_cause.setdefault(error, []).append(about)
    return [
        _failure_notice(error, stories, album.get("language"), reply_to)
        for error, stories in by_cause.items()
    ]


def merge_failure_notices(waiting: Payload, new: Payload) -> Payload | None:
    """Merge two messages about failed stories. Return the payload of the merged message.

    Return None if the messages have different causes, answer different messages, or are not about
    failed stories.
    """
    cause = waiting.get("cause")
    is_same = cause == new.get("cause") and waiting.get("reply_to") == new.get("reply_to")
    if not cause or not is_same:
        return None
    stories = [*waiting["failed"], *new["failed"]]
    return _failure_notice(cause, stories, waiting.get("language"), waiting.get("reply_to"))


def _failure_notice(
    cause: str, stories: list[list[str]], language: str | None, reply_to: int | None
) -> Payload:
    t = translator_for(language)
    lines = list(dict.fromkeys(t(cause, url=url) for _, url, _ in stories))[:_MOST_LINES]
    names = list(dict.fromkeys(name for name, _, _ in stories if name))
    if len(stories) > 1 and names:
        lines.insert(0, t(COUNTED, n=len(stories), username=t.names_inside_bold(names)))
    return {
        "kind": "text",
        "text": "\n".join(lines),
        "buttons": _buttons(stories, names, t),
        "reply_to": reply_to,
        "markup": None,
        "cause": cause,
        "failed": stories,
        **({"language": language} if language else {}),
    }


def _buttons(stories: list[list[str]], names: list[str], t: Translator) -> Buttons:
    """Return the button that opens the failed story, its highlight, or all stories of the profile.

    Return no button if the stories are of several profiles, or if no profile's name is known.
    """
    if len(names) != 1:
        return []
    pages = {page for _, _, page in stories}
    url = pages.pop() if len(pages) == 1 else f"{PAGE}/stories/{names[0]}/"
    return [[link_button(t.plain("Open on Instagram"), url=url)]]
