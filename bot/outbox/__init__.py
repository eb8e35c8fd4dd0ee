"""Sends alerts and replies into chats.

A row of the outbox is an alert or a reply. The modules have these tasks:

- ``worker`` is the loop.
- ``claiming`` claims chat queues. ``domain.selection`` decides which rows are sent now.
- ``jobs`` defines the jobs. Each claim is a job: an alert, a reply or a probe.
- ``runner`` does a job. ``composer`` provides the text of an alert. ``sending`` sends and returns
  an outcome.
- ``leases`` checks the lease right before each request, and then increases the number of copies of
  each row. This number counts the sends of the row that may have arrived in the chat.
- ``results`` and ``reply_results`` record the outcome.
- ``fan_out`` writes the deliveries of a new story.

Public: ``worker.Outbox``.
"""
