"""Access to the database: engines, transactions, error classification, and migrations."""
