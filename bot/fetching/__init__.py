"""The fetching of stories from the paid Stories API, for people and for the schedule.

Input: a link, a name, or a profile that is due for a check. Output: stories. Public:
``on_demand.Viewer``, ``poller.Scheduler``, ``highlights.Highlights``, ``names.Names``,
``downloads.Downloads``, ``feasibility.BudgetWatch``, ``feasibility.count_checkable_profiles``,
``answer_cache.AnswerCache``, ``schedule_state.PollSettings``,
``schedule_state.read_credits_per_check``, and ``snapshots``.
"""
