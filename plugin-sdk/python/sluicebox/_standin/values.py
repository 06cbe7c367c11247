"""The variant `values` and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

Form = Enum("Form", "TYPED RAW STRINGS", start=0)


@dataclass
class Variable:
    offsets: list[int]
    data: bytes


@dataclass
class VariableBytes:
    offsets: bytes
    data: bytes


@dataclass
class Values:
    value: Any


class Values_Bits(Values): ...


class Values_Int8(Values): ...


class Values_Int16(Values): ...


class Values_Int32(Values): ...


class Values_Int64(Values): ...


class Values_Uint8(Values): ...


class Values_Uint16(Values): ...


class Values_Uint32(Values): ...


class Values_Uint64(Values): ...


class Values_Float32(Values): ...


class Values_Float64(Values): ...


class Values_Variable(Values): ...


class Values_FixedBytes(Values): ...


class Values_VariableBytes(Values): ...


class Values_Strings(Values): ...


@dataclass
class Column:
    values: Values
    validity: bytes | None
