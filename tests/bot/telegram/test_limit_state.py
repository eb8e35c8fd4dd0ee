"""Where the limits of chats are kept."""

from bot.telegram.limit_state import LocalLimitState


async def test_local_gates_forget_chats() -> None:
    now = [0.0]
    gates = LocalLimitState(lambda: now[0], remembered=3)
    for chat in range(1, 10):
        now[0] += 100
        assert not await gates.enter(chat, 1, "alert")
    assert len(gates._chats) <= 3  # noqa: SLF001 - memory shows nowhere else
