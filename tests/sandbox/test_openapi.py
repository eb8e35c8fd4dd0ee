"""The Stories API against its own OpenAPI document, fuzzed by schemathesis."""

import asyncio
from typing import Any

import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CheckFunction
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from sandbox.stories_api.endpoints import ENDPOINTS
from sandbox.stories_api.openapi import document
from tests.support.sandbox import Box

EXAMPLES = 4  # for each endpoint, allowed and forbidden
KEY = {"x-access-key": "some-key"}
# Any key is accepted on purpose; and as with the real API, a string may be refused for what it
# says (400) though its type is right.
EXCLUDED: list[CheckFunction] = [ignored_auth, positive_data_acceptance]


def test_the_document_lists_every_endpoint_with_its_price() -> None:
    paths: Any = document()["paths"]
    assert {path: paths[path]["get"]["x-reqs-cost"] for path in paths} == {
        path: endpoint.cost for path, endpoint in ENDPOINTS.items()
    }


async def test_every_answer_is_as_the_document_says(box: Box) -> None:
    url = box.urls.stories_api
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        await asyncio.to_thread(_fuzz, url, mode)
    entries = await box.control.requests("stories")
    assert {entry["path"] for entry in entries} == set(ENDPOINTS)
    assert len(entries) > EXAMPLES * len(ENDPOINTS)
    assert {200, 400, 404, 422} <= {entry["status"] for entry in entries}


async def test_every_good_answer_is_as_the_document_says(box: Box) -> None:
    story = (await box.control.stories("prada"))[0]
    link = f"https://www.instagram.com/stories/prada/{story['pk']}/"
    known = {"id": story["pk"], "username": "natgeo", "user_id": "787132", "url": link}
    other = {
        "/v1/user/by/id": {"id": "787132"},
        "/v1/story/download/by/url": {"url": story["thumbnail_url"]},
        "/v1/highlight/by/url": {"url": "https://www.instagram.com/stories/highlights/18787132/"},
        "/v1/share/by/url": {"url": "https://www.instagram.com/s/c3Rvcnk6MTIzNDU"},
    }
    asked = {
        path: other.get(path) or {p.name: known[p.name] for p in e.params if p.required}
        for path, e in ENDPOINTS.items()
    }
    await asyncio.to_thread(_ask_all, box.urls.stories_api, asked)
    entries = await box.control.requests("stories")
    assert [entry["status"] for entry in entries] == [200] * len(ENDPOINTS)


def _ask_all(url: str, asked: dict[str, dict[str, str]]) -> None:
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for path, query in asked.items():
        schema[path]["GET"].Case(query=query).call_and_validate(
            headers=KEY, excluded_checks=EXCLUDED
        )


def _fuzz(url: str, mode: GenerationMode) -> None:
    """Call every endpoint with what its parameters allow, or with what they forbid."""
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")

    cases = st.tuples(
        *(schema[path]["GET"].as_strategy(generation_mode=mode) for path in ENDPOINTS)
    )
    session = requests.Session()

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(one_of_each=cases)
    def ask(one_of_each: tuple[schemathesis.Case[Any], ...]) -> None:
        for case in one_of_each:
            case.call_and_validate(headers=KEY, excluded_checks=EXCLUDED, session=session)

    with session:
        ask()
