"""The schedule of profile checks: forecasts of stories, the price of waiting, and the budget.

All code is pure: no function reads a clock or performs I/O. Times are Unix seconds or aware UTC
datetimes. Amounts are credits. Public: ``schedule.Schedule``, ``policies.Learned``,
``forecast.ProfileState``, ``pricing.is_feasible`` and ``simulation.Simulation``.
"""
