"""How a database is spoken to: engines, transactions, what its errors mean, migrations."""
