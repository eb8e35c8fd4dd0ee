"""Generate docs/configuration.md from the settings: ``python -m tools.configuration``."""

import json
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from bot.config import Settings

PAGE = Path("docs/configuration.md")
HEAD = """# Settings

The bot reads the settings once at the start, from the environment and from the file `.env` in the
current folder. `storybell --env-file FILE COMMAND` reads another file. The environment takes
precedence. Only the first two settings are needed. `storybell check` explains faults of the
settings without showing a value.

To change a setting, change the file and restart the bot. In a clone the file is `.env`, with
[systemd](systemd.md) `/etc/storybell.env`, and with [Docker](docker.md) `.env` beside
`compose.yaml` (`docker compose up --detach` then restarts the bot with the new settings). On
[a platform](platform.md) set the variables in the platform's settings.

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
