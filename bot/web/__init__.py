"""The bot's own web server: probes, metrics, the admin page, and the webhook's door.

In: HTTP requests. Out: whether the process is well, its figures; updates go to who takes them.
Public: ``server.Web``, ``server.Door``, ``server.Webhook``, ``admin.AdminPage``.
"""
