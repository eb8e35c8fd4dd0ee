"""Photos, videos, documents, albums."""

import io
from typing import Any

import pytest
from aiohttp import FormData

from sandbox.media import video as story_video
from sandbox.telegram.refusals import too_many_requests
from tests.sandbox.telegram.harness import TOKEN, Api, page, photo, video


async def test_the_same_bytes_three_ways(api: Api) -> None:
    ann = await api.person()
    api.web["http://w.test/a.jpg"] = page(photo("77"), "image/jpeg")
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo("77"))
    sizes = body["result"]["photo"]
    assert [(s["width"], s["height"]) for s in sizes][-1] == (1080, 1920)
    assert len(sizes) == 5
    by_url = await api.ok("sendPhoto", chat_id=ann, photo="http://w.test/a.jpg")
    by_id = await api.ok("sendPhoto", chat_id=ann, photo=sizes[0]["file_id"])
    for sent in (by_url, by_id):
        assert sent["photo"][-1]["file_unique_id"] == sizes[-1]["file_unique_id"]
    shown = [(m["_source"], m["_story_pk"]) for m in await api.shown(ann)]
    assert shown == [("upload", "77"), ("url", "77"), ("file_id", "77")]


async def test_a_video_tells_its_size_and_keeps_its_thumbnail(api: Api) -> None:
    ann = await api.person()
    sent = {"chat_id": ann, "thumbnail": "attach://small", "video": "attach://film"}
    _, body = await api.upload("sendVideo", sent, film=video(), small=photo())
    clip = body["result"]["video"]
    assert (clip["width"], clip["height"]) == (720, 1280)
    assert clip["duration"] > 0
    assert clip["mime_type"] == "video/mp4"
    assert clip["thumbnail"]["height"] == 320
    wrong = await api.refusal("sendPhoto", chat_id=ann, photo=clip["thumbnail"]["file_id"])
    assert wrong[1] == "Bad Request: can't use file of type Thumbnail as Photo"


async def test_other_kinds(api: Api) -> None:
    ann = await api.person()
    for kind in ("document", "animation"):
        name = f"send{kind.capitalize()}"
        status, body = await api.upload(name, {"chat_id": ann, "duration": 3}, **{kind: video()})
        assert status == 200, body
        assert kind in body["result"]


async def test_a_file_can_be_downloaded_for_a_bot(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendVideo", {"chat_id": ann}, video=video())
    file = await api.ok("getFile", file_id=body["result"]["video"]["file_id"])
    url = f"{api.base}/file/bot{TOKEN.replace(':', '%3A')}/{file['file_path']}"
    async with api.session.get(url) as answer:
        assert await answer.read() == video()


TOO_BIG = "file of size 10485761 bytes is too big for a photo; the maximum size is 10485760 bytes"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "file must be non-empty"),
        (b"no picture", "IMAGE_PROCESS_FAILED"),
        (
            b"\x89PNG\r\n\x1a\n"
            + bytes(8)
            + (9000).to_bytes(4, "big")
            + (1001).to_bytes(4, "big"),
            "PHOTO_INVALID_DIMENSIONS",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + bytes(8) + (2100).to_bytes(4, "big") + (100).to_bytes(4, "big"),
            "PHOTO_INVALID_DIMENSIONS",
        ),
        (
            bytes(10 * 2**20 + 1),
            TOO_BIG,
        ),
    ],
    ids=["empty", "no picture", "too wide", "too narrow", "too big"],
)
async def test_photos_that_cannot_be_uploaded(api: Api, data: bytes, words: str) -> None:
    ann = await api.person()
    status, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=data)
    assert (status, body["description"]) == (400, f"Bad Request: {words}")


async def test_fifty_megabytes_and_one_byte_more(api: Api) -> None:
    ann = await api.person()
    status, body = await api.upload("sendVideo", {"chat_id": ann}, video=bytes(50 * 2**20))
    assert status == 200, body
    big = body["result"]["video"]["file_id"]
    assert (await api.refusal("getFile", file_id=big))[1] == "Bad Request: file is too big"
    await api.ok("sendVideo", chat_id=ann, video=big)
    form = FormData({"chat_id": str(ann)})
    form.add_field("video", io.BytesIO(bytes(50 * 2**20 + 1)), filename="v.mp4")
    async with api.session.post(f"{api.base}/bot{TOKEN}/sendVideo", data=form) as answer:
        assert answer.status == 413
        assert (await answer.json())["description"] == "Request Entity Too Large"


def _media(*kinds: str, **first: Any) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = [
        {"type": kind, "media": f"attach://f{n}"} for n, kind in enumerate(kinds)
    ]
    items[0] |= first
    return items


async def test_an_album(api: Api) -> None:
    ann = await api.person()
    media = _media("photo", "video", caption="<b>x</b>", parse_mode="HTML")
    sent = {"chat_id": ann, "media": media}
    _, body = await api.upload("sendMediaGroup", sent, f0=photo(), f1=video())
    first, second = body["result"]
    assert first["media_group_id"] == second["media_group_id"]
    assert second["message_id"] == first["message_id"] + 1
    assert first["caption_entities"] == [{"type": "bold", "offset": 0, "length": 1}]
    one = [{"type": "photo", "media": first["photo"][-1]["file_id"]}]
    [alone] = await api.ok("sendMediaGroup", chat_id=ann, media=one)
    assert "media_group_id" not in alone


@pytest.mark.parametrize(
    ("rare", "named", "there"), [({}, 2, []), ({"others": "sent"}, 1, ["1", "3"])]
)
async def test_an_album_is_all_or_nothing_but_for_a_rare_answer(
    api: Api, rare: dict[str, str], named: int, there: list[str]
) -> None:
    ann = await api.person()
    fault = {"fail_item": 2, "description": "Too Many Requests: retry after 8", **rare}
    match = {"service": "telegram", "match": "sendMediaGroup", "times": 1}
    api.telegram.faults.add({**match, "fault": fault})
    sent = {"chat_id": ann, "media": _media("photo", "video", "photo")}
    files = {"f0": photo("1"), "f1": video("2"), "f2": photo("3")}
    status, body = await api.upload("sendMediaGroup", sent, **files)
    word = '"Too Many Requests: retry after 8"'
    nested = f"failed to send message #{named} with the error message {word}"
    assert (status, body["description"]) == (400, f"Bad Request: {nested}")
    assert "parameters" not in body
    assert [message["_story_pk"] for message in await api.shown(ann)] == there


async def test_an_albums_refusal_has_the_raw_code_and_a_single_ones_a_sentence(api: Api) -> None:
    ann = await api.person()
    address = "http://w.test/nothing.jpg"
    items = [{"type": "photo", "media": address}] * 2
    nested = 'failed to send message #1 with the error message "WEBPAGE_CURL_FAILED"'
    album = await api.refusal("sendMediaGroup", chat_id=ann, media=items)
    assert album == (400, f"Bad Request: {nested}")
    single = await api.refusal("sendPhoto", chat_id=ann, photo=address)
    assert single == (400, "Bad Request: failed to get HTTP URL content")
    assert await api.shown(ann) == []


async def test_a_fault_may_hit_albums_by_url_alone(api: Api) -> None:
    ann = await api.person()
    api.web["http://w.test/a.jpg"] = page(photo("77"), "image/jpeg")
    body = too_many_requests(3).body()
    fault = {"source": "url", "fault": {"status": 429, "body": body}}
    api.telegram.faults.add({"service": "telegram", "match": "sendMediaGroup", **fault})
    items = [{"type": "photo", "media": "http://w.test/a.jpg"}] * 2
    code, _ = await api.refusal("sendMediaGroup", chat_id=ann, media=items)
    assert code == 429
    sent = {"chat_id": ann, "media": _media("photo", "video")}
    status, _ = await api.upload("sendMediaGroup", sent, f0=photo("1"), f1=video("2"))
    assert status == 200


async def test_a_silent_video_is_an_animation_alone_and_no_album_takes_its_address(
    api: Api,
) -> None:
    ann = await api.person()
    silent = story_video("5", 0, silent=True).data()
    api.web["http://w.test/v.mp4"] = page(silent, "video/mp4")
    _, body = await api.upload("sendVideo", {"chat_id": ann}, video=silent)
    alone = body["result"]
    assert alone["animation"]["file_id"] == alone["document"]["file_id"]
    assert "video" not in alone
    sent = {"chat_id": ann, "media": _media("video", "photo")}
    _, body = await api.upload("sendMediaGroup", sent, f0=silent, f1=photo("6"))
    film = body["result"][0]["video"]["file_id"]
    items = [{"type": "video", "media": media} for media in (film, "http://w.test/v.mp4")]
    word = 'failed to send message #1 with the error message "Wrong file identifier/HTTP URL'
    refused = await api.refusal("sendMediaGroup", chat_id=ann, media=items)
    assert refused[1].startswith(f"Bad Request: {word}")
    again = await api.ok("sendVideo", chat_id=ann, video=film)
    assert again["video"]["file_id"] == film
    known = alone["animation"]["file_id"]
    assert (await api.ok("sendAnimation", chat_id=ann, animation=known))["animation"]
    refused = await api.refusal("sendVideo", chat_id=ann, video=known)
    assert refused[1] == "Bad Request: can't use file of type Animation as Video"


async def test_media_can_be_replaced(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendPhoto", {"chat_id": ann, "caption": "a"}, photo=photo("1"))
    where = {"chat_id": ann, "message_id": body["result"]["message_id"]}
    media = {"type": "video", "media": "attach://clip", "caption": "b"}
    status, body = await api.upload("editMessageMedia", where | {"media": media}, clip=video("9"))
    assert status == 200, body
    assert "photo" not in body["result"]
    assert body["result"]["caption"] == "b"
    assert (await api.shown(ann))[-1]["_story_pk"] == "9"


@pytest.mark.parametrize("how", ["query", "form", "json", "multipart"])
async def test_parameters_from_anywhere(api: Api, how: str) -> None:
    ann = await api.person()
    params = {"chat_id": str(ann), "text": "a&b é", "disable_notification": "true"}
    url = f"{api.base}/bot{TOKEN.replace(':', '%3A')}/SENDmessage"
    multipart = FormData(default_to_multipart=True)
    for name, value in params.items():
        multipart.add_field(name, value)
    ways: dict[str, dict[str, Any]] = {
        "query": {"params": params},
        "form": {"data": params},
        "json": {"json": params},
        "multipart": {"data": multipart},
    }
    verb = "GET" if how == "query" else "POST"
    async with api.session.request(verb, url, **ways[how]) as answer:
        body = await answer.json()
    assert body["result"]["text"] == "a&b é"


async def test_a_post_without_a_body(api: Api) -> None:
    for verb in ("GET", "POST"):
        async with api.session.request(verb, f"{api.base}/bot{TOKEN}/getme") as answer:
            assert (await answer.json())["result"]["id"] == 123456
    bad: dict[str, Any] = {"data": b"{", "headers": {"Content-Type": "application/json"}}
    async with api.session.post(f"{api.base}/bot{TOKEN}/sendMessage", **bad) as answer:
        assert (await answer.json())["description"] == "Bad Request: can't parse JSON object"


async def test_bodies_that_cannot_be_read(api: Api) -> None:
    url = f"{api.base}/bot{TOKEN}/sendMessage"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    async with api.session.post(url, data=b"--y\r\nnonsense", headers=kind) as answer:
        assert answer.status == 400
    plain = {"Content-Type": "text/plain"}
    async with api.session.post(url, data=b"chat_id=1", headers=plain) as answer:
        assert (await answer.json())["description"] == "Bad Request: message text is empty"
