"""Button data in links to the bot."""

import re
import string

from hypothesis import given
from hypothesis import strategies as st

from bot.presentation.actions import decode_payload, encode_payload

DATA = st.text(string.ascii_lowercase + string.digits + "_:.@-", max_size=30)


@given(DATA.filter(lambda data: not data.startswith("stories")))
def test_a_link_gives_back_its_data_and_has_only_the_characters_that_telegram_allows(
    data: str,
) -> None:
    payload = encode_payload(data)
    assert decode_payload(payload) == data
    assert re.fullmatch("[A-Za-z0-9_-]*", payload)
