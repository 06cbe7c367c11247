"""What a plugin says of itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, get_args, get_origin

from sluicebox import options as options_
from sluicebox.stage import Extract, Load, Stage, Transform, Validate

Kind = Literal["extract", "transform", "validate", "load"]
Capability = Literal["read-files", "write-files", "http", "tcp", "environment", "clock", "random"]

KINDS: dict[type, Kind] = {Extract: "extract", Transform: "transform", Validate: "validate", Load: "load"}

_Class = TypeVar("_Class", bound=type)


@dataclass(frozen=True)
class Plugin:
    """A stage class with what `plugin` said of it."""

    name: str
    version: str
    kind: Kind
    summary: str
    capabilities: tuple[Capability, ...]
    stateless: bool
    stage: type
    options: type
    config_schema: str
    """JSON Schema of the options"""


_registered: list[Plugin] = []


def plugin(
    name: str,
    *,
    summary: str,
    version: str = "0.1.0",
    stateless: bool = False,
    capabilities: Sequence[Capability] = (),
) -> Callable[[_Class], _Class]:
    """Makes a stage class the plugin of this name, as in plugin.toml and in pipeline files.

    `stateless`: the answer to a batch depends on that batch alone; such a stage runs on many instances at once, and a batch
    that kills it can be split to find the rows at fault. `capabilities` is what the stage asks to be granted.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name):
        raise TypeError(f"a plugin is named by lower-case words joined by hyphens, not {name!r}")
    unknown = [each for each in capabilities if each not in get_args(Capability)]
    if isinstance(capabilities, str) or unknown:
        raise TypeError(f"capabilities are a list of {', '.join(get_args(Capability))}, not {capabilities!r}")

    def register(stage: _Class) -> _Class:
        if _registered and not _same(_registered[-1].stage, stage):
            raise TypeError(f"one plugin is one stage; {_registered[-1].stage.__name__} is one already")
        missing = getattr(stage, "__abstractmethods__", ())
        if missing:
            raise TypeError(f"{stage.__name__} is without {', '.join(sorted(missing))}")
        options = options_of(stage)
        schema = json.dumps(options_.schema(options), ensure_ascii=False)
        made = Plugin(name, version, kind_of(stage), summary, tuple(capabilities), stateless, stage, options, schema)
        stage.__plugin__ = made  # type: ignore[attr-defined]
        _registered[:] = [made]
        return stage

    return register


def _same(one: type, other: type) -> bool:
    """Whether it is one class, imported anew; natively, tests may hold several plugins."""
    from sluicebox._host import WASI

    return not WASI or (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def registered() -> Plugin:
    """The plugin of this component."""
    if not _registered:
        raise TypeError('no class is decorated with @plugin("name", summary="..."), so there is no stage')
    return _registered[-1]


def of(stage: type) -> Plugin:
    """What `plugin` said of a class."""
    found = getattr(stage, "__plugin__", None)
    if not isinstance(found, Plugin) or found.stage is not stage:
        raise TypeError(f'{stage!r} is not decorated with @plugin("name", summary="...")')
    return found


def kind_of(stage: type) -> Kind:
    """The kind by the class that it subclasses."""
    for base, kind in KINDS.items():
        if isinstance(stage, type) and issubclass(stage, base):
            return kind
    raise TypeError(f"{stage!r} subclasses none of Extract, Transform, Validate and Load")


def options_of(stage: type) -> type:
    """The options dataclass: `class Speed(Transform[Options])`."""
    for each in stage.__mro__:
        for base in each.__dict__.get("__orig_bases__", ()):
            arguments: tuple[Any, ...] = get_args(base)
            origin = get_origin(base)
            if isinstance(origin, type) and issubclass(origin, Stage) and not isinstance(arguments[0], TypeVar):
                return arguments[0]  # type: ignore[no-any-return]
    return options_.NoOptions
