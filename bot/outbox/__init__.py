"""Brings alerts into chats.

The way of one alert: a snapshot left a fan-out, of which ``fan_out`` makes deliveries, slice by
slice; ``worker`` claims one with its chat's queue and asks ``domain.selection`` what goes out
now; ``composer`` makes an album or a text of it and hands it to ``sending``; ``results`` writes
down what came of it, item by item. Public: ``worker.Outbox``.
"""
