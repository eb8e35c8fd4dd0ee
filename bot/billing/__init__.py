"""The cost of the paid API, with reservations, settlements and spending limits.

The result of a paid call is its value and an entry of the ledger, or an error that names the
reached limit. Amounts are whole credits, except in ``people``: thousandths of a credit. Public:
``ledger.Ledger``, ``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.Guest`` with
the functions that return guests, and ``balance.Treasurer``.
"""
