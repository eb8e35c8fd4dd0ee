"""Invoices, payments in Stars and their return."""

from typing import Any

from sandbox.telegram import happenings, sending
from sandbox.telegram.call import Call, method, whole
from sandbox.telegram.model import Message
from sandbox.telegram.people import Person
from sandbox.telegram.refusals import bad_request
from sandbox.telegram.world import Checkout, World

ANSWER_WITHIN_S = 10.0
STARS = "XTR"
_LIMITS = {"title": 32, "description": 255}
_OLD = "query is too old and response timeout expired or query ID is invalid"


def _invoice(call: Call) -> dict[str, Any]:
    _check_texts(call)
    total = _total(call)
    currency = call.text("currency")
    if currency != STARS and not call.text("provider_token"):
        raise bad_request("PAYMENT_PROVIDER_INVALID")
    if total <= 0:
        raise bad_request("CURRENCY_TOTAL_AMOUNT_INVALID")
    return {
        "title": call.text("title"),
        "description": call.text("description"),
        "start_parameter": call.text("start_parameter"),
        "currency": currency,
        "total_amount": total,
    }


def _check_texts(call: Call) -> None:
    for field in ("title", "description", "payload", "currency", "prices"):
        if not call.text(field):
            raise bad_request(f'parameter "{field}" is required')
    for field, limit in _LIMITS.items():
        if len(call.text(field)) > limit:
            raise bad_request(f"PRODUCT_{field.upper()}_INVALID")
    if len(call.text("payload").encode()) > 128:
        raise bad_request("INVOICE_PAYLOAD_INVALID")


def _total(call: Call) -> int:
    prices = call.json("prices", "prices")
    if not isinstance(prices, list):
        raise bad_request("expected an Array of labeled prices")
    for price in prices:
        if not isinstance(price, dict):
            raise bad_request("can't parse labeled price: LabeledPrice must be an Object")
        if not isinstance(price.get("label"), str):
            raise bad_request("can't parse labeled price: Can't find field \"label\"")
    if not prices:
        raise bad_request("there must be at least one price")
    if call.text("currency") == STARS and len(prices) != 1:
        raise bad_request("STARS_INVOICE_INVALID")
    return sum(whole(price.get("amount", 0)) for price in prices)


@method("sendInvoice")
async def send_invoice(call: Call) -> dict[str, Any]:
    """Something to pay for, with its button."""
    invoice = _invoice(call)
    where = sending.place(call, "text")
    if where.keyboard is None:
        pay = {"text": f"Pay {invoice['total_amount']} {invoice['currency']}", "pay": True}
        where.keyboard = {"inline_keyboard": [[pay]]}
    elif not where.keyboard["inline_keyboard"][0][0].get("pay"):
        raise bad_request("the first button must be a Pay button")
    sending.charge(call, where.chat)
    message = sending.post(call, where, {"invoice": invoice})
    message.invoice = {
        "currency": invoice["currency"],
        "total_amount": invoice["total_amount"],
        "invoice_payload": call.text("payload"),
    }
    return message.view(call.bot)


@method("answerPreCheckoutQuery")
async def answer_pre_checkout_query(call: Call) -> bool:
    """Whether the payment may go through; within 10 s."""
    accepted = call.flag("ok")
    if not accepted and not call.text("error_message"):
        raise bad_request("error message can't be empty")
    checkout = call.world.checkouts.get(call.text("pre_checkout_query_id"))
    now = call.world.clock.now()
    if checkout is None or checkout.bot is not call.bot or checkout.answer is not None:
        raise bad_request(_OLD)
    if now - checkout.at > ANSWER_WITHIN_S:
        raise bad_request(_OLD)
    checkout.answer = {"ok": accepted}
    if not accepted:
        checkout.answer["error_message"] = call.text("error_message")
        return True
    _paid(call.world, checkout, call.text("pre_checkout_query_id"))
    return True


def _paid(world: World, checkout: Checkout, query_id: str) -> None:
    checkout.charge_id = f"stars_{query_id}"
    payment = checkout.invoice | {
        "telegram_payment_charge_id": checkout.charge_id,
        "provider_payment_charge_id": "",
    }
    checkout.bot.stars += checkout.invoice["total_amount"]
    sender = checkout.person.user()
    message = world.service(checkout.chat, sender, successful_payment=payment)
    happenings.tell(world, checkout.chat, message)


@method("refundStarPayment")
async def refund_star_payment(call: Call) -> bool:
    """The Stars go back to the person."""
    user_id, charge = call.integer("user_id"), call.text("telegram_payment_charge_id")
    if user_id <= 0:
        raise bad_request("invalid user_id specified")
    checkout = next(
        (
            known
            for known in call.world.checkouts.values()
            if known.charge_id == charge and known.person.id == user_id and known.bot is call.bot
        ),
        None,
    )
    if not charge or checkout is None:
        raise bad_request("CHARGE_NOT_FOUND")
    if checkout.refunded:
        raise bad_request("CHARGE_ALREADY_REFUNDED")
    checkout.refunded = True
    call.bot.stars -= checkout.invoice["total_amount"]
    refund = checkout.invoice | {
        "telegram_payment_charge_id": charge,
        "provider_payment_charge_id": "",
    }
    message = call.world.service(checkout.chat, call.bot.user(), refunded_payment=refund)
    happenings.tell(call.world, checkout.chat, message)
    return True


@method("getMyStarBalance")
async def get_my_star_balance(call: Call) -> dict[str, Any]:
    """How many Stars the bot has."""
    return {"amount": call.bot.stars}


def start_checkout(world: World, message: Message, person: Person, query_id: str) -> int | None:
    """A person pays an invoice: the bot is asked first.

    Raises:
        ValueError: the message is no invoice.
    """
    if message.bot is None or message.invoice is None:
        raise ValueError("the message is no invoice")
    checkout = Checkout(message.bot, person, message.chat, world.clock.now(), message.invoice)
    world.checkouts[query_id] = checkout
    query = {"id": query_id, "from": person.user(), **message.invoice}
    return message.bot.inbox.put("pre_checkout_query", query, f"payment:{person.id}")
