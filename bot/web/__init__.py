"""The bot's own web server: probes, metrics, and the routes that it is handed."""
