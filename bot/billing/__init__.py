"""The cost of the paid API, with reservations, settlements and spending limits.

The input of the package is the payer and the endpoint of a call. The output is an entry of the
ledger with the billed credits, or an error that names the reached limit. The module ``balance``
compares the ledger with the balance at the Stories API. The modules ``reports`` and ``people``
report the spending. Amounts are whole credits. Public: ``ledger.Ledger``, ``ledger.Charge``,
``ledger.Bill``, ``reports.Reports``, ``people.guests`` and ``balance.Treasurer``.
"""
