"""The schedule of profile checks: forecasts of stories, the price of waiting, and the budget.

No function reads a clock or performs I/O. Some functions change their arguments, for example
``ProfileState``. Times are Unix seconds or aware UTC datetimes. Amounts are credits. Public:
``schedule.Schedule``, ``policies.Learned``, ``forecast.ProfileState``, ``pricing.is_feasible`` and
``simulation.Simulation``.
"""
