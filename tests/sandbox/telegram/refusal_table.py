"""The table of refusals: method, parameters, and the text after "Bad Request: ".

`$name` is an ID of the scene in test_refusals. The texts are the texts of the Bot API server and
of TDLib. docs/sandbox-fidelity.md lists the exceptions.
"""
# ruff: noqa: E501 - each refusal has a row

from typing import Any

Params = dict[str, Any]
Row = tuple[str, Params, str]
LONG = "x" * 4097
KEYBOARD_SAME = (
    "message is not modified: specified new message content and reply markup are exactly the "
    "same as a current content and reply markup of the message"
)
OLD_QUERY = "query is too old and response timeout expired or query ID is invalid"


def button(**action: Any) -> Params:
    return {"inline_keyboard": [[{"text": "b"} | action]]}


def _to(chat: str, text: str = "hi", **more: Any) -> Params:
    return {"chat_id": chat, "text": text} | more


def _html(text: str) -> Params:
    return _to("$ann", text, parse_mode="HTML")


def _marked(markup: object) -> Params:
    return _to("$ann", reply_markup=markup)


TEXT: list[Row] = [
    ("sendMessage", {"text": "hi"}, "chat_id is empty"),
    ("sendMessage", {"chat_id": "", "text": "hi"}, "chat_id is empty"),
    ("sendMessage", _to("999"), "chat not found"),
    ("sendMessage", _to("nobody"), "chat not found"),
    ("sendMessage", _to("@nobody_here"), "chat not found"),
    ("sendMessage", {"chat_id": "$ann"}, "message text is empty"),
    ("sendMessage", _to("$ann", "  \n "), "message text is empty"),
    ("sendMessage", _html("<b> </b>"), "message text is empty"),
    ("sendMessage", _to("$ann", LONG), "message is too long"),
    ("sendMessage", _to("$ann", "x" * 32769), "text is too long"),
    ("sendMessage", _to("$ann", parse_mode="BBCode"), "unsupported parse_mode"),
    ("sendMessage", _html(f'<a href="https://a.example/{"x" * 9500}">a</a>'), "ENTITIES_TOO_LONG"),
    ("sendMessage", _html("<br>"), 'can\'t parse entities: Unsupported start tag "br" at byte offset 0'),
    ("sendMessage", _html("a < b"), 'can\'t parse entities: Unsupported start tag "" at byte offset 2'),
    ("sendMessage", _html("<b>x"), 'can\'t parse entities: Can\'t find end tag corresponding to start tag "b"'),
    ("sendMessage", _html("x</i>"), "can't parse entities: Unexpected end tag at byte offset 1"),
    ("sendMessage", _html("<b>x</i>"), 'can\'t parse entities: Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
    ("sendMessage", _to("$ann", "a.b", parse_mode="MarkdownV2"), "can't parse entities: Character '.' is reserved and must be escaped with the preceding '\\'"),
    ("sendMessage", _to("$ann", "*b", parse_mode="MarkdownV2"), "can't parse entities: Can't find end of Bold entity at byte offset 0"),
    ("sendMessage", _to("$ann", reply_parameters={"message_id": 9999}), "message to be replied not found"),
    ("sendMessage", _to("$ann", reply_to_message_id=9999), "message to be replied not found"),
    ("sendMessage", _to("$ann", reply_parameters="nonsense"), "can't parse reply parameters JSON object"),
    ("sendMessage", _to("$group", message_effect_id="5104841245755180586"), "can't use message effects in the chat"),
]  # fmt: skip

MARKUP: list[Row] = [
    ("sendMessage", _to("$ann", reply_parameters="[]"), "object expected as reply parameters"),
    ("sendMessage", _to("$ann", reply_parameters={"message_id": 1, "chat_id": 999}), "chat not found"),
    ("sendMessage", _marked(button(text=" ", callback_data="x")), "inline keyboard button text must be non-empty"),
    ("sendMessage", _marked(button(web_app="x")), 'can\'t parse inline keyboard button: Can\'t find field "url"'),
    ("sendMessage", _marked({"keyboard": [[{"x": 1}]]}), 'can\'t parse keyboard button: Can\'t find field "text"'),
    ("sendMessage", _marked({"keyboard": 7}), 'field "keyboard" of the ReplyKeyboardMarkup must be an Array'),
    ("sendMessage", _to("$ann", entities=[7]), "can't parse MessageEntity: expected an Object"),
    ("sendMessage", _to("$ann", entities=[{"type": "bold", "length": 1}]), "can't parse MessageEntity: Can't find field \"offset\""),
    ("sendMessage", _to("$ann", entities=[{"offset": 0, "length": 1}]), "can't parse MessageEntity: Type is not specified"),
    ("sendMessage", _to("$ann", entities=[{"type": "dance", "offset": 0, "length": 1}]), "can't parse MessageEntity: Unsupported type specified"),
    ("sendPhoto", {"chat_id": "$blocker", "caption": "<x>", "parse_mode": "HTML"}, "there is no photo in the request"),
    ("sendMessage", _marked("{"), "can't parse reply keyboard markup JSON object"),
    ("sendMessage", _marked("[]"), "object expected as reply markup"),
    ("sendMessage", _marked({"inline_keyboard": "x"}), 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array'),
    ("sendMessage", _marked({"inline_keyboard": ["x"]}), 'field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays'),
    ("sendMessage", _to("$channel", reply_markup={"force_reply": True}), "inline keyboard expected"),
    ("sendMessage", _to("$channel", reply_markup={"remove_keyboard": True}), "inline keyboard expected"),
    ("sendMessage", _marked({"inline_keyboard": [["x"]]}), "can't parse inline keyboard button: InlineKeyboardButton must be an Object"),
    ("sendMessage", _marked({"inline_keyboard": [[{"callback_data": "x"}]]}), "can't parse inline keyboard button: Can't find field \"text\""),
    ("sendMessage", _marked(button()), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ("sendMessage", _marked(button(callback_data="x" * 65)), "BUTTON_DATA_INVALID"),
    ("sendMessage", _marked(button(callback_data="é" * 33)), "BUTTON_DATA_INVALID"),
    ("sendMessage", _marked(button(callback_data="")), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ("sendMessage", _marked(button(url="ftp://a.b/")), "inline keyboard button URL 'ftp://a.b/' is invalid: Unsupported URL protocol"),
    ("sendMessage", _marked(button(url="http://nodots")), "inline keyboard button URL 'http://nodots' is invalid: Wrong HTTP URL"),
    ("sendMessage", _marked(button(url="")), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ("sendMessage", _marked(button(copy_text={"text": "x" * 257})), "BUTTON_COPY_TEXT_INVALID"),
    ("sendMessage", _marked(button(web_app={"url": "http://a.b/"})), "inline keyboard button Web App URL 'http://a.b/' is invalid: Only HTTPS links are allowed"),
    ("sendMessage", _to("$group", reply_markup=button(web_app={"url": "https://a.b/"})), "BUTTON_TYPE_INVALID"),
    ("sendMessage", _marked(button(callback_data="x", style="loud")), "can't parse inline keyboard button: invalid button style specified"),
    ("sendMessage", _marked({"inline_keyboard": [[{"text": "b", "callback_data": "x"}] * 101]}), "reply markup is too long"),
    ("sendMessage", _marked({"keyboard": [[7]]}), "can't parse keyboard button: KeyboardButton must be a String or an Object"),
]  # fmt: skip

CHATS: list[Row] = [
    ("sendMessage", _to("$migrated"), "group chat was upgraded to a supergroup chat"),
    ("sendMessage", _to("$quiet"), "not enough rights to send text messages to the chat"),
    ("sendPhoto", {"chat_id": "$quiet", "photo": "$photo_id"}, "not enough rights to send photos to the chat"),
    ("sendVideo", {"chat_id": "$quiet", "video": "$video_id"}, "not enough rights to send videos to the chat"),
    ("sendDocument", {"chat_id": "$quiet", "document": "$document_id"}, "not enough rights to send documents to the chat"),
    ("sendMessage", _to("$reader"), "need administrator rights in the channel chat"),
    ("sendMessage", _to("$forum", message_thread_id=77, reply_parameters={"message_id": 9999}), "message thread not found"),
    ("sendMessage", _to("$forum", message_thread_id=1), "message thread not found"),
    ("sendMessage", _to("$forum", message_thread_id=12), "message thread not found"),
    ("sendMessage", _to("$forum", message_thread_id=11), "TOPIC_CLOSED"),
    ("sendMessage", _to("$ann", message_thread_id=5), "message thread not found"),
    ("sendChatAction", {"chat_id": "$ann", "action": "dance"}, "wrong parameter action in request"),
    ("createForumTopic", {"chat_id": "$ann", "name": "n"}, "the chat is not a forum"),
    ("createForumTopic", {"chat_id": "$group", "name": "n"}, "the chat is not a forum"),
    ("createForumTopic", {"chat_id": "$channel", "name": "n"}, "the chat is not a forum"),
    ("createForumTopic", {"chat_id": "$forum", "name": "n"}, "not enough rights to create a topic"),
    ("createForumTopic", {"chat_id": "$led_forum", "name": " "}, "name must be non-empty"),
    ("createForumTopic", {"chat_id": "$led_forum", "name": "n", "icon_color": -1}, "invalid icon color specified"),
    ("editForumTopic", {"chat_id": "$ann", "message_thread_id": 5, "name": "n"}, "the chat is not a forum"),
    ("editForumTopic", {"chat_id": "$forum", "name": "n"}, "invalid forum topic identifier specified"),
    ("editForumTopic", {"chat_id": "$forum", "message_thread_id": 10, "name": "n"}, "not enough rights to edit the topic"),
    ("editForumTopic", {"chat_id": "$led_forum", "message_thread_id": 12, "name": "n"}, "TOPIC_ID_INVALID"),
    ("editForumTopic", {"chat_id": "$led_forum", "message_thread_id": 10, "name": "T"}, "TOPIC_NOT_MODIFIED"),
    ("getChat", {"chat_id": "999"}, "chat not found"),
    ("getChatMember", {"chat_id": "$group"}, "invalid user_id specified"),
    ("getChatMember", {"chat_id": "$group", "user_id": 999}, "user not found"),
    ("getChatMember", {"chat_id": "$reader", "user_id": "$ann"}, "member list is inaccessible"),
    ("getChatMember", {"chat_id": "$ann", "user_id": "$stranger"}, "member not found"),
    ("getChatAdministrators", {"chat_id": "$ann"}, "there are no administrators in the private chat"),
    ("leaveChat", {"chat_id": "$ann"}, "chat member status can't be changed in private chats"),
]  # fmt: skip

FILES: list[Row] = [
    ("sendPhoto", {"chat_id": "$ann"}, "there is no photo in the request"),
    ("sendVideo", {"chat_id": "$ann"}, "there is no video in the request"),
    ("sendDocument", {"chat_id": "$ann"}, "there is no document in the request"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "attach://none"}, "there is no photo in the request"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "$video_id"}, "can't use file of type Video as Photo"),
    ("sendVideo", {"chat_id": "$ann", "video": "$photo_id"}, "can't use file of type Photo as Video"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "abcdefgh"}, "wrong remote file identifier specified: can't unserialize it. Wrong last symbol"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "abcde"}, "wrong remote file identifier specified: Wrong string length"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "a b c"}, "wrong remote file identifier specified: Wrong character in the string"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "ftp://w.test/a.jpg"}, "invalid file HTTP URL specified: Unsupported URL protocol"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "http://w.test/none.jpg"}, "failed to get HTTP URL content"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "http://w.test/gone.jpg"}, "failed to get HTTP URL content"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "http://w.test/huge.jpg"}, "failed to get HTTP URL content"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "http://w.test/text.html"}, "wrong type of the web page content"),
    ("sendVideo", {"chat_id": "$ann", "video": "http://w.test/text.html"}, "wrong type of the web page content"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "http://w.test/broken.jpg"}, "IMAGE_PROCESS_FAILED"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "$photo_id", "caption": "x" * 1025}, "message caption is too long"),
    ("sendPhoto", {"chat_id": "$ann", "photo": "$photo_id", "caption": "<u", "parse_mode": "HTML"}, "can't parse entities: Unclosed start tag at byte offset 0"),
    ("getFile", {}, "file_id not specified"),
    ("getFile", {"file_id": "nonsense"}, "invalid file_id"),
]  # fmt: skip

P = {"type": "photo", "media": "$photo_id"}
V = {"type": "video", "media": "$video_id"}
D = {"type": "document", "media": "$document_id"}


def _album(*items: object) -> Params:
    return {"chat_id": "$ann", "media": list(items)}


ALBUMS: list[Row] = [
    ("sendMediaGroup", {"chat_id": "$ann", "media": "["}, "can't parse media JSON object"),
    ("sendMediaGroup", {"chat_id": "$ann", "media": "{}"}, "expected an Array of InputMedia"),
    ("sendMediaGroup", _album(), "there are no messages to send"),
    ("sendMediaGroup", _album(*[P] * 11), "too many messages to send as an album"),
    ("sendMediaGroup", _album(P, 7), "can't parse InputMedia: expected an Object"),
    ("sendMediaGroup", _album(P, {"media": "x"}), 'can\'t parse InputMedia: Can\'t find field "type"'),
    ("sendMediaGroup", _album(P, {"type": "photo"}), 'can\'t parse InputMedia: Can\'t find field "media"'),
    ("sendMediaGroup", _album(P, {"type": "gif", "media": "x"}), 'can\'t parse InputMedia: invalid type "gif" specified'),
    ("sendMediaGroup", _album(P, {"type": "animation", "media": "x"}), 'can\'t parse InputMedia: type "animation" can\'t be used in sendMediaGroup'),
    ("sendMediaGroup", _album(P, {"type": "photo", "media": "attach://no"}), "can't parse InputMedia: media not found"),
    ("sendMediaGroup", _album(P, D), "document can't be mixed with other media types"),
    ("sendMediaGroup", _album(P, V | {"show_caption_above_media": True}), "parameter show_caption_above_media must be the same for all messages in the album"),
    ("sendMediaGroup", _album(P, V | {"media": "$photo_id"}), "can't use file of type Photo as Video"),
    ("sendMediaGroup", _album(P, P | {"media": "http://w.test/gone.jpg"}), 'failed to send message #2 with the error message "WEBPAGE_CURL_FAILED"'),
    ("sendMediaGroup", _album(P | {"media": "http://w.test/text.html"}, P), 'failed to send message #1 with the error message "WEBPAGE_MEDIA_EMPTY"'),
]  # fmt: skip

EDITS: list[Row] = [
    ("editMessageText", {"inline_message_id": "x", "text": "x"}, "MESSAGE_ID_INVALID"),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$photo", "media": "[]"}, "object expected as input media"),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$photo", "media": {"type": "poll"}}, 'can\'t parse InputMedia: invalid type "poll" specified'),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$photo", "media": P | {"media": "http://w.test/gone.jpg"}}, "failed to get HTTP URL content"),
    ("deleteMessages", {"chat_id": "$ann", "message_ids": "{}"}, "expected an Array of message identifiers"),
    ("editMessageText", {"chat_id": "$ann", "text": "x"}, "message identifier is not specified"),
    ("editMessageText", _to("$ann", message_id=9999), "message to edit not found"),
    ("editMessageText", _to("$ann", message_id="$said"), "message can't be edited"),
    ("editMessageText", _to("$ann", message_id="$photo"), "there is no text in the message to edit"),
    ("editMessageText", _to("$ann", "mine", message_id="$mine", reply_markup=button(text="a", callback_data="b")), KEYBOARD_SAME),
    ("editMessageCaption", {"chat_id": "$ann", "message_id": "$mine", "caption": "x"}, "there is no caption in the message to edit"),
    ("editMessageReplyMarkup", {"chat_id": "$ann", "message_id": "$photo"}, KEYBOARD_SAME),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$in_album", "media": D}, "can't change media type in the album"),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$photo", "media": P}, KEYBOARD_SAME),
    ("editMessageMedia", {"chat_id": "$ann", "message_id": "$photo", "media": {"type": "photo"}}, "can't parse InputMedia: media not found"),
    ("deleteMessage", {"chat_id": "$ann"}, "message identifier is not specified"),
    ("deleteMessage", {"chat_id": "$ann", "message_id": 9999}, "message to delete not found"),
    ("deleteMessage", {"chat_id": "$group", "message_id": 9999}, "message to delete not found"),
    ("deleteMessages", {"chat_id": "$ann", "message_ids": []}, "message identifiers are not specified"),
    ("deleteMessages", {"chat_id": "$ann", "message_ids": [1] * 101}, "too many message identifiers specified"),
]  # fmt: skip

ARTICLE = {
    "type": "article",
    "id": "1",
    "title": "t",
    "input_message_content": {"message_text": "x"},
}


def _results(*results: object, **more: Any) -> Params:
    return {"inline_query_id": "$inline", "results": list(results)} | more


OTHERS: list[Row] = [
    ("setMyCommands", {"commands": "x"}, "can't parse commands JSON object"),
    ("setMyCommands", {"commands": "{}"}, "expected an Array of BotCommand"),
    ("setMyCommands", {"commands": [7]}, "expected an Array of BotCommand"),
    ("setMyCommands", {"commands": [{"command": "", "description": "x"}]}, "BOT_COMMAND_INVALID"),
    ("setMyCommands", {"commands": [{"command": "a", "description": " "}]}, "command description must be non-empty"),
    ("setMyCommands", {"commands": [], "scope": "[]"}, "botCommandScope must be an Object"),
    ("setMyCommands", {"commands": [], "scope": {"type": "chat"}}, "chat_id is empty"),
    ("setMyCommands", {"commands": [], "scope": {}}, 'can\'t parse BotCommandScope: Can\'t find field "type"'),
    ("answerInlineQuery", {"inline_query_id": "1", "results": "{}"}, "expected an Array of inline query results"),
    ("answerInlineQuery", _results(7), "can't parse inline query result: expected an Object"),
    ("answerInlineQuery", _results({}), 'can\'t parse inline query result: Can\'t find field "type"'),
    ("answerInlineQuery", _results({"type": "photo", "id": "1"}), 'can\'t parse inline query result: Can\'t find field "photo_url"'),
    ("answerInlineQuery", _results({"type": "nothing", "id": "1"}), "can't parse inline query result: invalid inline query result type"),
    ("answerInlineQuery", _results(ARTICLE, button={}), 'can\'t parse inline query results button: Can\'t find field "text"'),
    ("answerInlineQuery", _results(ARTICLE, button={"text": "b"}), "inline query results button must have exactly one optional field"),
    ("answerInlineQuery", _results(ARTICLE | {"input_message_content": {"message_text": " "}}), "message text is empty"),
    ("answerInlineQuery", _results(ARTICLE | {"reply_markup": button()}), "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
    ("answerCallbackQuery", {"callback_query_id": "1"}, OLD_QUERY),
    ("answerCallbackQuery", {"callback_query_id": "1", "text": "x" * 201}, "MESSAGE_TOO_LONG"),
    ("answerInlineQuery", {"inline_query_id": "1", "results": []}, OLD_QUERY),
    ("answerInlineQuery", {"inline_query_id": "1", "results": "x"}, "can't parse inline query results JSON object"),
    ("answerInlineQuery", _results(*({**ARTICLE, "id": str(i)} for i in range(51))), "too many inline query results specified"),
    ("answerInlineQuery", _results(ARTICLE, ARTICLE), "RESULT_ID_DUPLICATE"),
    ("answerInlineQuery", _results(ARTICLE | {"id": "x" * 65}), "RESULT_ID_INVALID"),
    ("answerInlineQuery", _results({"type": "article", "id": "1", "title": "t"}), "can't parse inline query result: message content is not specified"),
    ("answerInlineQuery", _results(ARTICLE, next_offset="x" * 65), "NEXT_OFFSET_INVALID"),
    ("answerInlineQuery", _results(ARTICLE, button={"text": "b", "start_parameter": "no good"}), "START_PARAM_INVALID"),
    ("setMyCommands", {"commands": [{"command": "Bad", "description": "x"}]}, "BOT_COMMAND_INVALID"),
    ("setMyCommands", {"commands": [{"command": "good"}]}, 'can\'t parse BotCommand: Can\'t find field "description"'),
    ("setMyCommands", {"commands": [{"command": "a" * 33, "description": "x"}]}, "command length must not exceed 32"),
    ("setMyCommands", {"commands": [{"command": "a", "description": "x" * 257}]}, "command description length must not exceed 256"),
    ("setMyCommands", {"commands": [{"command": f"c{i}", "description": "x"} for i in range(101)]}, "BOT_COMMANDS_TOO_MUCH"),
    ("setMyCommands", {"commands": [], "scope": {"type": "nowhere"}}, "unsupported BotCommandScope type"),
    ("setMyCommands", {"commands": [], "language_code": "eng"}, "invalid language code specified"),
    ("setMyCommands", {"commands": [], "language_code": "DE"}, "invalid language code specified"),
    ("setMyShortDescription", {"short_description": "x" * 121}, "short description is too long"),
    ("setWebhook", {"url": "http://example.org/"}, "bad webhook: An HTTPS URL must be provided for webhook"),
    ("setWebhook", {"url": "https://example.org:81/"}, "bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443"),
    ("setWebhook", {"url": "https://example.org/", "secret_token": "a b"}, "secret token contains unallowed characters"),
    ("setWebhook", {"url": "https://example.org/", "secret_token": "a" * 257}, "secret token is too long"),
]  # fmt: skip

FORBIDDEN: list[tuple[str, str]] = [
    ("$stranger", "bot can't initiate conversation with a user"),
    ("$blocker", "bot was blocked by the user"),
    ("$gone", "user is deactivated"),
    ("$deleted", "the group chat was deleted"),
    *((f"$left_{kind}", f"bot is not a member of the {kind} chat")
      for kind in ("group", "supergroup", "channel")),
    *((f"$kicked_{kind}", f"bot was kicked from the {kind} chat")
      for kind in ("group", "supergroup", "channel")),
]  # fmt: skip

BAD_REQUESTS = TEXT + MARKUP + CHATS + FILES + ALBUMS + EDITS + OTHERS
