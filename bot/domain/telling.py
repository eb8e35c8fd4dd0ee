"""How a part tells the bot's owner something, whoever brings it and in whatever language."""

from typing import Protocol


class Tell(Protocol):
    """Tells each of the bot's admins a sentence in their language."""

    async def __call__(self, sentence: str, /, **fields: object) -> None:
        """Tell ``sentence``, a message id (``N_``), with its ``fields``."""
