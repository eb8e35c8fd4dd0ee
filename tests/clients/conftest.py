"""A chat with a message and a pressed button, which each client library handles."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.telegram.harness import Api, photo, served, video


@dataclass
class Scene:
    """A server, a chat and files to send."""

    api: Api
    chat: int
    photo: Path
    video: Path
    query_id: str

    async def check(self) -> None:
        """Assert that all stories arrived, and that all calls had only known parameters."""
        shown = [message for message in await self.api.shown(self.chat) if "_source" in message]
        ways = [(message["_source"], message["_story_pk"]) for message in shown]
        assert ways == [("upload", "1"), ("upload", "2")] * 2 + [
            ("file_id", "1"),
            ("file_id", "2"),
        ]
        answer = await self.api.control("GET", f"callbacks/{self.query_id}")
        assert answer == {"answered": True, "show_alert": False, "text": "seen"}
        odd = [
            entry for entry in self.log() if "unknown_params" in entry or "missing_params" in entry
        ]
        assert odd == []

    def log(self) -> list[dict[str, Any]]:
        """Return the requests that the server received."""
        return self.api.telegram.log.since(0)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """Run a fresh server with a chat, a message and a pressed button."""
    async with served() as api:
        chat = await api.person("Ann")
        keyboard = {"inline_keyboard": [[{"text": "p", "callback_data": "p"}]]}
        message = await api.ok("sendMessage", chat_id=chat, text="hi", reply_markup=keyboard)
        pressed = await api.control(
            "POST",
            f"chats/{chat}/press",
            user_id=chat,
            message_id=message["message_id"],
            data="p",
        )
        pictures = tmp_path / "photo.jpg", tmp_path / "video.mp4"
        pictures[0].write_bytes(photo())
        pictures[1].write_bytes(video())
        yield Scene(api, chat, *pictures, pressed["callback_query_id"])
