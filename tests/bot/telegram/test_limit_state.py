"""What is remembered of the chats."""

from bot.telegram.limit_state import ChatFloods


def test_what_a_fresh_chat_equals_is_forgotten() -> None:
    now = [0.0]
    floods = ChatFloods(lambda: now[0], remembered=3)
    for chat in range(1, 10):
        now[0] += 100
        assert not floods.count_messages_or_get_wait_s(chat, 1, "alert")
    assert len(floods._chats) <= 3  # noqa: SLF001 - memory shows nowhere else
