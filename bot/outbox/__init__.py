"""Sends alerts and replies into chats.

A row of the outbox is an alert or a reply. ``worker`` is the loop. ``claiming`` claims chat
queues; ``domain.selection`` decides which rows are sent now. Each claim is a job of ``jobs``: an
alert, a reply or a probe. ``runner`` does a job. An alert gets the text from ``composer``.
``sending`` sends and returns an outcome. Right before each request, ``leases`` checks the lease
and counts the copy. ``results`` and ``reply_results`` record the outcome. ``fan_out`` writes the
deliveries of a new story. Public: ``worker.Outbox``.
"""
