"""The list of followed accounts in Instagram's own export, in each form, and what is refused."""

import io
import json
import tracemalloc
import zipfile

import pytest

from bot.chats import followed_accounts
from bot.chats.followed_accounts import followed_usernames_in

PAGE = "https://www.instagram.com"
FOLDER = "connections/followers_and_following"


def entry(href: str = "", value: object = None, title: str = "") -> dict[str, object]:
    data = {"href": href, "timestamp": 1} | ({"value": value} if value is not None else {})
    return {"title": title, "media_list_data": [], "string_list_data": [data]}


def following(*rows: object) -> bytes:
    return json.dumps({"relationships_following": rows}).encode()


def zipped(files: dict[str, bytes], *, packed: bool = True) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as to:
        for name, data in files.items():
            to.writestr(name, data)
    return made.getvalue()


def test_the_name_is_that_of_the_address_else_the_value_else_the_title() -> None:
    rows = [
        entry(f"{PAGE}/natgeo", "other"),
        entry(f"{PAGE}/_u/nike.com", title="Nike"),
        entry("", "Prada"),
        entry("", title="vans"),
        entry("", title="A Person's Name"),
        entry(f"{PAGE}/natgeo"),
        entry("https://example.com/evil", 7),
        {"title": "zara", "string_list_data": []},
        "no entry",
    ]
    assert followed_usernames_in(following(*rows)) == [
        "natgeo",
        "nike.com",
        "prada",
        "vans",
        "zara",
    ]
    assert followed_usernames_in(b"\xef\xbb\xbf " + json.dumps(rows[:2]).encode()) == [
        "natgeo",
        "nike.com",
    ]


def test_the_names_of_the_html_form() -> None:
    page = (
        f'<html><a href="{PAGE}/"></a><a target="_blank" href="{PAGE}/_u/natgeo">natgeo</a>'
        f'<a href="{PAGE}/nike?a=1&amp;b=2">x</a><a href="https://x.example/prada">p</a>'
    )
    assert followed_usernames_in(page.encode()) == ["natgeo", "nike"]


@pytest.mark.parametrize("packed", [True, False])
def test_of_an_archive_only_the_lists_of_followed_accounts_are_read(packed: bool) -> None:
    files = {
        f"{FOLDER}/following.json": following(entry(f"{PAGE}/natgeo")),
        f"{FOLDER}/following_2.html": f'<a href="{PAGE}/nike">'.encode(),
        f"{FOLDER}/following_hashtags.json": following(entry(f"{PAGE}/hash")),
        f"{FOLDER}/followers_1.json": following(entry(f"{PAGE}/follower")),
        "messages/inbox/following.json": following(entry(f"{PAGE}/message")),
    }
    assert followed_usernames_in(zipped(files, packed=packed)) == ["natgeo", "nike"]
    del files[f"{FOLDER}/following.json"], files[f"{FOLDER}/following_2.html"]
    assert followed_usernames_in(zipped(files, packed=packed)) is None


def test_a_list_that_unpacks_to_more_than_the_limit_is_not_read() -> None:
    bomb = following(entry(f"{PAGE}/natgeo")) + b" " * followed_accounts.LARGEST
    data = zipped({f"{FOLDER}/following.json": bomb})
    assert len(data) < 10_000
    assert followed_usernames_in(data) is None
    assert followed_usernames_in(bomb) is None


@pytest.mark.parametrize(
    "data",
    [
        b"", b"PK\x03\x04", b"no json", b"[" * 100_000, b"{}", b"[]", b'["natgeo"]',
        b'{"relationships_following": 3}', b"<html></html>",
        b'{"storybell": 1, "subscriptions": []}',
    ],
)  # fmt: skip
def test_other_data_are_no_list(data: bytes) -> None:
    assert followed_usernames_in(data) is None


def test_a_broken_archive_is_no_list() -> None:
    data = zipped(
        {f"{FOLDER}/following.json": following(*[entry(f"{PAGE}/a{n}") for n in range(99)])}
    )
    for cut in range(1, len(data), 37):
        assert followed_usernames_in(data[:cut]) is None
    for place in range(0, len(data), 11):
        changed = data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]
        followed_usernames_in(changed)  # raises no error


def test_at_most_ten_thousand_names_are_taken() -> None:
    rows = [entry("", f"a{n}") for n in range(followed_accounts.MOST + 5)]
    assert len(followed_usernames_in(following(*rows)) or []) == followed_accounts.MOST


def test_a_list_of_many_small_values_is_refused_before_it_is_parsed() -> None:
    values = b'{"":0},' * 100_000
    bomb = following(entry("", "natgeo"))[:-2] + b"," + values[:-1] + b"]}"
    assert json.loads(bomb)
    tracemalloc.start()
    assert followed_usernames_in(bomb) is None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2 * len(bomb)


def test_of_an_archive_a_few_lists_are_read() -> None:
    files = {f"{n}/{FOLDER}/following.json": following(entry("", f"a{n}")) for n in range(50)}
    assert followed_usernames_in(zipped(files)) == [f"a{n}" for n in range(10)]
