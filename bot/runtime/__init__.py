"""What every loop of the process needs: its clock, its supervisor, limits on what runs at a time.

In: the event loop, and the steps that the parts give. Out: the time, steps that are repeated
whatever they raise, and slots of which each holder has few. Public:
``clock.Clock``, ``clock.steady``, ``workers.Worker``, ``batching.BatchingQueue``,
``metrics.Metrics``, ``concurrency.FairSlots``, ``concurrency.FastAndSlowSlots``,
``timed_cache.TimedCache``.
"""
