"""Find texts that code joins from translated parts. No translation can correct these texts.

``tools.catalogues check`` prints the findings. Punctuation and the order of parts differ by
language. For example, French has a space before a colon, and Arabic has a different comma. For
this reason, translated parts must be joined by a message (``Translator.labelled``,
``Translator.noted``) or by a pattern of CLDR (``Translator.listed``, ``Translator.value_range``).
"""

import ast
import re
from collections.abc import Iterator

_TRANSLATED = frozenset(
    {
        "t",
        "plain",
        "listed",
        "names",
        "names_inside_bold",
        "first_names_in_bold",
        "number",
        "percent",
        "money",
    }
) | {"relative_time", "date_and_time", "moment", "day", "time", "duration", "ago", "day_range"}
"""The names of the functions that return text in the language of the chat."""

# The names of functions that return a text with one or more names.
_LISTS = frozenset({"names_inside_bold", "first_names_in_bold"})
_GLUE = re.compile(r"^\s*[:,;\u2013]|[:,;(\u2013]\s*$")
_TAG = re.compile(r"<[^<>]*>")

Values = dict[str, list[ast.expr]]


def findings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line number and the error of each joined text in a source text."""
    for function in ast.walk(ast.parse(source)):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            values = _assigned(function)
            for node in ast.walk(function):
                if isinstance(node, ast.expr):
                    yield from ((node.lineno, fault) for fault in _faults(node, values))


def _assigned(function: ast.AST) -> Values:
    """Return the expressions that a function assigns to each variable."""
    values: Values = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    values.setdefault(target.id, []).append(node.value)
    return values


def _faults(node: ast.expr, values: Values) -> Iterator[str]:
    match node:
        case ast.JoinedStr() if _is_glued(node, values):
            yield "translated parts are joined by punctuation"
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=", "), attr="join")) if any(
            _calls(part, _TRANSLATED, values) for part in node.args
        ):
            yield "translated parts are joined by a comma"
        case ast.Call(keywords=fields) if _name(node) in {"t", "plain", "say_message"}:
            named = {field.arg: field.value for field in fields}
            if "n" not in named and any(_calls(one, _LISTS, values) for one in named.values()):
                yield "a list of names without the field n"
        case ast.Call(args=[text]) if _name(node) == "bold" and _is_raw(text, values):
            yield "a name whose direction is not isolated"


def _is_glued(text: ast.JoinedStr, values: Values) -> bool:
    """Return whether an f-string joins values by punctuation, and a value is translated."""
    shown = [part.value for part in text.values if isinstance(part, ast.FormattedValue)]
    inner = text.values[1:-1]  # punctuation at the start or the end of the f-string joins nothing
    literals = [str(part.value) for part in inner if isinstance(part, ast.Constant)]
    is_joined = any(_GLUE.search(_TAG.sub("", literal)) for literal in literals)
    return is_joined and any(_calls(part, _TRANSLATED, values) for part in shown)


def _calls(node: ast.expr, functions: frozenset[str], values: Values) -> bool:
    """Return whether an expression, or a value of its variables, calls one of ``functions``.

    ``values`` has the expressions that are assigned to each variable.
    """
    for part in ast.walk(node):
        if isinstance(part, ast.Call) and _name(part) in functions:
            return True
    named = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    others = {name: found for name, found in values.items() if name not in named}
    return any(
        _calls(value, functions, others) for name in named for value in values.get(name, ())
    )


def _is_raw(node: ast.expr, values: Values) -> bool:
    """Return whether an expression, or a value of the variable, is a field of a record.

    The value of a field is not the result of a function.
    """
    if isinstance(node, ast.Name):
        others = {name: found for name, found in values.items() if name != node.id}
        return any(_is_raw(value, others) for value in values.get(node.id, ()))
    return isinstance(node, ast.Attribute | ast.Subscript)


def _name(node: ast.Call) -> str:
    """Return the name of a called function, or an empty string if the call has no simple name."""
    match node.func:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
        case _:
            return ""
