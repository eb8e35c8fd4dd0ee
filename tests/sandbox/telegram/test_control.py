"""What the chat page and the tests ask for."""

from typing import Any

from tests.sandbox.telegram.harness import Api, photo


async def _get(api: Api, path: str, status: int = 200) -> Any:
    async with api.session.get(f"{api.control_base}/control/{path}") as answer:
        assert answer.status == status
        return await answer.json()


async def test_files_and_limits_can_be_looked_at(api: Api) -> None:
    ann = await api.person()
    _, body = await api.upload("sendPhoto", {"chat_id": ann}, photo=photo())
    file_id = body["result"]["photo"][0]["file_id"]
    async with api.session.get(f"{api.control_base}/control/files/{file_id}") as answer:
        assert answer.content_type == "image/jpeg"
        assert await answer.read() == photo()
    await _get(api, "files/nonsense", 404)
    assert (await _get(api, "limits"))["enabled"] is False
