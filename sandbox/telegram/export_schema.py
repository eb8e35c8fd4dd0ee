"""Export of the Bot API's methods and objects in the installed aiogram to schema.json.

Run `python -m sandbox.telegram.export_schema` after an upgrade of aiogram. A test checks that the
file is current.

Examples of written types are `int`, `Message`, `[PhotoSize]` and `int|str`. A `!` at the end means
that the parameter is required.
"""

from __future__ import annotations

import datetime as dt
import enum
import json
import types
import typing
from pathlib import Path

SCHEMA = Path(__file__).with_name("schema.json")
_BASES = {enum.Enum: "str", dt.datetime: "int", dt.timedelta: "int"}
_SKIPPED = {"Default", "NoneType"}


def type_name(annotation: object) -> str:
    """Return the written form of the type in an annotation."""
    origin = typing.get_origin(annotation)
    parts = [type_name(part) for part in typing.get_args(annotation)] if origin else []
    if origin is typing.Annotated:
        return parts[0]
    if origin is list:
        return f"[{parts[0]}]"
    if origin in {typing.Union, types.UnionType}:
        return "|".join(sorted(set(parts) - _SKIPPED))
    if origin is typing.Literal:
        return "str"
    return _plain_name(annotation)


def _plain_name(annotation: object) -> str:
    if not isinstance(annotation, type):
        return "any"
    for base, name in _BASES.items():
        if issubclass(annotation, base):
            return name
    return annotation.__name__


def _fields(model: typing.Any) -> dict[str, str]:  # noqa: ANN401 - a class of aiogram
    return {
        field.alias or name: type_name(field.annotation) + "!" * field.is_required()
        for name, field in model.model_fields.items()
    }


def build() -> dict[str, object]:
    """Return the complete schema, read from aiogram's models."""
    import aiogram  # noqa: PLC0415 - takes seconds, and only this script needs it
    from aiogram import methods as all_methods  # noqa: PLC0415 - takes seconds, and only this script needs it
    from aiogram import types as all_types  # noqa: PLC0415 - takes seconds, and only this script needs it
    from aiogram.methods import TelegramMethod  # noqa: PLC0415 - takes seconds, and only this script needs it
    from aiogram.types import TelegramObject  # noqa: PLC0415 - takes seconds, and only this script needs it

    methods = {}
    for name in all_methods.__all__:
        model = getattr(all_methods, name)
        if issubclass(model, TelegramMethod) and model is not TelegramMethod:
            returns = type_name(model.__returning__)
            methods[model.__api_method__] = {"returns": returns, "params": _fields(model)}
    objects = {}
    for name in all_types.__all__:
        model = getattr(all_types, name)
        if isinstance(model, type) and issubclass(model, TelegramObject):
            objects[name] = _fields(model)
    return {"version": aiogram.__api_version__, "methods": methods, "objects": objects}


def dump(schema: dict[str, object]) -> str:
    """Return the text of schema.json: sorted and compact, one line per method or object."""
    lines = ["{", f'"version": {json.dumps(schema["version"])},']
    for section in ("methods", "objects"):
        entries = typing.cast("dict[str, object]", schema[section])
        lines.append(f'"{section}": {{')
        rows = [
            f"{json.dumps(name)}: {json.dumps(entry, separators=(',', ':'))}"
            for name, entry in sorted(entries.items())
        ]
        lines.extend([",\n".join(rows), "}," if section == "methods" else "}"])
    return "\n".join([*lines, "}"]) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(dump(build()), encoding="utf-8")
