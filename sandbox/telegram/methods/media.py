"""The methods that send media: sendPhoto, sendVideo, sendDocument, sendMediaGroup and others."""

import asyncio
from typing import Any

from sandbox.telegram import inputs, sending, targets, text
from sandbox.telegram.call import Call, method, parse_bool
from sandbox.telegram.files import Media
from sandbox.telegram.inputs import Given, MediaFailure
from sandbox.telegram.model import Message
from sandbox.telegram.refusals import Refusal, bad_request

_ALBUM_LIMIT = 10
_ALBUM_KINDS = frozenset({"photo", "video", "document"})


async def pace(call: Call) -> None:
    """Wait for the server's delay between uploads of equal size.

    Raises:
        Refusal: Too many uploads of this size are pending. The status is 429.
    """
    size = inputs.upload_bytes(call)
    if size:
        wait = call.services.pacing.reserve_wait_s(call.bot.id, size, call.world.clock.now())
        if wait > 0:
            await asyncio.sleep(wait)


async def _send(call: Call, kind: str) -> dict[str, Any]:
    if not inputs.has_file(call, call.text(kind), kind):
        raise bad_request(f"there is no {kind} in the request")
    body = text.caption(call)
    await pace(call)
    where = sending.check_target(call, kind)
    given = inputs.parse_file(call, kind, call.text(kind), kind)
    try:
        media, source = await inputs.fetch_and_check(call, kind, given, call.params)
    except MediaFailure as failure:
        raise failure.refusal() from None
    becomes_animation = call.world.switches["silent_video_alone"] == "animation"
    if becomes_animation and kind == "video" and _is_silent(media) and source != "file_id":
        # Telegram makes an animation of a new silent video; TDLib, MessageContent.cpp.
        media.kind = "animation"
    await sending.count_or_refuse(call, where.chat)
    text.check_entities(body)
    return sending.views_or_refusal(call, [sending.post(call, where, body, media, source)])[0]


def _is_silent(media: Media) -> bool:
    film = media.content.film
    return media.kind == "video" and film is not None and not film.has_sound


@method("sendPhoto")
async def send_photo(call: Call) -> dict[str, Any]:
    """Send a picture."""
    return await _send(call, "photo")


@method("sendVideo")
async def send_video(call: Call) -> dict[str, Any]:
    """Send a video."""
    return await _send(call, "video")


@method("sendDocument")
async def send_document(call: Call) -> dict[str, Any]:
    """Send any file."""
    return await _send(call, "document")


@method("sendAnimation")
async def send_animation(call: Call) -> dict[str, Any]:
    """Send a GIF or a silent video."""
    return await _send(call, "animation")


Item = tuple[str, dict[str, Any], dict[str, Any]]  # the kind, the options and the caption


def _item(call: Call, item: object) -> Item:
    if not isinstance(item, dict):
        raise bad_request("can't parse InputMedia: expected an Object")
    kind = item.get("type")
    if not isinstance(kind, str):
        raise bad_request("can't parse InputMedia: Can't find field \"type\"")
    kind = kind.lower()
    if kind == "animation":
        raise bad_request(
            "can't parse InputMedia: type \"animation\" can't be used in sendMediaGroup"
        )
    if kind not in _ALBUM_KINDS:
        raise bad_request(f'can\'t parse InputMedia: invalid type "{kind}" specified')
    caption = text.of_item(item)
    media = item.get("media")
    if not isinstance(media, str):
        raise bad_request("can't parse InputMedia: Can't find field \"media\"")
    if not inputs.has_file(call, media):
        raise bad_request("can't parse InputMedia: media not found")
    return kind, item, caption


def _check_album(items: list[Item]) -> None:
    if not items:
        raise bad_request("there are no messages to send")
    if len(items) > _ALBUM_LIMIT:
        raise bad_request("too many messages to send as an album")
    kinds = {kind for kind, *_ in items}
    if "document" in kinds and len(kinds) > 1:
        raise bad_request("Document can't be mixed with other media types")
    above = {parse_bool(item.get("show_caption_above_media")) for _, item, _ in items}
    if len(above) > 1:
        raise bad_request(
            "parameter show_caption_above_media must be the same for all messages in the album"
        )


@method("sendMediaGroup")
async def send_media_group(call: Call) -> list[dict[str, Any]]:
    """Send an album. If one item fails, the call fails, and no item is sent.

    A fault or an assumption may change this rule, so that the other items are sent. Source of the
    rule: TDLib, MessagesManager::do_send_message_group and SendMultiMediaQuery::on_error.
    """
    raw = call.json("media", "media")
    if not isinstance(raw, list):
        raise bad_request("expected an Array of InputMedia")
    await pace(call)
    items = [_item(call, item) for item in raw]
    _check_album(items)
    where = sending.check_target(call, items[0][0], with_markup=False)
    for kind in {kind for kind, *_ in items[1:]}:
        targets.check_right(where.chat, call.bot, kind)
    files = [inputs.parse_file(call, kind, options["media"]) for kind, options, _ in items]
    _check_sources(call, files)
    await sending.count_or_refuse(call, where.chat, len(items))
    results = await asyncio.gather(
        *(
            _finished(call, number, item, file)
            for number, (item, file) in enumerate(zip(items, files, strict=True), 1)
        )
    )
    group = str(next(call.world.media_group)) if len(items) > 1 else None
    failures = [
        (number, result)
        for number, result in enumerate(results, 1)
        if isinstance(result, MediaFailure)
    ]
    if not failures and len(items) > 1:
        _check_silence(
            call, [result for result in results if not isinstance(result, MediaFailure)]
        )
    if not failures and any(text.has_too_long_entities(caption) for *_, caption in items):
        # ``sendMultiMedia`` refuses all items alike: td, SendMultiMediaQuery::on_error.
        raise _album_failure(call, 1, MediaFailure("ENTITIES_TOO_LONG"))
    others_stay = call.fault is not None and call.fault.fault.get("others") == "sent"
    others_stay |= call.world.switches["album_with_a_bad_item"] == "the others"
    messages: list[Message] = []
    for result, (_, _, caption) in zip(results, items, strict=True):
        if isinstance(result, MediaFailure) or (failures and not others_stay):
            where.chat.assign_message_id()  # the id of a failed message is not reused
            continue
        media, source = result
        body = caption | {"media_group_id": group} if group else caption
        messages.append(sending.post(call, where, body, media, source))
    if failures:
        # Telegram reports "Message was not sent" even if other items were sent: td,
        # SendMultiMediaQuery::on_result.
        number, failure = _named_failure(files, failures)
        raise _album_failure(call, 1 if others_stay else number, failure)
    return sending.views_or_refusal(call, messages)


def _named_failure(
    files: list[Given | str], failures: list[tuple[int, MediaFailure]]
) -> tuple[int, MediaFailure]:
    """Return the number of the item and the failure that the response names.

    - For an item without a file_id, the server calls ``uploadMedia`` before ``sendMultiMedia``.
      ``uploadMedia`` fails for one item, and the response names this item.
    - An item with a file_id needs no ``uploadMedia``. A failure of such an item occurs in
      ``sendMultiMedia``. ``sendMultiMedia`` refuses all items alike, and the response names the
      first item (td, ``MessagesManager::do_send_message_group``,
      ``SendMultiMediaQuery::on_error``).
    """
    for number, failure in failures:
        file = files[number - 1]
        if isinstance(file, str) or file.source != "file_id":
            return number, failure
    return 1, failures[0][1]


async def _finished(
    call: Call, number: int, item: Item, given: Given | str
) -> tuple[Media, str] | MediaFailure:
    kind, options, _ = item
    wanted = call.fault.fault if call.fault else {}
    if wanted.get("fail_item") == number:
        return MediaFailure(str(wanted.get("description") or "WEBPAGE_MEDIA_EMPTY"))
    try:
        return await inputs.fetch_and_check(call, kind, given, options)
    except MediaFailure as failure:
        return failure


def _check_silence(call: Call, media: list[tuple[Media, str]]) -> None:
    """Refuse an album with a silent video by URL, which Telegram converts to an animation.

    An uploaded silent video stays a video. ``sendMultiMedia`` refuses the album after all files
    are available. Every item then fails alike, and the response names the first item (td,
    ``SendMultiMediaQuery::on_error``; Client.cpp, ``on_message_send_failed``).

    Raises:
        Refusal: The album has a silent video by URL. The status is 400; telegram-bot-api#301.
    """
    takes_none = call.world.switches["silent_video_in_album"] == "refused"
    by_url = call.world.switches["silent_video_by_url"]
    refused = {"upload"} if takes_none else set()
    refused |= set() if by_url == "arrives" else {"url"}
    for number, (file, source) in enumerate(media, 1):
        if source in refused and _is_silent(file):
            named = number if by_url == "it is named" else 1
            failure = MediaFailure("Wrong file identifier/HTTP URL specified")
            raise _album_failure(call, named, failure)


def _check_sources(call: Call, files: list[Given | str]) -> None:
    """Refuse an album by the sources of its items, if an assumption is set to "refused".

    Raises:
        Refusal: An assumption refuses the sources. The status is 400.
    """
    ways = {"url" if isinstance(file, str) else file.source for file in files}
    for way in sorted(ways):
        if call.world.switches[f"album_by_{way}"] == "refused":
            raise bad_request(f"albums by {way} are not taken")


def _album_failure(call: Call, number: int, failure: MediaFailure) -> Refusal:
    told = failure.text
    if call.world.switches["album_error_words"] == "sentence":
        told = told.replace("_", " ").capitalize()
    return bad_request(f'failed to send message #{number} with the error message "{told}"')
