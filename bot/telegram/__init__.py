"""The adapter to Telegram: calls of the Bot API, flood limits, and the meaning of errors.

``calls`` makes the calls that send messages to a chat, and ``outcomes`` turns an error of a call
into an outcome. ``rate_limiter`` delays calls for the times that ``flood_limits`` computes, and
``limit_state`` keeps the state of the flood limits of each chat. ``outage`` pauses all sends while
Telegram is down.

Public: ``request.AiohttpRequest``, ``rate_limiter.Pacing``, ``calls.Calls``,
``flood_limits.ChatLimits``, ``limit_state.ChatFloods``, ``outcomes.outcome_of``,
``outcomes.demanded_wait``, ``outage.Outage``, ``admins.Admins``, ``presence.fetch_presence``.
"""
