"""The adapter to Telegram: calls of the Bot API, flood limits, and the meaning of errors.

Public: ``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``calls.Calls``,
``flood_limits.ChatLimits``, ``limit_state.ChatFloods``, ``outcomes.outcome_of``,
``outcomes.demanded_wait``, ``outage.Outage``, ``admins.Admins``, ``presence.fetch_presence``.
"""
