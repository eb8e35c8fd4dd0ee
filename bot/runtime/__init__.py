"""What every loop of the process stands on: its clock, and the supervisor that repeats it.

In: the event loop, and the steps that the parts give. Out: the time, and steps that come again
whatever they raise. Public: ``clock.Clock``, ``clock.steady``, ``workers.Worker``.
"""
