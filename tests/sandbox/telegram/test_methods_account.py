"""Commands and descriptions."""

from tests.sandbox.telegram.harness import Api


async def test_commands_by_scope_and_language(api: Api) -> None:
    ann = await api.person()
    one, two = {"command": "a", "description": "A"}, {"command": "b", "description": "B"}
    here = {"type": "chat", "chat_id": ann}
    assert await api.ok("setMyCommands", commands=[one])
    assert await api.ok("setMyCommands", commands=[two], language_code="es")
    assert await api.ok("setMyCommands", commands=[two, one], scope=here)
    assert await api.ok("getMyCommands") == [one]
    assert await api.ok("getMyCommands", language_code="es") == [two]
    assert await api.ok("getMyCommands", scope=here) == [two, one]
    assert await api.ok("getMyCommands", scope={"type": "all_group_chats"}) == []


async def test_descriptions_by_language(api: Api) -> None:
    for what, field in (
        ("Description", "description"),
        ("ShortDescription", "short_description"),
    ):
        assert await api.ok(f"setMy{what}", **{field: "all"})
        assert await api.ok(f"setMy{what}", **{field: "es"}, language_code="es")
        profiles = api.telegram.world.bot.profiles
        assert [getattr(profiles[code], field) for code in ("", "es")] == ["all", "es"]
