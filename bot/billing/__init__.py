"""What the paid API costs: reserve before a call, settle after it, and who may spend how much.

In: who pays, and the endpoint of a call. Out: an entry of the ledger with what was really
billed, or the error that names the limit. ``balance`` compares the ledger with the account;
``reports`` and ``people`` tell where the money went. Money is whole credits. Public:
``ledger.Ledger``, ``ledger.Payer``, ``ledger.Bill``, ``reports.Reports``, ``people.guests``,
``balance.Treasurer``.
"""
