"""The rules for database URLs that the bot accepts.

The texts about problems do not contain the values of a URL, because these can be secret.
"""

import math
import re
from urllib.parse import parse_qsl, urlsplit

SQLITE = frozenset({"sqlite", "sqlite+aiosqlite"})
POSTGRESQL = frozenset({"postgres", "postgresql", "postgresql+asyncpg"})
# The parameters that asyncpg reads only from a database URL (DSN). Providers of databases write
# these parameters into their URLs.
DSN_PARAMETERS = ("sslmode", "sslrootcert", "sslcert", "sslkey", "sslcrl", "target_session_attrs")
# The parameters that providers of databases write into their URLs and that asyncpg does not
# accept. The bot ignores these parameters.
IGNORED_PARAMETERS = ("channel_binding", "gssencmode", "connect_timeout")
_POSTGRESQL_PARAMETERS = frozenset(
    {"database", "host", "passfile", "password", "port", "ssl", "user"}
    | {*DSN_PARAMETERS, *IGNORED_PARAMETERS}
)
_TLS_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SESSIONS = ("any", "primary", "standby", "prefer-standby", "read-write", "read-only")
# The values that asyncpg accepts. The module checks the values, because asyncpg would report a
# wrong value only during the connection.
_CHOICES = {"sslmode": _TLS_MODES, "ssl": _TLS_MODES, "target_session_attrs": _SESSIONS}
_SQLITE_PARAMETERS = frozenset({"timeout"})
_REPEATABLE = frozenset({"host", "port"})
_LONGEST_TIMEOUT_S = 86_400
_LAST_PORT, _PORT_DIGITS = 65_535, 5

_BAD_SCHEME = "must begin with sqlite:// or postgresql://"
_NOT_PRINTABLE = "can't be read: it holds a character that can't be printed"
_UNREADABLE = (
    "can't be read: the port is no number, or the password holds a sign that must be "
    "written with % (@ as %40, / as %2F, : as %3A)"
)
_NO_PATH = (
    "must be sqlite:/// and the path of a file, for example sqlite:///data/storybell.db, or "
    "sqlite:////data/storybell.db for an absolute path"
)
NOT_REPLACED = "must be the whole path: ~ and $HOME are not replaced"
_BAD_TIMEOUT = f"timeout must be a number of seconds from 0 to {_LONGEST_TIMEOUT_S:,}"
_UNKNOWN = "the parameter {name} is not supported: remove it"
_REPEATED = "the parameter {name} is there more than once"
_BAD_CHOICE = "{name} must be one of {choices}"
_BAD_HOSTS = "must have one port for each host, for example host=a,b&port=5432,5432"
_NAME = re.compile("[a-z_]+")


def problem_of_url(url: str) -> str:
    """Return the reason why the bot can't use a database URL, as a part of a sentence.

    An empty string means no problem. The reason contains no values of the URL's parameters. The
    database is not contacted.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SQLITE | POSTGRESQL:
        return _BAD_SCHEME
    if not url.isprintable():
        return _NOT_PRINTABLE
    path, _, query = rest.partition("?")
    parameters = parse_qsl(query)
    if scheme in SQLITE:
        return _problem_of_sqlite(path, parameters)
    try:
        urlsplit(url).port  # noqa: B018 - raises ValueError for an invalid port
    except ValueError:
        return _UNREADABLE
    if urlsplit(url).netloc.endswith(":"):  # an empty port, for example from an unset variable
        return _UNREADABLE
    return _problem_of_postgresql(parameters)


def _problem_of_sqlite(path: str, parameters: list[tuple[str, str]]) -> str:
    is_in_memory = path in {"", "/"}
    if not is_in_memory and not (path.startswith("/") and path.strip("/")):
        return _NO_PATH
    if path.lstrip("/").startswith(("~", "$")):
        return NOT_REPLACED
    if problem := _problem_of_parameter_names(parameters, _SQLITE_PARAMETERS):
        return problem
    timeouts = [value for _, value in parameters]
    return "" if all(map(_is_valid_timeout, timeouts)) else _BAD_TIMEOUT


def _is_valid_timeout(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return math.isfinite(value) and 0 <= value <= _LONGEST_TIMEOUT_S


def _problem_of_postgresql(parameters: list[tuple[str, str]]) -> str:
    if problem := _problem_of_parameter_names(parameters, _POSTGRESQL_PARAMETERS):
        return problem
    for name, value in parameters:
        if value not in _CHOICES.get(name, (value,)):
            return _BAD_CHOICE.format(name=name, choices=", ".join(_CHOICES[name]))
    return _problem_of_hosts(parameters)


def _problem_of_hosts(parameters: list[tuple[str, str]]) -> str:
    hosts = [value for name, value in parameters if name == "host"]
    ports = [value for name, value in parameters if name == "port"]
    if len(hosts) > 1:  # each host must contain its port, as in host=a:5432&host=b:5432
        own = [host.partition(":")[2] for host in hosts]
        return _BAD_HOSTS if ports or not all(map(_is_port_number, own)) else ""
    ports = [port for value in ports for port in value.split(",")]
    if not all(map(_is_port_number, filter(None, ports))):
        return _UNREADABLE
    names = hosts[0].split(",") if hosts else []
    if len(names) > 1:
        return "" if len(ports) == len(names) and all(ports + names) else _BAD_HOSTS
    return "" if len(ports) <= 1 else _BAD_HOSTS


def _is_port_number(text: str) -> bool:
    is_number = text.isascii() and text.isdecimal() and len(text) <= _PORT_DIGITS
    return is_number and int(text) <= _LAST_PORT


def _problem_of_parameter_names(parameters: list[tuple[str, str]], known: frozenset[str]) -> str:
    names = [name for name, _ in parameters]
    for name in names:
        if name in known:
            continue
        # If the name does not match ``_NAME``, it is probably the end of a password that contains
        # a question mark. The message must not show such a name.
        return _UNKNOWN.format(name=name) if _NAME.fullmatch(name) else _UNREADABLE
    repeated = [name for name in names if names.count(name) > 1 and name not in _REPEATABLE]
    return _REPEATED.format(name=repeated[0]) if repeated else ""
