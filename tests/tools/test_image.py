"""The image and what starts it: only what runs, without rights, with its own state of health."""

from pathlib import Path
from typing import Any

import yaml

from bot.config import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def test_only_what_runs_goes_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    copied = {line.split()[1].removeprefix("/app/") for line in DOCKERFILE.splitlines()
              if line.startswith("COPY") and "--from" not in line}  # fmt: skip
    assert copied == {"requirements.txt", "bot", "handlers", "locales"}
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert "USER storybell" in DOCKERFILE
    assert "/healthz" in DOCKERFILE
    assert "os.environ['PORT']" in DOCKERFILE


def test_each_setting_that_is_named_is_one() -> None:
    lines = DOCKERFILE.partition("\nENV ")[2].split("VOLUME")[0].replace("\\", " ").split()
    named = {word.partition("=")[0] for word in lines if "=" in word}
    known = {name.upper() for name in Settings.model_fields}
    assert named - known == {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    assert set(COMPOSE["bot"]["environment"]) <= known


def test_no_service_of_compose_has_more_rights_than_it_needs() -> None:
    bot = COMPOSE["bot"]
    assert bot["read_only"]
    assert bot["cap_drop"] == COMPOSE["caddy"]["cap_drop"] == ["ALL"]
    assert "ports" not in bot  # only Caddy can be reached
    assert "profiles" not in bot
    assert (COMPOSE["postgres"]["profiles"], COMPOSE["caddy"]["profiles"]) == (
        ["postgres"], ["webhook"]
    )  # fmt: skip
    assert "path /telegram/*" in (ROOT / "ops/caddy/Caddyfile").read_text()
