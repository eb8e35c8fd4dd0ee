"""The adapter to Telegram: calls of the Bot API, flood limits, the meaning of answers.

In: a call. Out: its answer, or an error, which ``outcomes`` maps to an outcome. ``calls`` makes
the calls that put messages into a chat. ``rate_limiter`` lets calls wait by the arithmetic of
``flood_limits``, whose state is in ``limit_state``. ``outage`` pauses all sends while Telegram is
down. Public: ``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``calls.Calls``,
``outcomes.outcome_of``, ``outage.Outage``, ``admins.Admins``, ``presence.fetch_presence``.
"""
