"""Copies of the database: backups, the way back, the move from SQLite to PostgreSQL."""
