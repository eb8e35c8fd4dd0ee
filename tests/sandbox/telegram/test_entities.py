"""Text as Telegram's own parser reads it."""

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.telegram.entities import formatted, utf16

WORDS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Zl", "Zp", "Co", "Cn"))
)


@given(WORDS)
@settings(max_examples=300, deadline=None)
def test_escaped_text_comes_back_as_it_was(text: str) -> None:
    shown, found = formatted(escape(text), "html")
    plain, _ = formatted(text, "")
    assert shown == plain
    assert all(e["offset"] + e["length"] <= utf16(shown) for e in found)


@pytest.mark.parametrize(
    ("html", "kinds"),
    [
        ("<i>a</i><u>b</u><s>c</s>", ["italic", "underline", "strikethrough"]),
        ("<tg-spoiler>a</tg-spoiler><code>b</code>", ["spoiler", "code"]),
        ("<pre><code class='language-py'>a</code></pre>", ["pre"]),
        ("<blockquote>a</blockquote>", ["blockquote"]),
        ("<blockquote expandable>a</blockquote>", ["expandable_blockquote"]),
        ("<a href='tg://user?id=123'>a</a>", ["text_mention"]),
        ("<tg-emoji emoji-id='5368324170671202286'>😀</tg-emoji>", ["custom_emoji"]),
        ("<tg-time unix='1700000000'>a</tg-time>", ["date_time"]),
        ("#a $USD a@b.com +12025550123 @user", ["hashtag", "cashtag", "email", "mention"]),
        ("<code>@user</code> 4242424242424242 0:15", ["code"]),
    ],
)
def test_kinds_of_entities(html: str, kinds: list[str]) -> None:
    assert [
        entity["type"] for entity in formatted(html, "html")[1] if entity["type"] != "phone_number"
    ] == kinds
