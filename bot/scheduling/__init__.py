"""When to check a profile: forecasts, the price of waiting, the plan for a budget.

Pure: no clock, no I/O. Times are seconds since 1970 or aware UTC, money is credits. Public:
``schedule.Schedule``, ``policies.Learned``, ``forecast.ProfileState``, ``pricing.is_feasible``,
``simulation.Simulation``.
"""
