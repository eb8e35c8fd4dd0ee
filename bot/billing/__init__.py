"""The cost of the paid API, with reservations, settlements and spending limits.

Amounts are whole credits, except in ``people``: thousandths of a credit. Public:
``ledger.Ledger``, ``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.Guest`` with
the functions that return guests, and ``balance.Treasurer``.
"""
