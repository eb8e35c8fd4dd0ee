"""Originals: a story, or all of a profile's, as uncompressed files while they live."""

from telegram import Update

from bot.context import Context, asker_of
from bot.domain import links
from bot.domain.albums import plan
from bot.domain.errors import N_, NoStoriesError, StoryGoneError
from bot.domain.links import Link
from bot.presentation.actions import FILES
from handlers.guard import Handler, pressed
from handlers.replies import working
from handlers.show import latest, show


@pressed(FILES)
async def as_files(update: Update, context: Context, what: str) -> None:
    """Send a story, by its id, or a profile's, by its ``@name``, as files.

    What is known of them by now is not paid for again.

    Raises:
        StoryGoneError: It is over.
        NoStoriesError: The profile has none now.
        BotError: All that ``Viewer`` raises.
    """
    viewer, asker = context.services.viewer, asker_of(update, context)
    async with working(update, context, context.t(N_("Getting the files…"))):
        if what.startswith("@"):
            link = links.parse_argument(what)
            if link is None or link.username is None:
                raise NoStoriesError(username=what.removeprefix("@"))
            result = await viewer.stories(link.username, asker)
            if not result:
                raise NoStoriesError(username=link.username)
        elif links.story_taken_at(what) is None:
            raise StoryGoneError
        else:
            result = [await viewer.story(Link("story", story_id=what), asker)]
        albums = plan(latest(result, None))
        await show(
            update, context, albums, kind="stories", originals={story.pk for story in result}
        )


def handlers() -> list[Handler]:
    """Return this module's handlers, in order."""
    return [as_files.handler]
