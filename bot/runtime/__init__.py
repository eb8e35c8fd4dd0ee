"""Building blocks for the loops of the process: clock, workers, and limits of concurrency.

The package uses the event loop, and calls the functions that the application repeats. It provides
the current time, loops that continue after any error, and slots with a limit for each holder.
Public: ``clock.Clock``, ``clock.steady``, ``workers.Worker``, ``batching.BatchingQueue``,
``metrics.Metrics``, ``concurrency.FairSlots``, ``concurrency.FastAndSlowSlots`` and
``timed_cache.TimedCache``.
"""
