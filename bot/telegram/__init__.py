"""The parts between us and Telegram."""
