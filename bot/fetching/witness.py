"""A witness for the API: a call that no person asked for tells an outage from a sick account."""

from bot.billing.ledger import Ledger, Payer
from bot.domain.errors import (
    ApiUnavailableError,
    OutOfServiceError,
    ProfileUnavailableError,
    SpendingError,
    StoriesError,
)
from bot.domain.paid_calls import Call
from bot.stories_api.client import StoriesApi

_WELL_KNOWN = "instagram"  # its own account; asked only where no other witness is answered
_PAYER = Payer("schedule")


class Witness:
    """Asks about a profile whose last check was answered when others fail."""

    def __init__(self, api: StoriesApi, ledger: Ledger) -> None:
        """Begin with the well-known account alone."""
        self._api = api
        self._ledger = ledger
        self.worked: str | None = None
        """The profile about which the schedule's last call was answered."""

    async def is_answered(self) -> bool | None:
        """Return whether the API answers about a witness; None where that can't be paid.

        What worked last is asked first, then the well-known account, since each may be sick
        itself; 0 credits while the API fails, else 1 or 2.
        """
        asked = False
        for call in self._calls():
            try:
                await self._ledger.spend(_PAYER, call)
            except (SpendingError, OutOfServiceError):
                return False if asked else None
            except ProfileUnavailableError:
                return True  # of this account; the API answered
            except ApiUnavailableError:
                asked = True
            except StoriesError:
                return True  # not the wanted answer, but the API's
            else:
                return True
        return False

    def _calls(self) -> list[Call[object]]:
        calls: list[Call[object]] = []
        if self.worked is not None:
            calls.append(self._api.stories(self.worked, probe=True))
        calls.append(self._api.profile(_WELL_KNOWN, probe=True))
        return calls
