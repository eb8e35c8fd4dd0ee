"""Generate docs/configuration.md from the settings: ``python -m tools.configuration``."""

import json
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.config import Settings

PAGE = Path("docs/configuration.md")
HEAD = """# Settings

A setting is a variable of the environment, or a line `NAME=value` in the settings file, for
example `DAILY_BUDGET=100`. If a setting is in both places, the value in the environment applies.
You must set only `TELEGRAM_TOKEN` and `STORIES_API_KEY`. The command `storybell check` explains
faults of the settings. Its output contains no token and no key.

The bot reads the settings only at its start. To change a setting, edit the settings file, and
restart the bot. The settings file depends on your installation:

- [A clone](clone.md): the file is `.env` in the clone.
- [systemd](systemd.md): the file is `/etc/storybell.env`.
- [Docker](docker.md): the file is `.env` beside `compose.yaml`. To restart the bot, run
  `docker compose up --detach`.
- [A platform](platform.md): there is no file. Set the variables on the platform.

If you installed the bot in another way, the file is `.env` in the current folder. To use a
different file, write `storybell --env-file FILE COMMAND`.

The table uses these words:

- *needed* in the column *default*: you must set this setting.
- *none* in the column *default*: the setting is empty by default.
- A *credit* is the unit in which the [Stories API](stories-api.md) bills calls.
- A *question* is a request of a person that can cost credits, for example `/stories natgeo`.
- A *check* is a paid call for the stories of a subscribed profile (an Instagram account). The bot
  sends alerts about the new stories that a check finds.
- A *day* begins at midnight (UTC).

| setting | default | meaning |
|---|---|---|
"""


def page() -> str:
    """Return the page as Markdown: each setting with its default value and its meaning."""
    rows = [
        f"| `{name.upper()}` | {default(field)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    return HEAD + "\n".join(rows) + "\n"


def default(field: FieldInfo) -> str:
    """Return the default value of a setting in the format of an environment variable."""
    if field.is_required():
        return "needed"
    value = field.default
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, frozenset):
        value = ",".join(sorted(map(str, value)))
    if value is None or value == "":
        return "none"
    return f"`{json.dumps(value) if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
