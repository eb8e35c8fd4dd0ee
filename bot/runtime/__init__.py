"""Building blocks for the loops of the process: clock, workers, and limits of concurrency.

Public: ``clock.Clock``, ``clock.event_loop_time_s``, ``workers.Worker``,
``batching.BatchingQueue``, ``metrics.Metrics``, ``concurrency.FairSlots``,
``concurrency.FastAndSlowSlots`` and ``timed_cache.TimedCache``.
"""
