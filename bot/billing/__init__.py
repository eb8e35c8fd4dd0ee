"""The cost of the paid API: reservation before a call, settlement after, and spending limits.

In: who pays, and the endpoint of a call. Out: an entry of the ledger with what was really
billed, or the error that names the limit. ``balance`` compares the ledger with the account;
``reports`` and ``people`` tell where the money went. Money is whole credits. Public:
``ledger.Ledger``, ``ledger.Charge``, ``ledger.Bill``, ``reports.Reports``, ``people.guests``,
``balance.Treasurer``.
"""
