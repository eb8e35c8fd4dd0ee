"""Photos, videos, documents, albums."""

import io
from typing import Any

import pytest
from aiohttp import FormData

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


@pytest.mark.parametrize("word", ["MEDIA_EMPTY", "FILE_REFERENCE_2_EXPIRED"])
async def test_an_album_of_file_ids_names_its_first_item(api: Api, word: str) -> None:
    """File_ids skip ``uploadMedia``: ``sendMultiMedia`` refuses all items alike."""
    ann = await api.person()
    _, one = await api.upload("sendPhoto", {"chat_id": ann, "photo": "attach://f"}, f=photo("1"))
    known = one["result"]["photo"][-1]["file_id"]
    fault = {"fail_item": 3, "description": word}
    api.telegram.faults.add(
        {"service": "telegram", "match": "sendMediaGroup", "times": 1, "fault": fault}
    )
    media = [{"type": "photo", "media": known} for _ in range(3)]
    code, words = await api.refusal("sendMediaGroup", chat_id=ann, media=media)
    nested = f'failed to send message #1 with the error message "{word}"'
    assert (code, words) == (400, f"Bad Request: {nested}")
