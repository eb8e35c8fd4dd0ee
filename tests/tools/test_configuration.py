"""The page of the settings says what the code says."""

import re
from pathlib import Path

from bot.config import Settings
from tools.configuration import PAGE, page


def test_the_page_is_the_one_that_the_settings_give() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m tools.configuration"


def test_every_setting_says_what_it_means() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_the_example_names_the_settings_that_setup_writes() -> None:
    example = re.findall(r"^([A-Z_]+)=", Path(".env.example").read_text("utf-8"), re.MULTILINE)
    needed = [n.upper() for n, field in Settings.model_fields.items() if field.is_required()]
    assert example == [*needed, "DAILY_BUDGET", "CREDIT_PRICE"]
