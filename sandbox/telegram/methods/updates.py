"""The method getUpdates, and the three webhook methods."""

import asyncio
import re
from typing import Any
from urllib.parse import urlsplit

from sandbox.telegram import webhook
from sandbox.telegram.call import Call, method
from sandbox.telegram.people import Bot
from sandbox.telegram.refusals import Refusal, bad_request, conflict, too_many_requests
from sandbox.telegram.schema import load
from sandbox.telegram.updates import Poll
from sandbox.telegram.webhook import Webhook

_LONGEST_S = 50
_OTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"
_WEBHOOK = (
    "can't use getUpdates method while webhook is active; "
    "use deleteWebhook to delete the webhook first"
)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")


def _allowed(call: Call) -> None:
    if "allowed_updates" not in call.params:
        return
    value = call.json("allowed_updates", "allowed updates")
    if not isinstance(value, list):
        return  # in this case, the server keeps the previous allowed_updates
    known = load().objects["Update"].keys() - {"update_id"}
    call.bot.inbox.allow(kind for item in value if (kind := str(item).lower()) in known)


@method("getUpdates")
async def get_updates(call: Call) -> list[dict[str, Any]]:
    """Return pending updates. Without pending updates, wait for updates until the timeout."""
    bot = call.bot
    if call.services.webhooks.get(bot.id) is not None:
        raise conflict(_WEBHOOK)
    inbox = bot.inbox
    offset = call.integer("offset")
    limit = call.integer("limit", 100)
    limit = limit if 1 <= limit <= 100 else 100
    seconds = min(max(0, call.integer("timeout")), _LONGEST_S)
    _allowed(call)
    if inbox.poll is not None:
        inbox.poll.conflict = True
        inbox.wake()
    poll = inbox.poll = Poll()
    now = asyncio.get_running_loop().time()
    # Both time limits begin at the start of the last call. Source: Client.cpp,
    # process_get_updates_query.
    if offset == inbox.last_offset:
        seconds = max(seconds, 3) if now < inbox.last_start + 3.0 else seconds
        limit = 1 if now < inbox.last_start + 0.5 else limit
    inbox.last_offset, inbox.last_start = offset, now
    try:
        if offset:
            inbox.confirm(offset)
        return await _wait(bot, poll, limit, seconds)
    finally:
        if inbox.poll is poll:
            inbox.poll = None


async def _wait(bot: Bot, poll: Poll, limit: int, seconds: float) -> list[dict[str, Any]]:
    inbox = bot.inbox
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    while True:
        if poll.conflict:
            raise conflict(_OTHER)
        if poll.taken_over_by_webhook:
            raise conflict("terminated by setWebhook request")
        inbox.drop_expired()
        if inbox.pending:
            return [update.body() for _, update in zip(range(limit), inbox.pending, strict=False)]
        if loop.time() >= until:
            return []
        arrived = inbox.arrived
        try:
            async with asyncio.timeout_at(until):
                await arrived.wait()
        except TimeoutError:
            continue


@method("setWebhook")
async def set_webhook(call: Call) -> bool:
    """Set the webhook URL for updates. An empty URL removes the webhook."""
    url = call.text("url")
    if not url:
        await delete_webhook(call)
        return True
    secret = call.text("secret_token")
    if secret and not _SECRET.fullmatch(secret):
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        raise bad_request("secret token contains unallowed characters")
    _check_url(url)
    hooks, bot = call.services.webhooks, call.bot
    now = call.world.clock.now()
    if call.services.limits.enabled and now - hooks.set_at.get(bot.id, -10.0) < 1.0:
        raise too_many_requests(1)
    hooks.set_at[bot.id] = now
    _allowed(call)
    _drop_pending(call)
    connections = call.integer("max_connections", 40)
    connections = connections if 1 <= connections <= 100 else 40
    if bot.inbox.poll is not None:
        bot.inbox.poll.taken_over_by_webhook = True
        bot.inbox.wake()
    hook = Webhook(
        url,
        secret,
        connections,
        ip_address=call.text("ip_address"),
        has_certificate="certificate" in call.files,
    )
    await hooks.install(bot, hook)
    return True


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    local = host in webhook.LOOPBACK
    if not host:
        raise _bad_webhook("invalid webhook URL specified")
    if parts.scheme != "https" and not local:
        raise _bad_webhook("An HTTPS URL must be provided for webhook")
    if not local and port not in {None, 443, 80, 88, 8443}:
        raise _bad_webhook("Webhook can be set up only on ports 80, 88, 443 or 8443")


def _bad_webhook(why: str) -> Refusal:
    return Refusal(400, f"Bad Request: bad webhook: {why}")


def _drop_pending(call: Call) -> None:
    if call.flag("drop_pending_updates"):
        call.bot.inbox.pending.clear()


@method("deleteWebhook")
async def delete_webhook(call: Call) -> bool:
    """Remove the webhook, so that getUpdates can be used."""
    _drop_pending(call)
    await call.services.webhooks.remove(call.bot)
    return True


@method("getWebhookInfo")
async def get_webhook_info(call: Call) -> dict[str, Any]:
    """Return the webhook's settings, the last error, and the number of pending updates."""
    inbox = call.bot.inbox
    inbox.drop_expired()
    hook = call.services.webhooks.get(call.bot.id)
    info: dict[str, Any] = {
        "url": hook.url if hook else "",
        "has_custom_certificate": hook.has_certificate if hook else False,
        "pending_update_count": len(inbox.pending),
    }
    if hook is not None:
        info["max_connections"] = hook.max_connections
        info["ip_address"] = hook.ip_address or "127.0.0.1"
        if hook.last_error_at is not None:
            info["last_error_date"] = int(hook.last_error_at)
            info["last_error_message"] = hook.last_error
    if inbox.allowed is not None:
        info["allowed_updates"] = sorted(inbox.allowed)
    return info
