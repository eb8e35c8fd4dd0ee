"""Asks the paid API.

In: a link, a name, a due profile. Out: stories, and in one transaction the snapshot, its fan-out
and the settled bill. ``on_demand`` serves who asks now, ``poller`` who subscribed. Public:
``on_demand.Viewer``, ``poller.Scheduler``, ``highlights.Highlights``, ``names.Names``,
``downloads.Downloads``, ``feasibility.BudgetWatch``,
``answer_cache.AnswerCache``, ``schedule_state.PollSettings``, ``snapshots.record``.
"""
