"""Which addresses may be fetched: Instagram's media hosts, and nobody that looks like them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.media.urls import MediaHosts, expires_at, is_unexpired

GOOD = [
    "https://scontent-lga3-1.cdninstagram.com/v/t51/1_n.jpg?stp=x&oe=6B08026A",
    "https://scontent.cdninstagram.com:443/v/1.mp4",
    "https://instagram.fpoz4-1.fna.fbcdn.net/o1/v/1.mp4",
    "https://SCONTENT.CDNINSTAGRAM.COM/v/1.mp4",
    "https://video.xx.fbcdn.net./v/1.mp4",
]
BAD = [
    "http://scontent.cdninstagram.com/v/1.mp4",
    "https://cdninstagram.com/v/1.mp4",
    "https://evilcdninstagram.com/v/1.mp4",
    "https://x.cdninstagram.com.evil.example/1.mp4",
    "https://evil.example/x.cdninstagram.com",
    "https://x.cdninstagram.com@evil.example/1.mp4",
    "https://user:pass@x.cdninstagram.com/1.mp4",
    "https://x.cdninstagram.com:8443/1.mp4",
    "https://x.cdninstagram.com\\@evil.example/1.mp4",
    "https://evil.example\\.cdninstagram.com/1.mp4",
    "https://evil.example#.cdninstagram.com/1.mp4",
    "https://evil.example?.cdninstagram.com/1.mp4",
    "https://127.0.0.1/1.mp4",
    "https://[::1]/1.mp4",
    "https://①②⑦.⓪.⓪.①/",
    "https://x.cdninstagram。com/1.mp4",
    "https://x.cdn\u0131nstagram.com/1.mp4",
    "https://x.cdninstagram.com/\n1.mp4",
    "https://x.cdninstagram.com /1.mp4",
    "ftp://x.cdninstagram.com/1.mp4",
    "file:///etc/passwd",
    "//x.cdninstagram.com/1.mp4",
    "https:///1.mp4",
    "https://[a]@",
    "http://[],@",
    "https://x.cdninstagram.com:99999/1.mp4",
    "https://x.cdninstagram.com/" + "a" * 5000,
    "",
    "javascript:alert(1)",
]


@pytest.mark.parametrize("url", GOOD)
def test_instagrams_hosts_are_allowed(url: str) -> None:
    assert MediaHosts().allows(url)


@pytest.mark.parametrize("url", BAD)
def test_all_others_are_not(url: str) -> None:
    assert not MediaHosts("http://127.0.0.1:8083").allows(url)


def test_one_trusted_origin_is_exact() -> None:
    hosts = MediaHosts("http://127.0.0.1:8083")
    assert hosts.allows("http://127.0.0.1:8083/v/1.mp4")
    assert not hosts.allows("http://127.0.0.1:8084/v/1.mp4")
    assert not hosts.allows("https://127.0.0.1:8083/v/1.mp4")
    assert not hosts.allows("http://user@127.0.0.1:8083/v/1.mp4")
    assert not MediaHosts().allows("http://127.0.0.1:8083/v/1.mp4")


@given(st.text(max_size=80))
def test_no_text_is_a_surprise(text: str) -> None:
    for url in (text, f"https://{text}", f"https://{text}.cdninstagram.com/x?oe={text}"):
        MediaHosts().allows(url)
        expires_at(url)


def test_a_signed_address_is_fresh_until_a_minute_before_its_end() -> None:
    url = "https://x.cdninstagram.com/1.mp4?oe=6B08026A&x=1"
    end = datetime.fromtimestamp(0x6B08026A, UTC)
    assert expires_at(url) == end
    assert is_unexpired(url, end - timedelta(seconds=61))
    assert not is_unexpired(url, end - timedelta(seconds=60))
    assert is_unexpired("https://x.cdninstagram.com/1.mp4", end)
    for odd in ("", "zz", "F" * 40):
        assert expires_at(f"https://x.cdninstagram.com/1.mp4?oe={odd}") is None
