"""The cost of the paid API, with reservations, settlements and spending limits.

Input: the payer and the endpoint of a call. Output: an entry of the ledger with the billed
credits, or the error that names the limit. ``balance`` compares the ledger with the balance at the
API. ``reports`` and ``people`` report the spending. Amounts are whole credits. Public:
``ledger.Ledger``, ``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.guests``,
``balance.Treasurer``.
"""
