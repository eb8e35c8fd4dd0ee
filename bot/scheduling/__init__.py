"""The schedule of profile checks: forecasts of stories, the price of waiting, and the budget.

No function reads a clock or performs I/O. Times are Unix seconds or aware UTC datetimes. Amounts
are credits. Public: ``schedule.Schedule``, ``policies.Learned``, ``forecast.ProfileState``,
``failed_checks``, ``pricing.is_feasible``, ``pricing.fewest_credits_a_day``,
``pricing.LATEST_HOURS``, ``simulation``, ``waiting_time.DAY`` and ``waiting_time.HOUR``.
"""
