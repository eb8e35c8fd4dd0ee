"""Copies of the database: backups, restore, and the move from SQLite to PostgreSQL."""
