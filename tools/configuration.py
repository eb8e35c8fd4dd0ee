"""Generate docs/configuration.md from the settings: ``python -m tools.configuration``."""

import json
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.config import Settings

PAGE = Path("docs/configuration.md")
HEAD = """# Settings

The bot reads the settings once at the start, from the environment and from the file `.env` in the
current folder. `storybell --env-file FILE COMMAND` reads `FILE` instead of `.env`. If a setting is
in both places, the value in the environment counts. Only the first two settings are needed.
`storybell check` explains faults of the settings without showing a token or key.

To change a setting, change the file and restart the bot. The file depends on your installation:

- [a clone](clone.md): `.env`;
- [systemd](systemd.md): `/etc/storybell.env`;
- [Docker](docker.md): `.env` beside `compose.yaml`. `docker compose up --detach` restarts the bot
  with the new settings;
- [a platform](platform.md): no file. Set the variables in the platform's settings.

A line of the file is `NAME=value`, for example `DAILY_BUDGET=100`. In the table, *needed* means
that the setting has no default value, and *none* means that the setting is empty by default.

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
