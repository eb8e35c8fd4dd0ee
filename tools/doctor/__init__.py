"""Test the sandbox's assumptions against the real services: ``python -m tools.doctor``."""
