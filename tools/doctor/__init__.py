"""Tries on the real services what the stand-ins believe of them: ``python -m tools.doctor``."""
