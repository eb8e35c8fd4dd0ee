"""Where an update stands, who asks with it, and what is too much: the law of the queues."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.updates.queues import (
    NO_PERSON,
    QueueAndPerson,
    decide_admission_of_arrivals,
    queue_and_person_of,
)


def message(update_id: int, chat: int, **more: Any) -> dict[str, Any]:
    about = {"id": chat, "type": "private"}
    return {"update_id": update_id, "message": {"message_id": 1, "chat": about, **more}}


@pytest.mark.parametrize(
    ("update", "queue"),
    [
        (message(1, 7), "chat:7"),
        ({"callback_query": {"from": {"id": 5}, "message": {"chat": {"id": 7}}}}, "chat:7"),
        ({"update_id": 1, "callback_query": {"from": {"id": 5}}}, "user:5"),
        ({"update_id": 1, "my_chat_member": {"chat": {"id": -7}, "from": {"id": 5}}}, "chat:-7"),
        ({"update_id": 1, "poll_answer": {"user": {"id": 5}}}, "user:5"),
        ({"update_id": 1, "something_new": 5}, "user:0"),
    ],
)  # fmt: skip
def test_an_update_stands_in_its_chats_queue(update: dict[str, Any], queue: str) -> None:
    assert queue_and_person_of(update).queue == queue


GROUP = {"id": -7, "type": "supergroup"}
ANN = {"id": 5, "first_name": "Ann"}


@pytest.mark.parametrize(
    ("update", "person"),
    [
        ({"message": {"chat": {"id": 5, "type": "private"}, "from": ANN, "text": "hi"}}, 5),
        ({"message": {"chat": GROUP, "from": ANN, "text": "hi"}}, None),
        ({"message": {"chat": GROUP, "from": ANN, "text": "/help"}}, 5),
        ({"message": {"chat": GROUP, "from": ANN, "caption": "instagram.com/natgeo"}}, 5),
        (
            {
                "edited_message": {
                    "chat": GROUP,
                    "from": ANN,
                    "text": "x",
                    "entities": [{"type": "text_link", "url": "https://instagr.am/x"}],
                }
            },
            5,
        ),
        ({"message": {"chat": GROUP, "from": ANN, "text": "x", "reply_to_message": {}}}, 5),
        ({"message": {"chat": GROUP, "from": {"id": 6, "is_bot": True}, "text": "/help"}}, None),
        (
            {"message": {"chat": GROUP, "from": {"id": 1087968824, "is_bot": True}, "text": "/x"}},
            NO_PERSON,
        ),
        ({"message": {"chat": GROUP, "from": {"id": 136817688}, "text": "/help"}}, NO_PERSON),
        ({"channel_post": {"chat": GROUP, "text": "/help"}}, NO_PERSON),
        ({"callback_query": {"from": ANN, "message": {"chat": GROUP}}}, 5),
        ({"message": {"chat": GROUP, "from": "nonsense", "text": "/help"}}, NO_PERSON),
    ],
)
def test_who_asks(update: dict[str, Any], person: int | None) -> None:
    found = queue_and_person_of({"update_id": 1, **update})
    assert found.person == person
    assert not found.is_exempt


@pytest.mark.parametrize(
    "update",
    [
        {"my_chat_member": {"chat": GROUP, "from": ANN}},
        {"message": {"chat": GROUP, "from": ANN, "migrate_to_chat_id": -1007}},
        {"message": {"chat": GROUP, "from": ANN, "migrate_from_chat_id": -7}},
        {"something_new": 5},
    ],
)
def test_memberships_and_migrations_are_always_kept(update: dict[str, Any]) -> None:
    assert queue_and_person_of({"update_id": 1, **update}).is_exempt


ARRIVALS = st.builds(
    QueueAndPerson,
    st.sampled_from(["chat:1", "chat:-2"]),
    st.sampled_from([None, NO_PERSON, 5, 6]),
    st.sampled_from([False, False, False, True]),
)
KEYS = st.tuples(st.sampled_from(["chat:1", "chat:-2"]), st.sampled_from([None, 0, 5, 6]))


@given(st.lists(ARRIVALS, max_size=60), st.dictionaries(KEYS, st.integers(0, 9)))
def test_nobody_has_more_than_the_most_and_each_who_had_too_much_is_told_once(
    arrivals: list[QueueAndPerson], waiting: dict[tuple[str, int | None], int]
) -> None:
    of_person, of_chat = 4, 7
    verdicts = decide_admission_of_arrivals(
        arrivals, waiting, of_person=of_person, of_chat=of_chat
    )
    assert len(verdicts) == len(arrivals)
    taken = Counter(
        one.count_key
        for one, verdict in zip(arrivals, verdicts, strict=True)
        if verdict == "handle" and not one.is_exempt
    )
    for (queue, person), count in taken.items():
        before = waiting.get((queue, person), 0)
        assert before + count <= (of_person if person else of_chat)
        if person is not None:
            asks = [n for key, n in waiting.items() if key[0] == queue and key[1] is not None]
            mine = [n for key, n in taken.items() if key[0] == queue and key[1] is not None]
            assert sum(asks) + sum(mine) <= of_chat
    told = Counter(
        one.count_key
        for one, verdict in zip(arrivals, verdicts, strict=True)
        if verdict == "refuse"
    )
    refused = {
        one.count_key
        for one, verdict in zip(arrivals, verdicts, strict=True)
        if verdict != "handle" and one.person is not None
    }
    assert told == Counter(dict.fromkeys(refused, 1))
    for one, verdict in zip(arrivals, verdicts, strict=True):
        assert verdict == "handle" or not one.is_exempt


@given(st.lists(ARRIVALS.filter(lambda one: not one.is_exempt), max_size=60))
def test_what_one_person_asks_takes_no_place_from_another_chat(
    arrivals: list[QueueAndPerson],
) -> None:
    alone = [one for one in arrivals if one.queue == "chat:1"]
    verdicts = decide_admission_of_arrivals(arrivals, {}, of_person=4, of_chat=7)
    here = [v for one, v in zip(arrivals, verdicts, strict=True) if one.queue == "chat:1"]
    assert here == decide_admission_of_arrivals(alone, {}, of_person=4, of_chat=7)
