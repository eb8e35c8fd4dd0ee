"""The periodic check of the balance at the Stories API, and the clean-up of the ledger."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from bot.billing.ledger import Ledger
from bot.domain.errors import StoriesError
from bot.domain.incidents import SetIncident
from bot.domain.packs import BudgetPlan
from bot.domain.paid_calls import Balance, StoriesService
from bot.domain.sentences import NN_
from bot.presentation.budget_line import budget_lines, wrong_price_note
from bot.presentation.translation import translator_for
from bot.runtime.metrics import UNSEEN, Metrics
from bot.runtime.workers import NextStepAt

EVERY = timedelta(minutes=5)
EVERY_WHEN_OUT = timedelta(minutes=1)

_BILLED_MORE = NN_(
    "Since {since}, the Stories API has billed {n} credit more than I counted. Nothing has been "
    "stopped; /spending shows what was counted.",
    "Since {since}, the Stories API has billed {n} credits more than I counted. Nothing has been "
    "stopped; /spending shows what was counted.",
)
_BILLED_LESS = NN_(
    "Since {since}, the Stories API has billed {n} credit less than I counted. Calls without an "
    "answer are counted as billed.",
    "Since {since}, the Stories API has billed {n} credits less than I counted. Calls without an "
    "answer are counted as billed.",
)

log = structlog.get_logger()


class Treasurer:
    """A periodic task that fetches the balance from the Stories API every 5 minutes.

    Each fetch costs 0 credits. The interval is 1 minute while the API refuses paid calls, and
    while the balance is too low.
    """

    def __init__(
        self,
        api: StoriesService,
        ledger: Ledger,
        *,
        tell: SetIncident | None = None,
        credit_price: float | None = None,
        metrics: Metrics = UNSEEN,
        now: Callable[[], datetime],
    ) -> None:
        """Create the periodic task.

        ``tell`` reports a difference between the balance and the ledger to the owners.
        ``credit_price`` is in US dollars. If ``credit_price`` is given, the first fetch logs the
        cost of the daily budget.
        """
        self._api = api
        self._ledger = ledger
        self._tell = tell
        self._credit_price = credit_price
        self._drift = 0
        self.is_answered = False
        """Whether the balance was fetched since the start of the process."""
        metrics.add_computed_gauge(
            "api_drift_credits",
            "Credits billed beyond what the ledger counted.",
            lambda: float(self._drift),
        )
        self._now = now

    async def clean_up_and_fetch_balance(self) -> NextStepAt:
        """Fetch the balance once and clean up the ledger. Return the time of the next fetch.

        The cost is 0 credits. A confirmed difference between the balance and the ledger is
        reported to the owners. A failed fetch is logged.
        """
        is_low = False
        balance = None
        try:
            balance = await self._ledger.fetch_and_store_balance(
                self._api.fetch_balance_and_resume
            )
            is_low = balance.credits <= self._ledger.limits.minimum_balance
        except StoriesError as error:
            log.warning("balance_unknown", reason=str(error))
        else:
            self.is_answered = True
            await self._refund_and_report_drift()
        self._log_budget_once(balance)
        if presumed := await self._ledger.close_old_reservations_and_split_costs():
            log.info("ledger_tidied", presumed=presumed)
        # While no call can be paid, the balance is fetched more often, so that the bot soon
        # detects a top-up.
        is_well = self._api.is_in_service and not is_low
        return self._now() + (EVERY if is_well else EVERY_WHEN_OUT)

    def _log_budget_once(self, balance: Balance | None) -> None:
        """Log the cost of the daily budget once.

        The log has a warning if the balance will soon be spent, and a warning if the configured
        price of a credit is wrong.
        """
        if self._credit_price is None:
            return
        credits_left = balance.credits if balance else None
        plan = BudgetPlan(self._ledger.limits.daily_budget, self._credit_price, credits_left)
        note = wrong_price_note(self._credit_price, balance) if balance else ""
        self._credit_price = None
        write = log.warning if plan.lasts_less_than_two_weeks else log.info
        write("daily budget", plan="; ".join(budget_lines(translator_for("en"), plan)))
        if note:
            log.warning("the price of a credit is wrong", why=note)

    async def _refund_and_report_drift(self) -> None:
        """Report each confirmed difference between balance and ledger to the owners once.

        If the API billed less than the ledger counted, the credits of calls with an unknown bill
        are refunded first.
        """
        drift = await self._ledger.refund_and_pop_confirmed_drift()
        if drift is None:
            return
        self._drift = drift.total + drift.size
        log.warning("ledger_drift", credits=drift.size, since=drift.base.at)
        if self._tell is not None:
            text = _BILLED_MORE if drift.size > 0 else _BILLED_LESS
            await self._tell(text, n=abs(drift.size), since=drift.base.at)
