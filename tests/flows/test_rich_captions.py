"""What a story holds is shown: links as buttons, people and places, posts, music."""

from datetime import UTC, datetime

import pytest

from tests.support.control import Control, Json, refused, stories_of, wait_for
from tests.support.storybell import Bell, buttons

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.jumps]

SHOP = "https://www.nike.com/shoes?utm=1"


def held(author: str = "787132") -> Json:
    """What a story holds besides its picture, as the API and Instagram's own answers name it."""
    return {
        "stickers": [
            {"type": "story_link", "story_link": {"url": SHOP, "link_title": "Shop the look"}}
        ],
        "medias": [
            {
                "media_pk": 77,
                "media_code": "DW38ZhqiKax",
                "product_type": "feed",
                "user_id": author,
            }
        ],
        "story_music_stickers": [
            {"music_asset_info": {"title": "Hello", "display_artist": "Adele & Co"}}
        ],
    }


def link(username: str, story: Json) -> str:
    return f"https://www.instagram.com/stories/{username}/{story['pk']}/"


def linked(message: Json) -> set[str]:
    return {one["url"] for one in message["caption_entities"] if one["type"] == "text_link"}


async def test_a_story_that_was_asked_for_tells_all(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("rich.one", posts_per_day=0)
    story = await control.publish(
        "rich.one", mentions=["natgeo"], locations=["Milan, Italy"], overrides=held()
    )
    (photo,) = await bell.ask(ann, link("rich.one", story))
    assert buttons(photo)["🔗 Shop the look"] == SHOP
    assert "🎵 Adele & Co \u2013 Hello" in photo["caption"]
    assert "🔁 Post (natgeo)" in photo["caption"]
    assert {
        "https://www.instagram.com/p/DW38ZhqiKax/",
        "https://www.instagram.com/natgeo/",
        SHOP,
    } <= linked(photo)


async def test_an_alert_is_short_until_the_option_says_full(bell: Bell, control: Control) -> None:
    ann = await control.person()
    await control.profile("rich.two", posts_per_day=0)
    await bell.ask(ann, "/subscribe rich.two")
    (menu,) = await bell.ask(ann, "/subscriptions")
    number = buttons(menu)["🔔 rich.two"].partition(":")[2]
    await control.publish("rich.two", hashtags=["dawn"], overrides=held())
    (alert,) = await bell.replies(ann, 1, after=menu["message_id"])
    assert "🔗 Shop the look" in buttons(alert)
    assert buttons(alert)["🔕 Mute"] == f"mute:{number}"
    assert "⏳" in alert["caption"]
    assert "#dawn" not in alert["caption"]
    assert "🎵" not in alert["caption"]
    await bell.press(ann, menu, f"sub:{number}")
    await bell.press(ann, menu, f"opt:{number}:caption:full")
    await control.publish("rich.two", hashtags=["dusk"], overrides=held())
    (alert,) = await bell.replies(ann, 1, after=alert["message_id"])
    assert "#dusk" in alert["caption"]
    assert "🎵" in alert["caption"]


async def test_a_mute_changes_only_the_button_under_the_alert(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rich.mute", posts_per_day=0)
    (reply,) = await bell.ask(ann, "/subscribe rich.mute")
    await control.publish("rich.mute", overrides=held())
    (alert,) = await bell.replies(ann, 1, after=reply["message_id"])
    for old, new, said in (
        ("🔕 Mute", "🔕 Muted · Undo", "until"),
        (None, "🔕 Mute", "rich.mute"),
    ):
        before = buttons(alert)
        toast = await bell.press(ann, alert, before[old or "🔕 Muted · Undo"])
        assert said in toast["text"]

        async def changed(new: str = new, number: int = alert["message_id"]) -> Json | None:
            shown = await bell.message(ann, number)
            return shown if new in buttons(shown) else None

        alert = await wait_for(changed, what="the other button")
        assert [one for one in buttons(alert) if one != new] == [
            one for one in before if not one.startswith("🔕")
        ]
    assert len(await control.replies(ann, after=reply["message_id"])) == 1


async def test_a_link_without_a_button_stands_in_a_short_alert(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rich.odd", posts_per_day=0)
    (reply,) = await bell.ask(ann, "/subscribe rich.odd")
    odd = "https://shop.example.com:8443/sale"
    plain = [f"https://{letter}.example.com/" for letter in "abcd"]
    await control.publish("rich.odd", links=[odd, *plain])
    (alert,) = await bell.replies(ann, 1, after=reply["message_id"])
    with_button = set(buttons(alert).values()) & set(plain)
    assert with_button == set(plain[:2])
    assert {odd, *plain[2:]} <= linked(alert)
    assert not with_button & linked(alert)


async def test_in_a_channel_a_link_is_the_only_button(bell: Bell, control: Control) -> None:
    ann = await control.person()
    channel = await control.chat(
        "channel",
        members={ann: "administrator"},
        bot_status="administrator",
    )
    await bell.answers_for(channel, ann)
    await control.profile("rich.three", posts_per_day=0)
    (reply,) = await bell.ask(channel, "/subscribe rich.three", user=ann)
    await control.publish("rich.three", overrides=held())
    (alert,) = await bell.replies(channel, 1, after=reply["message_id"])
    assert buttons(alert) == {"🔗 Shop the look": SHOP}
    (post,) = await bell.ask(channel, "/stories rich.three", user=ann)
    assert buttons(post) == {"🔗 Shop the look": SHOP}


@pytest.mark.parametrize(
    "url",
    [
        "https://user@nike.com/x",
        "https://nike/x",
        "http://127.0.0.1:8080/x",
        "https://ex ample.com/",
        "https://пример.рф/",
        "https://nike.com:8443/x",
        "https://nike.com/" + "x" * 3000,
    ],
)
async def test_an_odd_address_does_not_cost_the_story(
    bell: Bell, control: Control, url: str
) -> None:
    ann = await control.person()
    name = f"odd.{datetime.now(UTC).timestamp():.6f}".replace(".", "_")
    await control.profile(name, posts_per_day=0)
    story = await control.publish(name, links=[url])
    (photo,) = await bell.ask(ann, link(name, story))
    assert photo["_story_pk"] == story["pk"]
    assert url not in buttons(photo).values()


def shop(number: int) -> str:
    """Return a link of 1,000 characters, as shops make them for each story."""
    return f"https://shop.example.com/{number}?".ljust(1000, "x")


async def test_ten_long_links_cost_no_story_and_are_named_as_far_as_telegram_takes_them(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rich.shop", posts_per_day=0)
    published = [await control.publish("rich.shop", links=[shop(n)]) for n in range(10)]
    messages = await bell.ask(ann, "/stories rich.shop", count=10)
    assert set(stories_of(messages)) == {story["pk"] for story in published}
    shops = [url for url in linked(messages[0]) if url.startswith("https://shop")]
    assert 5 <= len(shops) < 10
    calls = await control.requests("telegram")
    assert not [one for one in calls if "ENTITIES_TOO_LONG" in one.get("description", "")]


async def test_a_caption_that_telegram_finds_too_long_goes_without_its_links(
    bell: Bell, control: Control
) -> None:
    ann = await control.person()
    await control.profile("rich.long", posts_per_day=0)
    story = await control.publish("rich.long", links=["https://nike.com:8443/x"])
    await control.fault("telegram", refused("ENTITIES_TOO_LONG"), match="sendPhoto")
    (photo,) = await bell.ask(ann, link("rich.long", story))
    assert photo["_story_pk"] == story["pk"]
    assert "nike.com:8443/x" in photo["caption"]
    assert linked(photo) == set()
