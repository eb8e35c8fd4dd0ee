"""What a call costs by the table."""

from bot.stories_api.endpoints import Endpoint, cost


def test_costs_are_those_of_the_documentation() -> None:
    dear = {
        Endpoint.USER_STORIES: 2,
        Endpoint.USER_HIGHLIGHTS: 2,
    }
    assert {endpoint: cost(endpoint) for endpoint in Endpoint} == {
        endpoint: dear.get(endpoint, 1) for endpoint in Endpoint
    }


def test_without_the_privacy_check_it_is_one_less_where_there_was_one() -> None:
    saved = {e for e in Endpoint if cost(e, skip_privacy_check=True) == cost(e) - 1}
    assert saved == {Endpoint.USER_STORIES}
    assert all(cost(e, skip_privacy_check=True) == cost(e) for e in Endpoint if e not in saved)
