"""What every loop of the process stands on: its clock, its supervisor, and room for what it runs.

In: the event loop, and the steps that the parts give. Out: the time, steps that come again
whatever they raise, and places that nobody holds who only waits. Public: ``clock.Clock``,
``clock.steady``, ``workers.Worker``, ``batching.BatchingQueue``, ``metrics.Metrics``,
``places.Place``, ``places.FairSlots``, ``places.waiting``, ``lately.Lately``.
"""
