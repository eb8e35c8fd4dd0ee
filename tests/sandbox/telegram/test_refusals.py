"""What Telegram refuses, and its exact words."""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.sandbox.telegram.harness import OTHER_TOKEN, Api, page, photo, video
from tests.sandbox.telegram.refusal_table import BAD_REQUESTS, FORBIDDEN


@dataclass
class Scene:
    """A bit of everything: chats in every state, messages, file_ids."""

    api: Api
    names: dict[str, Any] = field(default_factory=dict)

    def fill(self, value: Any) -> Any:
        """Put ids where `$name` stands."""
        if isinstance(value, str) and value.startswith("$"):
            return self.names[value[1:]]
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        return value


async def _people(scene: Scene) -> None:
    api, names = scene.api, scene.names
    names["ann"] = ann = await api.person("Ann")
    names["stranger"] = await api.person("Bob", started=False)
    names["blocker"] = await api.person("Cy")
    await api.control("PUT", f"chats/{names['blocker']}/members/bot", status="kicked")
    names["gone"] = await api.person("Di")
    await api.control("PATCH", f"users/{names['gone']}", deactivated=True)
    names["said"] = (await api.says(ann, "words"))["message_id"]


async def _chats(scene: Scene) -> None:
    api, names = scene.api, scene.names
    ann = names["ann"]
    for kind in ("group", "supergroup", "channel"):
        names[kind] = await api.chat(kind, ann)
        for status in ("left", "kicked"):
            names[f"{status}_{kind}"] = chat = await api.chat(kind, ann)
            await api.control("PUT", f"chats/{chat}/members/bot", status=status)
    names["migrated"] = await api.chat("group", ann)
    await api.control("POST", f"chats/{names['migrated']}/migrate")
    names["deleted"] = await api.chat("group", ann)
    await api.control("PATCH", f"chats/{names['deleted']}", deleted=True)
    names["quiet"] = quiet = await api.chat("supergroup", ann)
    silent = ("messages", "photos", "videos", "documents", "other_messages")
    rights = {f"can_send_{what}": False for what in silent}
    await api.control("PATCH", f"chats/{quiet}", permissions=rights)
    leads: dict[str, Any] = {
        "bot_status": "administrator",
        "bot_rights": {"can_manage_topics": True},
    }
    for name, rights in (("forum", {}), ("led_forum", leads)):
        names[name] = forum = await api.chat("supergroup", ann, is_forum=True, **rights)
        for thread, state in ((10, "open"), (11, "closed"), (12, "deleted")):
            await api.control("PUT", f"chats/{forum}/threads/{thread}", name="T", state="open")
            await api.control("PUT", f"chats/{forum}/threads/{thread}", name="T", state=state)
    names["reader"] = await api.chat("channel", ann)
    await api.control("PUT", f"chats/{names['reader']}/members/bot", status="member")


async def _messages(scene: Scene) -> None:
    api, names = scene.api, scene.names
    ann = names["ann"]
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "b"}]]}
    made = await api.ok("sendMessage", chat_id=ann, text="mine", reply_markup=keyboard)
    names["mine"] = made["message_id"]
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    names["photo"] = body["result"]["message_id"]
    names["photo_id"] = body["result"]["photo"][-1]["file_id"]
    _, body = await api.upload("sendVideo", {"chat_id": ann}, video=video())
    names["video_id"] = body["result"]["video"]["file_id"]
    _, body = await api.upload("sendDocument", {"chat_id": ann}, document=b"text")
    names["document_id"] = body["result"]["document"]["file_id"]
    both = [
        {"type": "photo", "media": names["photo_id"]},
        {"type": "video", "media": names["video_id"]},
    ]
    album = await api.ok("sendMediaGroup", chat_id=ann, media=both)
    names["in_album"] = album[0]["message_id"]
    await api.bot("getMe", token=OTHER_TOKEN)
    ann_there = await api.control(
        "POST", f"chats/{ann}/messages", user_id=ann, text="hi", bot_id=654321
    )
    assert ann_there["message_id"] == 1
    other = {"chat_id": str(ann), "photo": names["photo_id"]}
    status, refused = await api.bot("sendPhoto", token=OTHER_TOKEN, **other)
    assert (status, refused["description"]) == (
        400,
        "Bad Request: wrong file identifier/HTTP URL specified",
    )
    api.web["http://w.test/huge.jpg"] = page(photo() + bytes(5 * 2**20), "image/jpeg")
    api.web["http://w.test/text.html"] = page(b"<html>", "text/html")
    api.web["http://w.test/gone.jpg"] = page(b"", "image/jpeg", 404)
    api.web["http://w.test/broken.jpg"] = page(b"\xff\xd8\xff nothing", "image/jpeg")


@pytest.fixture
async def scene(api: Api) -> Scene:
    """The scene that all rows are played in."""
    scene = Scene(api)
    await _people(scene)
    await _chats(scene)
    await _messages(scene)
    return scene


async def test_every_refusal_has_telegrams_words(scene: Scene) -> None:
    asked = await scene.api.control("POST", "inline", user_id=scene.names["ann"], query="q")
    scene.names["inline"] = asked["inline_query_id"]
    wrong = []
    for method, params, words in BAD_REQUESTS:
        answer = await scene.api.refusal(method, **scene.fill(params))
        if answer != (400, f"Bad Request: {words}"):
            wrong.append((method, params, answer))
    for chat, words in FORBIDDEN:
        for method, more in (
            ("sendMessage", {"text": "x"}),
            ("sendChatAction", {"action": "typing"}),
        ):
            answer = await scene.api.refusal(method, chat_id=scene.fill(chat), **more)
            if answer != (403, f"Forbidden: {words}"):
                wrong.append((method, {"chat_id": chat}, answer))
    assert wrong == []


async def test_a_migrated_group_tells_its_new_id(scene: Scene) -> None:
    status, body = await scene.api.bot("sendMessage", chat_id=scene.names["migrated"], text="x")
    assert status == 400
    new = body["parameters"]["migrate_to_chat_id"]
    assert (await scene.api.ok("sendMessage", chat_id=new, text="x"))["chat"]["id"] == new


@pytest.mark.parametrize(
    ("path", "code", "words"),
    [
        ("bot1:short/getMe", 401, "Unauthorized"),
        ("botnonsense/getMe", 404, "Not Found"),
        ("nothing", 404, "Not Found"),
        (f"bot{OTHER_TOKEN}/getNothing", 404, "Not Found: method not found"),
        (f"bot{OTHER_TOKEN}/", 404, "Not Found: method not found"),
        (
            f"bot{OTHER_TOKEN}/sendGift",
            501,
            "Not Implemented: the sandbox does not serve sendGift",
        ),
        (f"file/bot{OTHER_TOKEN}/photos/none.jpg", 404, "Not Found"),
        ("file/bot1:short/photos/none.jpg", 401, "Unauthorized"),
    ],
)
async def test_tokens_methods_and_paths(api: Api, path: str, code: int, words: str) -> None:
    async with api.session.get(f"{api.base}/{path}") as answer:
        body = await answer.json()
    assert (answer.status, body) == (code, {"ok": False, "error_code": code, "description": words})


async def test_the_token_is_checked_first_and_the_text_before_the_chat(scene: Scene) -> None:
    assert (await scene.api.refusal("nothing", token="1:x"))[0] == 401
    where = {"chat_id": scene.names["blocker"]}
    assert (await scene.api.refusal("sendMessage", **where))[1].endswith("text is empty")
    bad = {"text": "x", "reply_markup": json.dumps({"inline_keyboard": [[{}]]})}
    assert (await scene.api.refusal("sendMessage", **where, **bad))[0] == 400
    assert (await scene.api.refusal("sendMessage", **where, text="x"))[0] == 403
