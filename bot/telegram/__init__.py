"""The adapter to Telegram: calls of the Bot API, flood limits, and the meaning of errors.

Input: a call. Output: the answer, or an error, which ``outcomes`` maps to an outcome. ``calls``
makes the calls that send messages to a chat. ``rate_limiter`` delays calls as computed by
``flood_limits``. ``limit_state`` has the state of the limits of each chat. ``outage`` pauses all
sends while Telegram is down. Public: ``request.AiohttpRequest``, ``rate_limiter.Pacing``,
``calls.Calls``, ``flood_limits.ChatLimits``, ``limit_state.ChatFloods``, ``outcomes.outcome_of``,
``outcomes.wait_of``, ``outage.Outage``, ``admins.Admins``, ``presence.fetch_presence``.
"""
