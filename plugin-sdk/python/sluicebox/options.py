"""Options of a stage: a dataclass, its JSON Schema, and JSON text read into it."""

from __future__ import annotations

import dataclasses
import json
import re
import types
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from sluicebox.fault import Fault

T = TypeVar("T")

_NAMES = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}
_WORDS = {str: "string", int: "integer", float: "number", bool: "boolean"}


@dataclasses.dataclass
class NoOptions:
    """No options."""


def option(
    description: str,
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    at_least: float | None = None,
    at_most: float | None = None,
    pattern: str | None = None,
    name: str | None = None,
) -> Any:
    """A field of an options dataclass with what is to be known of it.

    Without a default it has to be given. `at_least` and `at_most` bound a number, the length of a text or the items of a list.
    Its name in pipeline files is that of the field, with `-` for `_` and without a `_` at the end (`as_` is `as`), unless
    `name` says another. A list or a table as default is copied for each use.
    """
    if isinstance(default, (list, dict)):
        shared = json.dumps(default)
        default, default_factory = dataclasses.MISSING, lambda: json.loads(shared)
    metadata = {
        "description": description,
        "at_least": at_least,
        "at_most": at_most,
        "pattern": pattern,
        "name": name,
    }
    return dataclasses.field(default=default, default_factory=default_factory, kw_only=True, metadata=metadata)


def schema(options: type) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of an options dataclass. Keys that it does not name are refused."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_object(options, options.__name__)}


def read(options: type[T], text: str) -> T:
    """The options from JSON text.

    The host holds options to the schema before a stage sees them; here they are held to the same again, so that tests
    without a host find what does not fit.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Fault("invalid-config", f"the options are no JSON: {error}") from None
    return cast(T, _read(options, value, "", {}))


def _fields(options: type) -> list[tuple[str, dataclasses.Field[Any], Any]]:
    """Name in pipeline files, field and type of each option."""
    if not (isinstance(options, type) and dataclasses.is_dataclass(options)):
        raise TypeError(f"options are a dataclass, not {options!r}")
    hints = get_type_hints(options)
    fields = [field for field in dataclasses.fields(options) if field.init]
    return [
        (field.metadata.get("name") or field.name.rstrip("_").replace("_", "-"), field, hints[field.name])
        for field in fields
    ]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return field.default_factory() if field.default_factory is not dataclasses.MISSING else dataclasses.MISSING


def _object(options: type, where: str) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    required: list[str] = []
    for name, field, hint in _fields(options):
        inner = _schema(hint, f"{where}.{field.name}")
        inner |= _bounds(inner, field.metadata)
        if field.metadata.get("description"):
            inner["description"] = field.metadata["description"]
        default = _default(field)
        if default is dataclasses.MISSING:
            required.append(name)
        elif default is not None:
            inner["default"] = _plain(default)
        properties[name] = inner
    doc = (options.__doc__ or "").strip()
    # Without a docstring of its own, a dataclass's is its signature.
    described = {} if doc.startswith(f"{options.__name__}(") or not doc else {"description": doc}
    needed = {"required": required} if required else {}
    return {"type": "object", **described, "properties": properties, **needed, "additionalProperties": False}


def _plain(value: Any) -> Any:
    """A default as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: _plain(getattr(value, field.name)) for name, field, _ in _fields(type(value))}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value


def _bounds(inner: dict[str, Any], metadata: Any) -> dict[str, Any]:
    low, high, kind = metadata.get("at_least"), metadata.get("at_most"), inner.get("type")
    words = {
        "array": ("minItems", "maxItems"),
        "string": ("minLength", "maxLength"),
        "object": ("minProperties", "maxProperties"),
    }
    least, most = words.get(str(kind), ("minimum", "maximum"))
    bounds = {least: low, most: high, "pattern": metadata.get("pattern")}
    return {word: bound for word, bound in bounds.items() if bound is not None}


def _union(hint: Any) -> list[Any] | None:
    """The types of a union but None."""
    if get_origin(hint) in (Union, types.UnionType):
        return [each for each in get_args(hint) if each is not types.NoneType]
    return None


def _schema(hint: Any, where: str) -> dict[str, Any]:
    if hint in _WORDS:
        return {"type": _WORDS[hint]}
    if hint is Any:
        return {}
    origin, arguments = get_origin(hint), get_args(hint)
    union = _union(hint)
    if union is not None:
        return _schema(union[0], where) if len(union) == 1 else {"anyOf": [_schema(each, where) for each in union]}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], where)}
    if origin is dict and arguments[0] is str:
        return {"type": "object", "additionalProperties": _schema(arguments[1], where)}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return _object(hint, where)
    raise TypeError(
        f"{where}: {hint!r} is no type of an option; they are str, int, float, bool, Literal[...], list[...], "
        "dict[str, ...], another dataclass, unions of these, and None beside one"
    )


def _misfit(path: str, why: str) -> Fault:
    return Fault("invalid-config", f"{path or 'the options'}: {why}")


def _read(hint: Any, value: Any, path: str, metadata: Any) -> Any:
    found = _value(hint, value, path)
    least, most = metadata.get("at_least"), metadata.get("at_most")
    if value is not None and (least is not None or most is not None):
        size = value if isinstance(value, (int, float)) else len(value)
        if (least is not None and size < least) or (most is not None and size > most):
            bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (most is not None)
            raise _misfit(path, f"{size} is out of bounds; it is {' and '.join(bounds)}")
    if metadata.get("pattern") and isinstance(value, str) and not re.search(metadata["pattern"], value):
        raise _misfit(path, f"{json.dumps(value)} does not fit the pattern {metadata['pattern']}")
    return found


def _value(hint: Any, value: Any, path: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    union = _union(hint)
    if union is not None:
        return _either(hint, union, value, path)
    if hint is Any:
        return value
    if hint in _WORDS:
        return _scalar(hint, value, path)
    if origin is Literal:
        if any(value == each and type(value) is type(each) for each in arguments):
            return value
        raise _misfit(path, f"{json.dumps(value)} is none of {', '.join(map(json.dumps, arguments))}")
    if origin is list:
        if not isinstance(value, list):
            raise _misfit(path, f"{json.dumps(value)} is no list")
        return [_value(arguments[0], item, f"{path}[{at}]") for at, item in enumerate(value)]
    if not isinstance(value, dict):
        raise _misfit(path, f"{json.dumps(value)} is no table")
    if origin is dict:
        return {key: _value(arguments[1], item, _join(path, key)) for key, item in value.items()}
    return _table(hint, value, path)


def _either(hint: Any, union: list[Any], value: Any, path: str) -> Any:
    if value is None and types.NoneType in get_args(hint):
        return None
    if len(union) == 1:
        return _value(union[0], value, path)
    for each in union:
        try:
            return _value(each, value, path)
        except Fault:
            continue
    raise _misfit(path, f"{json.dumps(value)} is of no type that it can be")


def _scalar(hint: Any, value: Any, path: str) -> Any:
    if hint is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if hint is float and type(value) is int:
        return float(value)
    if type(value) is not hint:
        raise _misfit(path, f"{json.dumps(value)} is not {_NAMES[hint]}")
    return value


def _table(hint: Any, value: dict[str, Any], path: str) -> Any:
    given, fields = {}, _fields(hint)
    names = [name for name, _, _ in fields]
    for key in value:
        if key not in names:
            raise _misfit(_join(path, key), f"there is no such option; there are {', '.join(names) or 'none'}")
    for name, field, inner in fields:
        if name in value:
            given[field.name] = _read(inner, value[name], _join(path, name), field.metadata)
        elif _default(field) is dataclasses.MISSING:
            raise _misfit(_join(path, name), "it has to be given")
    return hint(**given)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
