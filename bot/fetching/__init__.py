"""Fetching: calls the paid API on demand and by schedule.

Input: a link, a name, or a profile due for a check. Output: stories, and in a single transaction
the snapshot, the fan-out and the settled bill. ``on_demand`` serves requests of people, ``poller``
serves subscriptions. Public: ``on_demand.Viewer``, ``poller.Scheduler``,
``highlights.Highlights``, ``names.Names``, ``downloads.Downloads``, ``feasibility.BudgetWatch``,
``answer_cache.AnswerCache``, ``schedule_state.PollSettings``, ``snapshots.record``.
"""
