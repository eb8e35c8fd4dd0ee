"""The adapter to Telegram: calls of the Bot API, flood limits, and the meaning of errors.

Input: a call. Output: the answer, or an error, which ``outcomes`` maps to an outcome. ``calls``
makes the calls that send messages to a chat. ``rate_limiter`` delays calls as computed by
``flood_limits``. ``limit_state`` stores the state of the limits. ``outage`` pauses all sends while
Telegram is down. Public: ``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``calls.Calls``,
``outcomes.outcome_of``, ``outage.Outage``, ``admins.Admins``, ``presence.fetch_presence``.
"""
