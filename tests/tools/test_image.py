"""The image and what starts it: only what runs, without rights, with its own state of health."""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.config import OTHERS, Settings, load
from tests.support.needs import found, needs

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OF_PYTHON = {"PATH", "PYTHONPATH", "PYTHONSAFEPATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
SECRETS = {"TELEGRAM_TOKEN": f"1:{'x' * 35}", "STORIES_API_KEY": "a-key"}
PROFILES = {
    "postgres": {
        "DATABASE_URL": "postgresql://storybell:PASSWORD@postgres/storybell",
        "POSTGRES_PASSWORD": "PASSWORD",
        "REPLICAS": "2",
    },
    "webhook": {"DOMAIN": "bot.example", "WEBHOOK_URL": "https://bot.example"},
}
"""What the head of compose.yaml says that each profile wants in ``.env``."""
CHOICES = [chosen for count in range(3) for chosen in combinations(PROFILES, count)]


def environment() -> dict[str, str]:
    """Return what the Dockerfile sets."""
    lines = DOCKERFILE.partition("\nENV ")[2].split("VOLUME")[0].replace("\\", " ").split()
    return dict(word.split("=", 1) for word in lines if "=" in word)


def test_pictures_are_the_admin_pages_and_no_lock_of_what_runs_has_a_drawer() -> None:
    for lock in ("requirements/run.txt", "requirements/demo.txt"):
        assert not re.search(r"^(matplotlib|numpy)==", (ROOT / lock).read_text(), re.MULTILINE)


def test_only_what_runs_goes_into_the_image() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*"
    copied = {line.split()[1].removeprefix("/app/") for line in DOCKERFILE.splitlines()
              if line.startswith("COPY") and "--from" not in line}  # fmt: skip
    assert copied == {"requirements/run.txt", "bot", "handlers", "locales"}
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert "USER storybell" in DOCKERFILE
    assert "/healthz" in DOCKERFILE
    assert "os.environ['PORT']" in DOCKERFILE


def test_each_setting_that_is_named_is_one() -> None:
    known = {name.upper() for name in Settings.model_fields}
    assert environment().keys() - known == OF_PYTHON
    assert set(COMPOSE["bot"]["environment"]) <= known
    assert set(re.findall(r"\$\{(\w+)", TEXT)) <= known | OTHERS
    for variables in PROFILES.values():
        assert variables.keys() <= known | OTHERS
        for name in variables:
            assert f"{name}=" in TEXT  # its head tells of it


@pytest.mark.parametrize("chosen", CHOICES)
def test_all_that_is_written_is_in_the_volume(chosen: tuple[str, ...]) -> None:
    given = {name.lower(): value for one in chosen for name, value in PROFILES[one].items()}
    values = {name.lower(): value for name, value in environment().items()} | given
    settings = load(_env_file=None, **{n.lower(): v for n, v in SECRETS.items()}, **values)
    folders = [settings.spool_dir, settings.backup_folder]
    if settings.is_sqlite:
        folders.append(Path(settings.database_url.get_secret_value().removeprefix("sqlite:///")))
    assert all(folder.is_relative_to("/data") for folder in folders)
    assert COMPOSE["bot"]["volumes"] == ["data:/data"]
    assert "WORKDIR /data\n" in DOCKERFILE  # and what a command is told to write without a folder


def test_no_service_of_compose_has_more_rights_than_it_needs() -> None:
    bot = COMPOSE["bot"]
    assert bot["read_only"]
    assert bot["cap_drop"] == COMPOSE["caddy"]["cap_drop"] == ["ALL"]
    assert all(
        port.startswith("127.0.0.1:") for port in bot["ports"]
    )  # Caddy alone can be reached
    assert "profiles" not in bot
    assert (COMPOSE["postgres"]["profiles"], COMPOSE["caddy"]["profiles"]) == (
        ["postgres"], ["webhook"]
    )  # fmt: skip


def test_the_logs_of_each_service_are_rotated() -> None:
    for name, service in yaml.safe_load(TEXT)["services"].items():
        assert {"max-size", "max-file"} <= service["logging"]["options"].keys(), name


@needs("docker-compose")
@pytest.mark.parametrize("chosen", CHOICES)
def test_compose_reads_its_file_and_the_bot_what_it_is_given(
    chosen: tuple[str, ...], tmp_path: Path
) -> None:
    given = dict(SECRETS) | {"COMPOSE_PROFILES": ",".join(chosen)}
    for one in chosen:
        given |= PROFILES[one]
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in given.items()))
    (tmp_path / "compose.yaml").write_text(TEXT)
    done = subprocess.run(  # noqa: S603 - a tool of ours
        [str(found("docker-compose")), "config", "--format", "json"],
        cwd=tmp_path, env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"bot"} | {{"webhook": "caddy"}.get(one, one) for one in chosen}
    bot = services["bot"]
    assert bot["deploy"]["replicas"] == (2 if "postgres" in chosen else 1)
    settings = load(_env_file=None, **{n.lower(): v for n, v in bot["environment"].items()})
    assert settings.is_sqlite == ("postgres" not in chosen)
    assert (settings.is_port_reachable_from_outside, settings.port) == (True, 8000)
    if "postgres" in chosen:
        database = services["postgres"]["environment"]
        assert database["POSTGRES_PASSWORD"] in settings.database_url.get_secret_value()
