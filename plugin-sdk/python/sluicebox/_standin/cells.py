"""Columns as they cross, checked and made cells: None, a number, a bool, or bytes (utf8, binary, decimal128)."""

from __future__ import annotations

import struct
from itertools import accumulate, pairwise
from typing import Any

from sluicebox import _bits
from sluicebox._standin import values as v
from sluicebox._standin.types import DataType, Field

Cells = list[Any]

_NUMBERS = {
    DataType.INT8: ("b", v.Values_Int8),
    DataType.INT16: ("h", v.Values_Int16),
    DataType.INT32: ("i", v.Values_Int32),
    DataType.INT64: ("q", v.Values_Int64),
    DataType.UINT8: ("B", v.Values_Uint8),
    DataType.UINT16: ("H", v.Values_Uint16),
    DataType.UINT32: ("I", v.Values_Uint32),
    DataType.UINT64: ("Q", v.Values_Uint64),
    DataType.FLOAT32: ("f", v.Values_Float32),
    DataType.FLOAT64: ("d", v.Values_Float64),
    DataType.DATE32: ("i", v.Values_Int32),
    DataType.TIMESTAMP: ("q", v.Values_Int64),
}
_BYTE_LISTS = (DataType.INT8, DataType.UINT8)


class Refusal(Exception):
    """Why something that a stage handed over is not taken."""


def mask(what: str, bits: bytes, rows: int) -> bytes:
    """A byte a row, 0 or 1."""
    _exactly(what, bits, bytes)
    wanted = (rows + 7) // 8
    if len(bits) != wanted:
        raise Refusal(f"{what} has {len(bits)} bytes; for {rows} rows there are {wanted}")
    return _bits.unpack(bits, rows)


def _exactly(what: str, value: Any, kind: type) -> None:
    """componentize-py takes nothing else and aborts the instance."""
    if type(value) is not kind:
        raise AssertionError(f"{what} crosses as {kind.__name__}, not as {type(value).__name__}")


def raise_(field: Field, rows: int, column: v.Column) -> Cells:
    """The cells of a column that a stage handed over."""
    strings = isinstance(column.values, v.Values_Strings)
    if strings and column.validity is not None:
        raise Refusal(f"column `{field.name}` has a validity beside `strings`, which say themselves what is null")
    cells = _cells(field, rows, column.values)
    if len(cells) != rows:
        raise Refusal(f"column `{field.name}` has {len(cells)} rows, the batch has {rows}")
    if column.validity is not None:
        present = mask(f"the validity of column `{field.name}`", column.validity, rows)
        cells = [cell if there else None for cell, there in zip(cells, present)]
    nulls = cells.count(None)
    if nulls and not field.nullable:
        told = "1 null" if nulls == 1 else f"{nulls} nulls"
        raise Refusal(f"column `{field.name}` has {told}, but its schema says that it has none")
    return cells


def _cells(field: Field, rows: int, values: v.Values) -> Cells:
    kind, value = field.data_type, values.value
    if kind is DataType.BOOLEAN and isinstance(values, v.Values_Bits):
        return list(map(bool, mask(f"the bits of column `{field.name}`", value, rows)))
    if kind in _NUMBERS:
        letter, typed = _NUMBERS[kind]
        if isinstance(values, v.Values_FixedBytes):
            _exactly("fixed-bytes", value, bytes)
            width = struct.calcsize(letter)
            if len(value) % width:
                raise Refusal(f"column `{field.name}` has {len(value)} bytes, which is no multiple of {width}")
            return list(struct.unpack(f"<{len(value) // width}{letter}", value))
        if isinstance(values, typed):
            _exactly("a typed list", value, bytes if kind in _BYTE_LISTS else list)
            return list(
                struct.unpack(
                    f"<{len(value)}{letter}",
                    value if kind in _BYTE_LISTS else struct.pack(f"<{len(value)}{letter}", *value),
                )
            )
    if kind is DataType.DECIMAL128 and isinstance(values, v.Values_FixedBytes):
        _exactly("fixed-bytes", value, bytes)
        return [value[at : at + 16] for at in range(0, len(value), 16)]
    if kind in (DataType.UTF8, DataType.BINARY) and isinstance(values, (v.Values_Variable, v.Values_VariableBytes)):
        return _parts(field, values)
    if kind is DataType.UTF8 and isinstance(values, v.Values_Strings):
        _exactly("strings", value, list)
        for text in value:
            if text is not None:
                _exactly("a text of strings", text, str)
        return [None if text is None else text.encode() for text in value]
    raise Refusal(
        f"column `{field.name}` is of type {kind.name}, which values of the form `{type(values).__name__}` do not fit"
    )


def _parts(field: Field, values: v.Values) -> Cells:
    offsets, data = values.value.offsets, values.value.data
    _exactly("data", data, bytes)
    if isinstance(values, v.Values_VariableBytes):
        _exactly("offsets", offsets, bytes)
        if len(offsets) % 4 or not offsets:
            raise Refusal(f"column `{field.name}` has {len(offsets)} bytes of offsets; there are 4 a row and 4 more")
        offsets = list(struct.unpack(f"<{len(offsets) // 4}i", offsets))
    _exactly("offsets", offsets, list)
    if not offsets:
        raise Refusal(f"column `{field.name}` has no offsets; there is one more than rows")
    if offsets[0] != 0 or any(end < start for start, end in pairwise(offsets)) or offsets[-1] > len(data):
        raise Refusal(f"the offsets of column `{field.name}` do not begin with 0, fall, or pass the end of the data")
    parts = [data[start:end] for start, end in pairwise(offsets)]
    if field.data_type is DataType.UTF8:
        try:
            for part in parts:
                part.decode()
        except UnicodeDecodeError:
            raise Refusal(f"column `{field.name}` is not UTF-8") from None
    return parts


def lower(field: Field, cells: Cells, form: v.Form) -> v.Column:
    """The column in the form that the stage asked for."""
    kind = field.data_type
    if kind is DataType.OTHER or (form is v.Form.STRINGS and kind is not DataType.UTF8):
        raise Refusal(f"a column of type {field.detail or kind.name} has no form `{form.name.lower()}`")
    if form is v.Form.STRINGS:
        return v.Column(v.Values_Strings([None if cell is None else cell.decode() for cell in cells]), None)
    validity = _bits.pack(cell is not None for cell in cells) if None in cells else None
    return v.Column(_lowered(kind, cells, raw=form is v.Form.RAW), validity)


def _lowered(kind: DataType, cells: Cells, *, raw: bool) -> v.Values:
    if kind is DataType.BOOLEAN:
        return v.Values_Bits(_bits.pack(cells))
    if kind in _NUMBERS:
        letter, typed = _NUMBERS[kind]
        numbers = [0 if cell is None else cell for cell in cells]
        packed = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        if raw:
            return v.Values_FixedBytes(packed)
        return typed(packed if kind in _BYTE_LISTS else numbers)
    if kind is DataType.DECIMAL128:
        return v.Values_FixedBytes(b"".join(bytes(16) if cell is None else cell for cell in cells))
    parts = [cell or b"" for cell in cells]
    offsets = list(accumulate(map(len, parts), initial=0))
    if raw:
        return v.Values_VariableBytes(v.VariableBytes(struct.pack(f"<{len(offsets)}i", *offsets), b"".join(parts)))
    return v.Values_Variable(v.Variable(offsets, b"".join(parts)))
