"""Migrations, one set for both databases."""
