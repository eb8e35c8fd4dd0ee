"""What a call costs by the table."""

from bot.stories_api.endpoints import Endpoint


def test_prices_are_those_of_the_documentation() -> None:
    dear = {
        Endpoint.USER_STORIES: 2,
        Endpoint.USER_HIGHLIGHTS: 2,
        Endpoint.USER_STORIES_BY_USERNAME: 3,
    }
    assert {endpoint: endpoint.price for endpoint in Endpoint} == {
        endpoint: dear.get(endpoint, 1) for endpoint in Endpoint
    }
