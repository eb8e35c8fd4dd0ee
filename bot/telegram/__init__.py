"""The adapter to Telegram: calls of the Bot API, how fast they may go, what the answers mean.

In: a call, with its lane and weight. Out: its answer, or an error of which ``outcomes`` says
what is to be done. ``rate_limiter`` lets calls wait by the arithmetic of ``flood_limits``, whose
state ``limit_state`` keeps; ``outage`` pauses the whole bot while Telegram is down. Public:
``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``outcomes.outcome_of``, ``outage.Outage``,
``admins.Admins``, ``presence.fetch_presence``.
"""
