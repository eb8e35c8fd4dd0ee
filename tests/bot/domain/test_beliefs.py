"""What the doctor saw, beside what was believed."""

from bot.domain.beliefs import BELIEFS, STORIES, TELEGRAM, Sights


def test_each_belief_is_listed_once_with_what_was_seen_of_it() -> None:
    sights = Sights()
    sights.see("price_header", "plain")
    sights.see("price_header", "json")  # the first sight counts
    sights.see("story_order", "newest first", "the API changed")
    sights.skip(["late_callback"], "nobody pressed")
    listed = sights.to_json()
    assert [one["name"] for one in listed] == list(BELIEFS) == [*TELEGRAM, *STORIES]
    by_name = {one["name"]: one for one in listed}
    assert by_name["price_header"] == {
        "name": "price_header",
        "service": "stories",
        "believed": "plain",
        "seen": "plain",
        "agrees": True,
        "why": "",
    }
    assert by_name["story_order"]["agrees"] is False
    assert by_name["story_order"]["why"] == "the API changed"
    assert by_name["late_callback"]["agrees"] is None
    assert by_name["late_callback"]["why"] == "nobody pressed"
    assert by_name["forced_private"]["why"] == "not reached"
