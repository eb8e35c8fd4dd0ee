"""The languages as parameters of tests that take long for each."""

import pytest

from bot.presentation.translation import LANGUAGES

# English, one with many plural forms, and one that is written from right to left.
FIRST = ("en", "ru", "ar")
EACH = [pytest.param(code, marks=() if code in FIRST else pytest.mark.slow) for code in LANGUAGES]
"""The ``FIRST`` for ``make test``, and all for ``make test-slow``."""
