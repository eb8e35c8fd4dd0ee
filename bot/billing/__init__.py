"""The cost of the paid API, with reservations, settlements and spending limits.

Amounts are usually whole credits, and thousandths of a credit in ``people``. Public:
``ledger.Ledger``, ``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.Guest`` with
the functions that return guests, and ``balance.Treasurer``.
"""
