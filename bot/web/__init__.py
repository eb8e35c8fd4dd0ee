"""The bot's web server, with health checks, metrics, the admin page and the webhook.

Input: HTTP requests. Output: the readiness of the process, metrics, and updates for the inbox.
Public: ``server.Web``, ``server.WebhookReceiver``, ``server.Webhook``, ``admin.AdminPage``.
"""
