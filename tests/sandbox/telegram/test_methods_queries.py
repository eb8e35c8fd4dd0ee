"""Pressed buttons, inline queries."""

from typing import Any

from tests.sandbox.telegram.harness import Api, photo

Params = dict[str, Any]
OLD = "Bad Request: query is too old and response timeout expired or query ID is invalid"
KEYBOARD = {"inline_keyboard": [[{"text": "a", "callback_data": "data"}]]}


async def _pressed(api: Api, ann: int) -> str:
    message = await api.ok("sendMessage", chat_id=ann, text="x", reply_markup=KEYBOARD)
    press = {"user_id": ann, "message_id": message["message_id"]}
    done = await api.control("POST", f"chats/{ann}/press", data="data", **press)
    query: str = done["callback_query_id"]
    return query


async def test_a_button_is_pressed_and_answered_once(api: Api) -> None:
    ann = await api.person()
    await api.updates()
    query = await _pressed(api, ann)
    [update] = await api.updates()
    assert update["callback_query"]["id"] == query
    assert update["callback_query"]["message"]["reply_markup"] == KEYBOARD
    assert await api.control("GET", f"callbacks/{query}") == {"answered": False}
    answer: Params = {"callback_query_id": query, "text": "well", "show_alert": True}
    assert await api.ok("answerCallbackQuery", **answer)
    shown = await api.control("GET", f"callbacks/{query}")
    assert shown == {"answered": True, "text": "well", "show_alert": True}
    assert await api.refusal("answerCallbackQuery", **answer) == (400, OLD)
    await api.control("GET", "callbacks/1", 404)


async def test_a_callback_query_grows_old(api: Api) -> None:
    ann = await api.person()
    query = await _pressed(api, ann)
    api.telegram.world.clock.advance(16)
    assert await api.refusal("answerCallbackQuery", callback_query_id=query) == (400, OLD)
    await api.control("POST", "telegram", callback_life_s=60)
    query = await _pressed(api, ann)
    api.telegram.world.clock.advance(16)
    assert await api.ok("answerCallbackQuery", callback_query_id=query)


def _article(number: int, **more: Any) -> dict[str, Any]:
    content = {"message_text": f"<b>{number}</b>", "parse_mode": "HTML"}
    return {"type": "article", "id": str(number), "title": "t",
            "input_message_content": content, **more}  # fmt: skip


async def test_inline_results_and_the_chosen_one(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    cached = {
        "type": "photo",
        "id": "p",
        "photo_file_id": body["result"]["photo"][-1]["file_id"],
        "caption": "<i>c</i>",
        "parse_mode": "HTML",
        "reply_markup": KEYBOARD,
    }
    await api.updates()
    asked = await api.control("POST", "inline", user_id=ann, query="natgeo")
    [update] = await api.updates()
    assert update["inline_query"]["query"] == "natgeo"
    query = asked["inline_query_id"]
    assert await api.control("GET", f"inline/{query}") == {"answered": False}
    button = {"text": "Open", "start_parameter": "stories_natgeo"}
    results = [_article(1), cached]
    answer: Params = {
        "inline_query_id": query,
        "results": results,
        "button": button,
        "cache_time": 5,
    }
    assert await api.ok("answerInlineQuery", **answer)
    shown = await api.control("GET", f"inline/{query}")
    assert (shown["answered"], shown["cache_time"], shown["button"]) == (True, 5, button)
    assert shown["results"][0]["_text"] == "1"
    assert shown["results"][1]["_caption"] == "c"
    assert await api.refusal("answerInlineQuery", **answer) == (400, OLD)
    again = await api.control("POST", "inline", user_id=ann, query="natgeo")
    assert again == {"update_id": None, "inline_query_id": query}  # for the 5 s it is cached
    api.telegram.world.clock.advance(31)
    there: Params = {"chat_id": ann, "result_id": "p"}
    await api.control("POST", f"inline/{query}/choose", **there)
    [update] = await api.updates()
    sent = update["message"]
    assert sent["via_bot"]["is_bot"]
    assert (sent["from"]["id"], sent["caption"], sent["photo"][-1]["file_id"]) == (
        ann, "c", cached["photo_file_id"],
    )  # fmt: skip
    await api.control("POST", f"inline/{query}/choose", 404, **there | {"result_id": "none"})
    late = await api.control("POST", "inline", user_id=ann, query="x")
    api.telegram.world.clock.advance(31)
    late_answer = {"inline_query_id": late["inline_query_id"], "results": []}
    assert await api.refusal("answerInlineQuery", **late_answer) == (400, OLD)


async def test_cached_answers_are_each_persons_own_where_the_bot_says_so(api: Api) -> None:
    ann, eve = await api.person(), await api.person("Eve")
    for is_personal in (True, False):
        query: Params = {"query": f"q{is_personal}"}
        asked = await api.control("POST", "inline", user_id=ann, **query)
        answer: Params = {"inline_query_id": asked["inline_query_id"], "results": []}
        await api.ok("answerInlineQuery", **answer, is_personal=is_personal)
        hers = await api.control("POST", "inline", user_id=eve, **query)
        assert (hers["update_id"] is not None) == is_personal
        elsewhere = await api.control("POST", "inline", user_id=ann, offset="1", **query)
        assert elsewhere["update_id"] is not None


async def test_what_is_sent_via_the_bot_reaches_it_in_groups_all_the_same(api: Api) -> None:
    ann = await api.person()
    group = await api.chat("group", ann)
    asked = await api.control("POST", "inline", user_id=ann, query="x")
    query = asked["inline_query_id"]
    await api.ok("answerInlineQuery", inline_query_id=query, results=[_article(1)])
    await api.updates()
    await api.control("POST", f"inline/{query}/choose", chat_id=group, result_id="1")
    [update] = await api.updates()
    assert update["message"]["text"] == "1"


async def test_without_inline_mode_nobody_can_ask(api: Api) -> None:
    ann = await api.person()
    bot = (await api.ok("getMe"))["id"]
    await api.control("PATCH", f"bots/{bot}", supports_inline_queries=False)
    await api.control("POST", "inline", 400, user_id=ann, query="x")
