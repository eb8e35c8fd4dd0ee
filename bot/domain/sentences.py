"""The functions that mark messages for later translation (``tools.catalogues``)."""


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark the message ``msgid`` for the catalogues, and return ``msgid``."""
    return msgid


def NN_(one: str, many: str) -> str:  # noqa: N802, ARG001 - as N_; the catalogues contain both forms
    """Mark the English singular and plural of a message for the catalogues.

    Return the singular, which is the id of the message. When the message is translated, the number
    in the field ``n`` chooses the singular or plural.
    """
    return one
