"""Columns out of what people have at hand: lists, arrays, bytes."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Context, Decimal, InvalidOperation
from itertools import accumulate
from typing import Any

from sluicebox import _bits
from sluicebox.column import EPOCH, EPOCH_DAY, EPOCH_UTC, FORMATS, MICROSECOND, Column, scale_of
from sluicebox.fault import Fault
from sluicebox.types import DataType, Field

_NONE = type(None)
_EXACT = Context(prec=60)


def build(field: Field, values: Any) -> tuple[Column, int | None]:
    """The values as a column of the field's type, and how many rows it has, where that is known. A `Column` is taken as it
    is."""
    if isinstance(values, Column):
        return values, rows_of(field, values)
    if isinstance(values, (str, dict, set, frozenset)) or not hasattr(values, "__iter__"):
        raise _misfit(field, f"values are a list, an array or bytes, not {type(values).__name__}")
    if isinstance(values, (bytes, bytearray, memoryview, array)):
        raw = _raw(field, values)
        if raw is not None:
            return raw, rows_of(field, raw)
        values = memoryview(values).tolist()
    if not isinstance(values, list):
        values = list(values)
    return _BUILDERS[field.data_type](field, values), len(values)


def rows_of(field: Field, column: Column) -> int | None:
    """How many rows the column has, where its buffers tell."""
    if isinstance(column.data, list):
        return len(column.data)
    if column.offsets is not None:
        offsets = column.offsets
        return (len(offsets) if isinstance(offsets, list) else memoryview(offsets).nbytes // 4) - 1
    letter = FORMATS.get(field.data_type)
    width = 16 if field.data_type is DataType.DECIMAL128 else array(letter).itemsize if letter else None
    return None if width is None else memoryview(column.data).nbytes // width


def _raw(field: Field, values: Any) -> Column | None:
    """Plain bytes, or numbers of just the right type, cross as they are."""
    wanted = FORMATS.get(field.data_type)
    if wanted is None and field.data_type not in (DataType.BOOLEAN, DataType.DECIMAL128):
        raise _misfit(field, "give a list, or a Column with data and offsets")
    seen = memoryview(values)
    plain = seen.format in ("B", "c") and not (isinstance(values, array) and wanted not in ("B", "b"))
    if plain or seen.format == wanted:
        return Column(_little(seen, wanted))
    return None


def _little(seen: memoryview, letter: str | None) -> bytes:
    data = seen.tobytes()
    if sys.byteorder == "big" and seen.format == letter and letter is not None:
        swapped = array(letter, data)
        swapped.byteswap()
        return swapped.tobytes()
    return data


def _parted(values: list[Any], blank: Any) -> tuple[list[Any], bytes | None]:
    """The values with `blank` in place of None, and which were there."""
    if None not in values:
        return values, None
    return [blank if value is None else value for value in values], _bits.pack(value is not None for value in values)


def _numbers(field: Field, values: list[Any]) -> Column:
    letter = FORMATS[field.data_type]
    filled, validity = _parted(values, 0)
    try:
        return Column(_little(memoryview(array(letter, filled)), letter), validity)
    except (TypeError, OverflowError, ValueError):
        raise _at_fault(field, filled, lambda value: array(letter, [value])) from None


def _booleans(field: Field, values: list[Any]) -> Column:
    if not set(map(type, values)) <= {bool, _NONE}:
        raise _at_fault(field, values, lambda value: _need(value is None or type(value) is bool))
    filled, validity = _parted(values, False)
    return Column(_bits.pack(filled), validity)


def _texts(field: Field, values: list[Any]) -> Column:
    if not set(map(type, values)) <= {str, _NONE}:
        if not all(value is None or isinstance(value, str) for value in values):
            raise _at_fault(field, values, lambda value: _need(value is None or isinstance(value, str)))
        values = [value if value is None else str.__str__(value) for value in values]
    try:
        "".join(filter(None, values)).encode()
    except UnicodeEncodeError:
        raise _at_fault(field, values, lambda value: (value or "").encode()) from None
    return Column(values)


def _bytes(field: Field, values: list[Any]) -> Column:
    filled, validity = _parted(values, b"")
    try:
        parts = [bytes(memoryview(value)) for value in filled]
    except TypeError:
        raise _at_fault(field, filled, memoryview) from None
    offsets = array("i", [0])
    try:
        offsets.extend(accumulate(map(len, parts)))
    except OverflowError:
        raise _misfit(field, "more than 2 GiB in one batch; make smaller batches") from None
    return Column(b"".join(parts), validity, offsets=_little(memoryview(offsets), "i"))


def _day(value: Any) -> int:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.toordinal() - EPOCH_DAY
    _need(type(value) is int)
    return int(value)


def _days(field: Field, values: list[Any]) -> Column:
    return _converted(field, values, _day)


def _moments(field: Field, values: list[Any]) -> Column:
    epoch = EPOCH if field.detail is None else EPOCH_UTC

    def stamp(value: Any) -> int:
        # Subtracting a time with a zone from one without is a TypeError, which is just what is wanted.
        return (value - epoch) // MICROSECOND if isinstance(value, datetime) else _day_or_int(value)

    return _converted(field, values, stamp)


def _day_or_int(value: Any) -> int:
    _need(type(value) is int)
    return int(value)


def _converted(field: Field, values: list[Any], convert: Any) -> Column:
    letter = FORMATS[field.data_type]
    filled, validity = _parted(values, 0)
    try:
        return Column(_little(memoryview(array(letter, map(convert, filled))), letter), validity)
    except (TypeError, OverflowError, ValueError):
        raise _at_fault(field, filled, lambda value: array(letter, [convert(value)])) from None


def _decimals(field: Field, values: list[Any]) -> Column:
    precision, scale = scale_of(field)

    def unscaled(value: Any) -> bytes:
        _need(isinstance(value, (Decimal, int)) and type(value) is not bool)
        number = Decimal(value).scaleb(scale, _EXACT)
        whole = number.to_integral_value()
        _need(number == whole and whole.copy_abs() < 10**precision)
        return int(whole).to_bytes(16, "little", signed=True)

    filled, validity = _parted(values, 0)
    try:
        return Column(b"".join(map(unscaled, filled)), validity)
    except (TypeError, ValueError, OverflowError, InvalidOperation):
        raise _at_fault(field, filled, unscaled) from None


def _others(field: Field, _: list[Any]) -> Column:
    raise _misfit(field, "a column of type other is made with Batch.from_ipc, or carried along with select")


_BUILDERS = {kind: _numbers for kind in FORMATS} | {
    DataType.BOOLEAN: _booleans,
    DataType.UTF8: _texts,
    DataType.BINARY: _bytes,
    DataType.DATE32: _days,
    DataType.TIMESTAMP: _moments,
    DataType.DECIMAL128: _decimals,
    DataType.OTHER: _others,
}


def _need(fits: bool) -> None:
    if not fits:
        raise TypeError


def _misfit(field: Field, why: str) -> Fault:
    return Fault("internal", f"column {field.name!r} ({field.data_type}): {why}")


def _at_fault(field: Field, values: Iterable[Any], convert: Any) -> Fault:
    """The fault that names the first value that does not convert."""
    kind = f"{field.data_type}({field.detail})" if field.detail else str(field.data_type)
    for row, value in enumerate(values):
        try:
            convert(value)
        except (TypeError, ValueError, OverflowError, InvalidOperation):
            shown = repr(value)
            shown = shown if len(shown) <= 80 else f"{shown[:77]}..."
            return _misfit(field, f"{shown} in row {row} is no {kind}")
    return _misfit(field, f"the values are no {kind}")
