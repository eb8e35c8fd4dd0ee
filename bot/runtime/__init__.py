"""Building blocks for the loops of the process: clock, workers, and limits of concurrency.

Input: the event loop, and the functions that the application repeats. Output: the time, functions
that are repeated after any error, and slots with a limit per holder. Public: ``clock.Clock``,
``clock.steady``, ``workers.Worker``, ``batching.BatchingQueue``, ``metrics.Metrics``,
``concurrency.FairSlots``, ``concurrency.FastAndSlowSlots``, ``timed_cache.TimedCache``.
"""
