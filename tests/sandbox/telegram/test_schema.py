"""The committed schema is aiogram's, and tells what is not in the Bot API."""

from sandbox.telegram import schema
from sandbox.telegram.call import METHODS
from sandbox.telegram.export_schema import SCHEMA, build, dump


def test_the_file_equals_the_installed_aiogram() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == dump(build())


def test_every_method_served_is_published() -> None:
    published = schema.load().methods
    assert METHODS.keys() <= published.keys()


def test_unknown_names_are_found_at_any_depth() -> None:
    send = schema.load().methods["sendmediagroup"]
    item = {"type": "photo", "media": "x", "captoin": "y", "caption_entities": [{"kind": "bold"}]}
    assert schema.unknown_params(send, {"chat": 1, "media": [item]}) == [
        "chat",
        "media[0].captoin",
        "media[0].caption_entities[0].kind",
    ]
    assert schema.unknown_params(send, {"chat_id": 1, "media": "no json"}) == []
    assert schema.missing_params(send, {"media": []}) == ["chat_id"]
