"""Building blocks for the loops of the process: clock, supervisor, and limits on concurrency.

Input: the event loop, and the steps of the application. Output: the time, steps that are repeated
after any error, and slots with a limit per holder. Public: ``clock.Clock``, ``clock.steady``,
``workers.Worker``, ``batching.BatchingQueue``, ``metrics.Metrics``, ``concurrency.FairSlots``,
``concurrency.FastAndSlowSlots``, ``timed_cache.TimedCache``.
"""
