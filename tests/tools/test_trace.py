"""The trace of a pasted link and of an alert names the functions that each runs through."""

import pytest

from tools import trace

BOTH = ("bot/telegram/rate_limiter.py", "Pacing._wait_and_take_bot_ticket")
LINK_ONLY = ("handlers/links.py", "fetch_and_serve_links")
ALERT_ONLY = ("bot/store/fan_outs.py", "write_next_slice_if_due")


@pytest.mark.jumps
async def test_each_trace_has_the_functions_of_its_flow_and_none_of_the_other() -> None:
    traces = await trace.record()
    link, alert = ({(one.file, one.name) for one in functions} for functions in traces.values())
    assert {LINK_ONLY, BOTH} <= link
    assert {ALERT_ONLY, BOTH} <= alert
    assert ALERT_ONLY not in link
    assert LINK_ONLY not in alert
    for functions in traces.values():
        assert len(functions) == len(set(functions))
        assert all(one.file.startswith(("bot/", "handlers/")) for one in functions)
