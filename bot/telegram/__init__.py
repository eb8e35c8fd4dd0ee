"""The adapter to Telegram: calls of the Bot API, the rate limits, and the meaning of answers.

In: a call, with a lane and a weight. Out: the answer, or an error that ``outcomes`` classifies.
``rate_limiter`` delays calls by the arithmetic of ``flood_limits``. ``limit_state`` stores the
state of the limits. ``outage`` pauses all sends while Telegram is down. Public:
``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``outcomes.outcome_of``, ``outage.Outage``,
``admins.Admins``, ``presence.fetch_presence``.
"""
