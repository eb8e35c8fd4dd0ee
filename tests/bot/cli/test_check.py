"""``check`` finds what would keep the bot from its work, and says it in a sentence."""

import argparse
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from bot.cli.check import main
from bot.domain.access import Subject
from bot.store import access
from bot.store.engine.database import Database
from tests.support.control import refused
from tests.support.newer import next_version
from tests.support.sandbox import Box
from tests.support.storybell import API_KEY, TOKEN, settings_for
from tests.support.telegram import utc_now

ONLINE = argparse.Namespace(offline=False, env_file=None)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "500")
    return tmp_path


async def told(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str], **changed: Any
) -> tuple[int, str]:
    """Run the check; return its exit status and what it printed."""
    status = await main(settings_for(box, folder, **changed), ONLINE)
    said = capsys.readouterr().out
    assert TOKEN not in said
    assert API_KEY not in said
    return status, said


async def test_what_is_right(box: Box, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ann = await box.control.person(started=True)
    status, said = await told(box, folder, capsys, admin_ids={ann})
    assert status == 0
    for part in ("Telegram knows the bot as @", "The Stories API takes the key", f"{ann} can be"):
        assert part in said
    assert "The database is new" in said
    assert "The Stories API takes the key; 1,000,000 credits are left." in said
    assert "The bot has no owner yet." not in said
    assert not (folder / "bot.db").is_file()


async def test_without_an_owner_the_link_is_named(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A new bot answers nobody before somebody opens the link."""
    note = "note The bot has no owner yet. Each start prints a link"
    status, said = await told(box, folder, capsys)
    assert (status, note in said) == (0, True)
    async with Database(f"sqlite:///{folder}/bot.db") as db:
        await db.migrate()
        assert note in (await told(box, folder, capsys))[1]
        async with db.begin() as tx:
            await access.put(tx, Subject("person", "78"), now=utc_now(), is_owner=True)
        assert note not in (await told(box, folder, capsys))[1]
        with next_version(folder / "next"):  # whose owners are not known before the migration
            assert note not in (await told(box, folder, capsys))[1]


async def test_the_state_of_the_database(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Database(f"sqlite:///{folder}/bot.db") as db:
        await db.migrate()
        assert "is up to date" in (await told(box, folder, capsys))[1]
        with next_version(folder / "next"):
            status, said = await told(box, folder, capsys)
            assert (status, "migrates it" in said) == (0, True)
            await db.migrate()
    status, said = await told(box, folder, capsys)
    assert (status, "by a newer version" in said) == (1, True)


async def test_a_database_that_is_not_there(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = "postgresql://user:the-password-canary@127.0.0.1:1/none"
    status, said = await told(box, folder, capsys, database_url=url)
    assert status == 1
    assert "DATABASE_URL: the database can't be used" in said
    assert "canary" not in said


async def test_keys_that_are_refused(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = await told(box, folder, capsys, stories_api_key="bad-key")
    assert (status, "STORIES_API_KEY: the Stories API says no" in said) == (1, True)
    assert "Check the key, or buy credits: https://hikerapi.com." in said
    await box.control.stories_api(balance=0)
    status, said = await told(box, folder, capsys)
    assert "note The Stories API takes the key; 0 credits are left. Buy credits: https://" in said
    await box.control.fault("telegram", refused("Unauthorized", 401), match="getMe")
    status, said = await told(box, folder, capsys)
    assert (status, "TELEGRAM_TOKEN: Telegram refuses it" in said) == (1, True)


async def test_a_folder_that_cannot_be_written(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file").write_text("")
    status, said = await told(box, folder, capsys, spool_dir=folder / "file" / "spool")
    assert (status, "SPOOL_DIR" in said) == (1, True)
    assert said.endswith("Correct what is marked wrong, then run the check again.\n")


async def test_an_admin_who_never_wrote(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said = await told(box, folder, capsys, admin_ids={77})
    assert status == 0
    assert "77 has not started the bot" in said


async def test_what_becomes_of_backups(
    box: Box, folder: Path, postgres_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "a-file").write_text("")
    kept = folder / "kept"
    for changed, words in (
        ({"backup_hours": 0}, "no backups are made"),
        ({"backup_dir": folder / "a-file"}, "no backup can be made: "),
        ({"backup_dir": kept}, f"every 6 hours, in {kept}"),
        ({"backup_dir": kept, "database_url": postgres_url}, "makes no backups of PostgreSQL"),
    ):
        status, said = await told(box, folder, capsys, **{"backup_hours": 6} | changed)
        assert (status, words in said) == (0, True), said


async def test_a_setting_that_is_none_is_named_with_the_nearest(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / ".env").write_text("DAILY_BUGDET=5\nQWERTY=1\n")
    _, said = await told(box, folder, capsys)
    assert "DAILY_BUGDET is no setting of the bot; did you mean DAILY_BUDGET?" in said
    assert "QWERTY is no setting of the bot." in said


async def test_how_the_bot_is_set_at_botfather(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = await told(box, folder, capsys)
    assert "Privacy mode is on" in said
    assert "Inline mode is on: @storybell_" in said  # as the sandbox's bot has it
    await box.control.privacy_mode(on=False)
    box.parts.telegram.world.bot.inline = False
    _, said = await told(box, folder, capsys)
    assert "Privacy mode" not in said
    assert "/setinline at @BotFather turns it on" in said


async def test_an_admin_who_has_blocked_the_bot(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = await box.control.person(started=True)
    await told(box, folder, capsys)
    await box.control.member(ann, box.parts.telegram.world.bot.id, "kicked")
    status, said = await told(box, folder, capsys, admin_ids={ann})
    assert (status, f"{ann} has blocked the bot" in said) == (0, True)


async def test_an_error_of_telegram_says_nothing_about_an_owner(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ann = await box.control.person(started=True)
    await box.control.fault("telegram", refused("Internal", 500), match="sendChatAction")
    status, said = await told(box, folder, capsys, admin_ids={ann})
    assert status == 0
    assert "has not started the bot" not in said
    assert f"could not test whether the owner {ann} can be told: Internal" in said


async def test_an_admin_by_link_is_asked_for_too(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with Database(f"sqlite:///{folder}/bot.db") as db:
        await db.migrate()
        async with db.begin() as tx:
            await access.put(tx, Subject("person", "78"), now=utc_now(), is_owner=True)
    _, said = await told(box, folder, capsys)
    assert "The owner 78 has not started the bot" in said


async def test_the_webhook_is_asked_for(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = await told(box, folder, capsys, webhook_url="http://127.0.0.1:8443")
    assert "Updates come by webhook." in said


async def test_a_file_that_is_no_database_and_a_user_without_rights(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    (folder / "text.db").write_text("this is some text, and no database of anything at all " * 20)
    status, said = await told(box, folder, capsys, database_url=f"sqlite:///{folder}/text.db")
    assert (status, "text.db is damaged" in said) == (1, True)
    async with Database(postgres_url) as db:
        async with db.begin() as tx:
            await tx.execute(sa.text("DROP SCHEMA IF EXISTS bare CASCADE"))
            await tx.execute(sa.text("DROP ROLE IF EXISTS guest"))
            await tx.execute(sa.text("CREATE ROLE guest LOGIN PASSWORD 'guest-canary'"))
            await tx.execute(sa.text("CREATE SCHEMA bare"))
            await tx.execute(sa.text("GRANT USAGE ON SCHEMA bare TO guest"))
            await tx.execute(sa.text("ALTER ROLE guest SET search_path TO bare"))
        try:
            url = make_url(postgres_url).set(username="guest", password="guest-canary")
            status, said = await told(
                box, folder, capsys, database_url=url.render_as_string(hide_password=False)
            )
        finally:
            async with db.begin() as tx:
                await tx.execute(sa.text("DROP OWNED BY guest"))
                await tx.execute(sa.text("DROP SCHEMA bare"))
                await tx.execute(sa.text("DROP ROLE guest"))
    assert (status, "its user may not make tables" in said) == (1, True), said


async def test_a_postgresql_that_only_reads(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str], postgres_url: str
) -> None:
    async with Database(postgres_url) as db:
        async with db.begin() as tx:
            await tx.execute(sa.text("DROP ROLE IF EXISTS reader"))
            await tx.execute(sa.text("CREATE ROLE reader LOGIN SUPERUSER"))
            await tx.execute(sa.text("ALTER ROLE reader SET default_transaction_read_only = on"))
        try:
            url = make_url(postgres_url).set(username="reader").render_as_string()
            status, said = await told(box, folder, capsys, database_url=url)
        finally:
            async with db.begin() as tx:
                await tx.execute(sa.text("DROP ROLE reader"))
    assert (status, "its transactions only read" in said) == (1, True), said


async def test_a_person_of_an_open_bot_who_may_spend_much_of_a_day_is_noted(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = (
        "note PERSON_DAILY_ALLOWANCE is 100, so one person may spend more than half of the 50 "
        "credits that a day has for replies, and ACCESS=open serves everybody. Set "
        "PERSON_DAILY_ALLOWANCE=25, or a larger DAILY_BUDGET."
    )
    status, said = await told(box, folder, capsys, daily_budget=100)
    assert (status, note in said) == (0, True), said
    for changed in (
        {"daily_budget": 100, "person_daily_allowance": 25},
        {"daily_budget": 400},
        {"daily_budget": 4, "person_daily_allowance": 3},  # less would pay for no new name
        {"daily_budget": 100, "access": "invited"},
    ):
        assert "PERSON_DAILY_ALLOWANCE" not in (await told(box, folder, capsys, **changed))[1]


async def test_what_the_daily_budget_costs(
    box: Box, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, said = await told(box, folder, capsys, daily_budget=100)
    line = (
        "ok   Daily budget: 100 credits, up to $3.00 a month. Balance: 1,000,000 credits. "
        "Enough to check about 20 profiles 5 times a day."
    )
    assert line in said
    assert "CREDIT_PRICE" not in said
    await box.control.stories_api(balance=1_000)
    status, said = await told(box, folder, capsys, daily_budget=1_000, credit_price=0.02)
    assert status == 0
    assert (
        "note CREDIT_PRICE is 0.02, but the balance says that a credit costs $0.001. Set "
        "CREDIT_PRICE=0.001: all prices in dollars depend on it."
    ) in said
    assert "note Daily budget: 1,000 credits, up to $600.00 a month. Balance: 1,000" in said
    assert "enough for about 1 day. " in said
    assert "The balance lasts for less than two weeks." in said
