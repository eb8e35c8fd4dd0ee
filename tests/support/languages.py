"""The languages as parameters of slow tests."""

import pytest

from bot.presentation.translation import LANGUAGES

# English, a language with many plural forms, and a right-to-left language.
FIRST = ("en", "ru", "ar")
EACH = [pytest.param(code, marks=() if code in FIRST else pytest.mark.slow) for code in LANGUAGES]
"""``FIRST`` for ``make test``, and all languages for ``make test-slow``."""
