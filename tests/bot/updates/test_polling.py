"""Long polling against the sandbox: confirmed when stored, and never alive but deaf."""

import asyncio
from typing import Any

import pytest
from pydantic import SecretStr

from bot.updates.polling import Polling, TokenRefusedError
from bot.web.webhook import derive_webhook
from tests.support.control import refused, wait_for
from tests.support.sandbox import Box
from tests.support.telegram import TOKEN, bot_at

KINDS = ["message", "callback_query"]
SOON: dict[str, Any] = {"first_pause_s": 0.05, "refused_pause_s": 0.05}


class Store:
    """Takes updates; fails as often as told."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.updates: list[int] = []

    async def __call__(self, updates: list[dict[str, Any]]) -> None:
        if self.failures:
            self.failures -= 1
            raise OSError
        self.updates += [update["update_id"] for update in updates]


async def polled(box: Box, store: Store, faults: list[dict[str, Any]]) -> Polling:
    """Poll until two messages arrived, one before the faults and one after."""
    ann = await box.control.person()
    async with bot_at(box.urls.telegram) as bot, asyncio.TaskGroup() as group:
        ours = Polling(bot, store, allowed_updates=KINDS, poll_s=1, **SOON)
        task = group.create_task(ours.poll_until_cancelled())
        await box.control.say(ann, "one")
        await wait_for(lambda: len(store.updates) >= 1)
        for fault in faults:
            await box.control.fault("telegram", fault, match="getUpdates")
        await box.control.say(ann, "two")
        await wait_for(lambda: len(set(store.updates)) >= 2)
        assert ours.is_alive
        task.cancel()
    return ours


async def test_pulses_of_errors_are_outlived(box: Box) -> None:
    pulses = [refused("no", status) for status in (401, 404, 409, 500, 502)]
    pulses += [{"status": 200, "body": "<html>"}, {"reset": "after"}]
    await polled(box, Store(), pulses)


async def test_what_was_not_stored_is_not_confirmed(box: Box) -> None:
    store = Store(failures=2)
    await polled(box, store, [])
    assert store.updates == sorted(set(store.updates))


async def test_a_token_that_is_refused_again_and_again_ends_it(box: Box) -> None:
    async with bot_at(box.urls.telegram) as bot:
        ours = Polling(bot, Store(), allowed_updates=KINDS, poll_s=1, **SOON)
        await box.control.fault("telegram", refused("no", 401), match="getUpdates", times=None)
        with pytest.raises(TokenRefusedError) as caught:
            async with asyncio.timeout(60):
                await ours.poll_until_cancelled()
    assert TOKEN not in str(caught.value)


async def test_a_webhook_is_taken_away_by_itself(box: Box) -> None:
    ann = await box.control.person()
    store = Store()
    async with bot_at(box.urls.telegram) as bot, asyncio.TaskGroup() as group:
        secret = derive_webhook(SecretStr(TOKEN)).secret.get_secret_value()
        await bot.set_webhook("http://127.0.0.1:9/hook", secret_token=secret)
        await box.control.say(ann, "kept")
        task = group.create_task(
            Polling(bot, store, allowed_updates=KINDS, poll_s=1, **SOON).poll_until_cancelled()
        )
        await wait_for(lambda: store.updates)
        await bot.set_webhook("http://127.0.0.1:9/hook", secret_token=secret)
        await bot.delete_webhook()
        task.cancel()


async def test_silence_shows(box: Box) -> None:
    now = [0.0]
    async with bot_at(box.urls.telegram) as bot:
        ours = Polling(bot, Store(), allowed_updates=KINDS, clock=lambda: now[0])
        assert ours.is_alive
        now[0] = 51
        assert ours.seconds_since_last_success == 51
        assert not ours.is_alive


async def test_a_full_inbox_leaves_updates_with_telegram(box: Box) -> None:
    ann = await box.control.person()
    await box.control.say(ann, "wait")
    store, behind = Store(), [True]
    async with bot_at(box.urls.telegram) as bot, asyncio.TaskGroup() as group:
        ours = Polling(
            bot,
            store,
            allowed_updates=KINDS,
            poll_s=1,
            must_refuse_updates=lambda: behind[0],
            **SOON,
        )
        task = group.create_task(ours.poll_until_cancelled())
        await asyncio.sleep(0.2)
        assert not store.updates
        assert ours.is_alive
        behind[0] = False
        await wait_for(lambda: store.updates)
        task.cancel()
