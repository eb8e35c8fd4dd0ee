"""The published Bot API, as tables of the parameters and fields with their types."""

import json
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

_SCALARS = frozenset({"int", "str", "bool", "float", "any", "InputFile"})


@dataclass(frozen=True)
class Method:
    """A method: the published name, and the parameters with types."""

    name: str
    params: dict[str, str]
    known: frozenset[str]
    nested: frozenset[str]  # the names of the parameters that contain objects


@dataclass(frozen=True)
class Schema:
    """All methods by lower-case name, and all objects."""

    version: str
    methods: dict[str, Method]
    objects: dict[str, dict[str, str]]


def _names(written: str) -> list[str]:
    return [name.strip("[]!") for name in written.replace("[", "").split("|")]


@cache
def load() -> Schema:
    """Return the schema in schema.json, which is read once."""
    text = files("sandbox.telegram").joinpath("schema.json").read_text(encoding="utf-8")
    raw = json.loads(text)
    methods = {}
    for name, entry in raw["methods"].items():
        params = entry["params"]
        nested = {key for key, kind in params.items() if not _SCALARS.issuperset(_names(kind))}
        methods[name.lower()] = Method(name, params, frozenset(params), frozenset(nested))
    return Schema(raw["version"], methods, raw["objects"])


def unknown_params(method: Method, params: Mapping[str, Any]) -> list[str]:
    """Return the sent parameters and fields that do not exist in the published API.

    Examples: `text2`, `reply_markup.foo`.
    """
    unknown = [name for name in params if name not in method.known]
    for name in method.nested.intersection(params):
        value = params[name]
        if isinstance(value, str):
            try:
                value = json.loads(value)
            except ValueError:
                continue
        unknown.extend(unknown_within(name, method.params[name], value))
    return unknown


def unknown_within(path: str, written: str, value: object) -> Iterator[str]:
    """Yield the paths of a value's fields that do not exist in the published type."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown_within(f"{path}[{index}]", written, item)
    elif isinstance(value, dict):
        objects = load().objects
        fields: dict[str, str] = {}
        for name in _names(written):
            fields |= objects.get(name, {})
        if not fields:
            return
        for key, inner in value.items():
            if key not in fields:
                yield f"{path}.{key}"
            elif isinstance(inner, dict | list):
                yield from unknown_within(f"{path}.{key}", fields[key], inner)


def missing_params(method: Method, params: Container[str]) -> list[str]:
    """Return the required parameters that are missing."""
    return [
        name for name, kind in method.params.items() if kind.endswith("!") and name not in params
    ]
