"""Words of the SDK as words of the contract, and back."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from sluicebox._host import Err, batches, types
from sluicebox.column import Column
from sluicebox.fault import Fault, FaultKind
from sluicebox.types import DataType, Field, Schema

_T = TypeVar("_T")

_TO_TYPE = {kind: getattr(types.DataType, kind.name) for kind in DataType}
_FROM_TYPE = {word: kind for kind, word in _TO_TYPE.items()}
_TO_FAULT = {kind: getattr(types.FaultKind, kind.name) for kind in FaultKind}
_FROM_FAULT = {word: kind for kind, word in _TO_FAULT.items()}

U32_MAX = 2**32 - 1


def from_schema(fields: list[Any]) -> Schema:
    """The host's schema."""
    return Schema(Field(it.name, _FROM_TYPE[it.data_type], it.nullable, it.detail) for it in fields)


def to_schema(schema: Schema) -> list[Any]:
    """The schema for the host."""
    return [types.Field(it.name, _TO_TYPE[it.data_type], it.nullable, it.detail) for it in schema]


def to_fault(fault: Fault) -> Any:
    """The fault for the host."""
    row = fault.row if isinstance(fault.row, int) and 0 <= fault.row <= U32_MAX else None
    return types.Fault(_TO_FAULT[fault.kind], text(fault.message), row)


def from_fault(fault: Any) -> Fault:
    """A fault that the host answered with."""
    return Fault(_FROM_FAULT[fault.kind], fault.message, fault.row)


def text(value: object) -> str:
    """Text that can cross: what is no Unicode (half of a surrogate pair) is written as an escape."""
    return str(value).encode("utf-8", "backslashreplace").decode()


def u32(value: Any, what: str) -> int:
    """A number that can cross as u32."""
    try:
        number = value.__index__()
    except AttributeError:
        raise Fault("internal", f"{what} is a whole number, not {value!r}") from None
    if not 0 <= number <= U32_MAX:
        raise Fault("internal", f"{what} is {number}; it is 0 to {U32_MAX}")
    return int(number)


def u32s(values: Iterable[Any], what: str) -> list[int]:
    """Numbers that can cross as a list of u32."""
    values = values if isinstance(values, (list, range, array)) else list(values)
    try:
        return array("I", values).tolist()
    except (TypeError, ValueError, OverflowError):
        return [u32(value, what) for value in values]


def call(function: Callable[..., _T], *arguments: Any) -> _T:
    """Calls the host; a fault that it answers with is raised."""
    try:
        return function(*arguments)
    except Err as error:
        fault = from_fault(error.value)
    raise fault


_LISTS = {
    DataType.INT8: "Int8",
    DataType.INT16: "Int16",
    DataType.INT32: "Int32",
    DataType.INT64: "Int64",
    DataType.UINT8: "Uint8",
    DataType.UINT16: "Uint16",
    DataType.UINT32: "Uint32",
    DataType.UINT64: "Uint64",
    DataType.FLOAT32: "Float32",
    DataType.FLOAT64: "Float64",
    DataType.DATE32: "Int32",
    DataType.TIMESTAMP: "Int64",
}


def from_column(column: Any) -> Column:
    """A column of the host."""
    values = column.values
    if isinstance(values, (batches.Values_Variable, batches.Values_VariableBytes)):
        return Column(values.value.data, column.validity, values.value.offsets)
    return Column(values.value, column.validity)


def to_column(field: Field, column: Column) -> Any:
    """The column for the host. What componentize-py would abort the instance for is refused here: it takes nothing but
    exactly lists and bytes."""
    validity = None if column.validity is None else bytes(column.validity)
    return batches.Column(_values(field, column), validity)


def _values(field: Field, column: Column) -> Any:
    data, offsets, kind = column.data, column.offsets, field.data_type
    if offsets is not None:
        if isinstance(offsets, list):
            return batches.Values_Variable(batches.Variable(_whole(field, offsets, 32), bytes(data)))
        return batches.Values_VariableBytes(batches.VariableBytes(bytes(offsets), bytes(data)))
    if not isinstance(data, list):
        raw = bytes(data)
        return batches.Values_Bits(raw) if kind is DataType.BOOLEAN else batches.Values_FixedBytes(raw)
    if kind is DataType.UTF8:
        return batches.Values_Strings(data)
    name = _LISTS.get(kind)
    if name is None:
        raise Fault("internal", f"column {field.name!r}: {kind} has no form that is a list")
    if name.startswith("Float"):
        return getattr(batches, f"Values_{name}")(list(map(float, data)))
    bits = int("".join(filter(str.isdigit, name)))
    numbers = _whole(field, data, bits, signed=not name.startswith("U"))
    # A list of bytes is bytes to componentize-py, whatever their sign.
    if bits == 8:
        return getattr(batches, f"Values_{name}")(bytes(number & 255 for number in numbers))
    return getattr(batches, f"Values_{name}")(numbers)


def _whole(field: Field, numbers: list[Any], bits: int, *, signed: bool = True) -> list[int]:
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not set(map(type, numbers)) <= {int} or (numbers and not (low <= min(numbers) and max(numbers) < high)):
        raise Fault("internal", f"column {field.name!r}: a value is no whole number of {bits} bits")
    return numbers
