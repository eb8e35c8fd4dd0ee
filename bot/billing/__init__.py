"""The cost of the paid API, with reservations, settlements and spending limits.

The input of the package is a paid call, with the purpose and the person or chat of the call. The
output is the value of the call and an entry of the ledger with the billed credits, or an error
that names the reached limit. The module ``balance`` compares the ledger with the balance at the
Stories API. The modules ``reports`` and ``people`` report the spending. Amounts are whole credits,
except the costs in ``people``, which are thousandths of a credit. Public: ``ledger.Ledger``,
``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.Guest`` with the functions that
return guests, and ``balance.Treasurer``.
"""
