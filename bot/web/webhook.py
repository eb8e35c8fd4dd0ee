"""The path and the secret of the webhook, which are both derived from the bot's token."""

import hmac
from dataclasses import dataclass

from pydantic import SecretStr

_PREFIX = "/telegram/"


@dataclass(frozen=True, slots=True)
class Webhook:
    """The path that receives updates, and the secret that Telegram sends with each update.

    The path and the secret must not appear in any log.
    """

    path: str
    secret: SecretStr

    @property
    def secrets_to_redact(self) -> list[str]:
        """Return the secret, and the path without the prefix ``/telegram/``.

        The texts must not appear in any log.
        """
        return [self.secret.get_secret_value(), self.path.removeprefix(_PREFIX)]


def derive_webhook(token: SecretStr) -> Webhook:
    """Derive a path and a secret from the token.

    Nobody without the token can compute the path or the secret. The secret has 64 hexadecimal
    digits, which the Bot API (setWebhook) allows.
    """
    path, secret = _derive_secret(token, "path")[:32], _derive_secret(token, "secret")
    return Webhook(f"{_PREFIX}{path}", SecretStr(secret))


def _derive_secret(token: SecretStr, purpose: str) -> str:
    key = token.get_secret_value().encode()
    return hmac.new(key, f"storybell webhook {purpose}".encode(), "sha256").hexdigest()
