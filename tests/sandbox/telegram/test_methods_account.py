"""Commands, names, descriptions, the menu button."""

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
    assert await api.ok("deleteMyCommands")
    assert await api.ok("getMyCommands") == []


async def test_names_and_descriptions_by_language(api: Api) -> None:
    for what in ("Name", "Description", "ShortDescription"):
        field = {"ShortDescription": "short_description"}.get(what, what.lower())
        assert await api.ok(f"setMy{what}", **{field: "all"})
        assert await api.ok(f"setMy{what}", **{field: "es"}, language_code="es")
        assert await api.ok(f"getMy{what}") == {field: "all"}
        assert await api.ok(f"getMy{what}", language_code="es") == {field: "es"}
        assert await api.ok(f"getMy{what}", language_code="ru") == {field: "all"}
    assert (await api.ok("getMe"))["first_name"] == "all"


async def test_the_menu_button(api: Api) -> None:
    ann = await api.person()
    assert await api.ok("getChatMenuButton") == {"type": "commands"}
    assert await api.ok("setChatMenuButton", chat_id=ann, menu_button={"type": "default"})
    assert await api.ok("getChatMenuButton", chat_id=ann) == {"type": "default"}
    wrong = await api.refusal("setChatMenuButton", menu_button={"type": "x"})
    assert wrong[1].startswith("Bad Request: can't parse menu button")
    assert await api.ok("logOut")
    assert await api.ok("close")
