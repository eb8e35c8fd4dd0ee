"""Sends alerts and replies into chats.

A row of the outbox is a story, a notice or a reply. The modules have these tasks:

- ``worker`` is the loop.
- ``claiming`` claims chat queues. ``domain.selection`` decides which rows are sent now.
  ``summaries`` adds the notice of a daily summary.
- ``jobs`` defines the jobs: an alert, a reply or a query of the bot's rights. A claimed queue has
  at most one job.
- ``runner`` does a job. ``composer`` builds an alert. ``sending`` sends the alert or the reply,
  and returns an outcome.
- ``leases`` checks the lease right before each request of a send. Before the first request,
  ``leases`` also adds 1 to the number of copies of each row, unless the transaction of an update
  has already done so. This number counts the sends of the row that may have arrived in the chat.
- ``results`` and ``reply_results`` record the outcome. ``private_notices`` enqueues private
  notices about a group or channel. ``losses`` counts lost answers and dead letters.
- ``fan_out`` writes the deliveries of a new story or of a notice about a profile.

Public: ``worker.Outbox`` and ``leases.SendLease``.
"""
