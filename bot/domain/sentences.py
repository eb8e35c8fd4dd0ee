"""Markers of messages for later translation (``tools.catalogues``)."""


def N_(msgid: str) -> str:  # noqa: N802 - gettext's own name for "translate this later"
    """Mark ``msgid`` for the catalogues."""
    return msgid


def NN_(one: str, many: str) -> str:  # noqa: N802, ARG001 - as N_; the catalogues contain both forms
    """Mark both English forms of a message; the field ``n`` chooses the form."""
    return one
