"""The schedule of profile checks: forecasts, the price of waiting, and the budget plan.

Pure code: no clock and no I/O. Times are Unix seconds or aware UTC datetimes. Amounts are credits.
Public: ``schedule.Schedule``, ``policies.Learned``, ``forecast.ProfileState``,
``pricing.is_feasible``, ``simulation.Simulation``.
"""
