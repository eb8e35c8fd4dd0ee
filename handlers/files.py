"""Stories as uncompressed files: a single story, or all current stories of a profile."""

from bot.context import Context
from bot.domain import links
from bot.domain.albums import plan_albums
from bot.domain.errors import NoStoriesError, StoryGoneError
from bot.domain.links import Link
from bot.presentation.actions import FILES
from handlers.guard import on_press
from handlers.replies import show_working
from handlers.show import enqueue_story_albums, latest_stories


@on_press(FILES)
async def fetch_and_send_as_files(context: Context, pk_or_name: str) -> None:
    """Send a story (by ID) or the stories of a profile (by ``@name``) as files.

    A story usually costs 1 credit, and the stories of a profile 2 or 3 credits. Cached stories
    cost 0 credits. Each file that must be bought costs 1 more credit.

    Raises:
        StoryGoneError: The story has expired or was deleted, or the ID contains no valid time.
        NoStoriesError: The profile has no stories now, or the name is not a valid username.
        BotError: The errors of ``Viewer`` and ``enqueue_story_albums``.
    """
    viewer = context.services.viewer
    asker = context.asker
    async with show_working(context):
        if pk_or_name.startswith("@"):
            link = links.parse_username_or_link(pk_or_name)
            if link is None or link.username is None:
                raise NoStoriesError(username=pk_or_name.removeprefix("@"))
            result = await viewer.get_or_fetch_stories(link.username, asker)
            if not result:
                raise NoStoriesError(username=link.username)
        elif links.story_taken_at(pk_or_name) is None:
            raise StoryGoneError
        else:
            result = [await viewer.get_or_fetch_story(Link("story", story_id=pk_or_name), asker)]
        albums = plan_albums(latest_stories(result, None))
        await enqueue_story_albums(context, albums, originals={story.pk for story in result})
