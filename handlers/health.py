"""/health: current problems and today's figures."""

from bot.context import Context
from bot.domain.incidents import Incident
from bot.domain.sentences import N_, NN_
from bot.operations.incidents import text_with_advice_if_open
from bot.presentation.actions import RUN, Buttons
from handlers.guard import command
from handlers.money import STOPPED, balance_text, resume_spending_row, unconfirmed_line
from handlers.replies import say

OVER = 5
WELL = N_("✅ Nothing is wrong.")
SINCE = N_("⚠️ #{number}, {ago}: {text}")
ENDED = N_("#{number}, {ago}: {text}")
BEFORE = N_("<b>Earlier problems</b>")
SPENT = NN_("Today: {spent} of {n} credit", "Today: {spent} of {n} credits")
FIGURES = N_(
    "Profiles checked: {profiles} / {possible}\n"
    "Average time from post to alert: {delay}\n"
    "Alerts waiting: {waiting}, given up: {dead_letters}"
)


@command("health")
async def show_health(context: Context) -> None:
    """Show current problems, today's figures and earlier problems, with buttons for solutions."""
    services = context.services
    t = context.t
    stands = await services.overview.read_check_and_alert_figures()
    spent = await services.reports.read_spending()
    buttons: Buttons = []
    lines: list[str] = [_incident_line(SINCE, incident, context) for incident in stands.still_open]
    if await services.ledger.is_spending_stopped():
        lines.append(t(STOPPED))
        buttons += resume_spending_row(context)
    lines = lines or [t(WELL)]
    if stands.dead_letters:  # the admin page lets the owner send failed alerts again
        buttons.append([context.button(N_("The admin page"), RUN("admin"))])
    figures = t(
        FIGURES,
        profiles=stands.profiles,
        possible=stands.possible,
        delay=stands.delay or t.plain("unknown"),
        waiting=stands.waiting,
        dead_letters=stands.dead_letters,
    )
    today = t(SPENT, spent=spent.confirmed_credits_today, n=spent.budget)
    lines += ["", today, unconfirmed_line(spent, context) + figures]
    if balance := balance_text(spent, context):
        lines.append(balance)
    over = [incident for incident in stands.last if incident.closed_at][:OVER]
    if over:
        lines += ["", t(BEFORE), *(_incident_line(ENDED, incident, context) for incident in over)]
    await say(context, "\n".join(lines), buttons)


def _incident_line(sentence: str, incident: Incident, context: Context) -> str:
    t = context.t
    now = context.now
    ago = t.ago(incident.closed_at or incident.opened_at, now)
    return t(sentence, number=incident.id, ago=ago, text=text_with_advice_if_open(t, incident))
