"""The log of requests."""

from typing import Any

from sandbox.requestlog import RequestLog


def _add(log: RequestLog, service: str = "cdn", **more: Any) -> int:
    return log.add(service=service, path="/p", params={}, status=200, at=1.0, **more)


def test_numbers_from_one() -> None:
    log = RequestLog()
    assert [_add(log), _add(log)] == [1, 2]
    assert [entry["n"] for entry in log.since(0)] == [1, 2]


def test_shows_what_came_after() -> None:
    log = RequestLog()
    for _ in range(5):
        _add(log)
    assert [entry["n"] for entry in log.since(3)] == [4, 5]
    assert log.since(5) == []


def test_forgets_the_oldest_but_not_their_number() -> None:
    log = RequestLog(kept=3)
    for _ in range(10):
        _add(log)
    assert [entry["n"] for entry in log.since(0)] == [8, 9, 10]
    assert [entry["n"] for entry in log.since(8)] == [9, 10]
    assert log.calls["cdn"] == 10


def test_tells_services_apart() -> None:
    log = RequestLog()
    _add(log, "cdn")
    _add(log, "stories", billed=2, method="GET")
    assert log.since(0, "stories") == [
        {
            "n": 2,
            "at": 1.0,
            "service": "stories",
            "path": "/p",
            "params": {},
            "status": 200,
            "billed": 2,
            "method": "GET",
        }
    ]
