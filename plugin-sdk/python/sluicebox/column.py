"""One column as it crosses between host and stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal

from sluicebox import _bits
from sluicebox.fault import Fault
from sluicebox.types import DataType, Field

Buffer = bytes | bytearray | memoryview
"""Bytes, or anything that a memoryview can be taken of."""

Form = Literal["typed", "raw", "strings"]
"""How a column's values cross: lists of numbers, plain bytes, or a list of texts."""

FORMATS: dict[DataType, str] = {
    DataType.INT8: "b",
    DataType.INT16: "h",
    DataType.INT32: "i",
    DataType.INT64: "q",
    DataType.UINT8: "B",
    DataType.UINT16: "H",
    DataType.UINT32: "I",
    DataType.UINT64: "Q",
    DataType.FLOAT32: "f",
    DataType.FLOAT64: "d",
    DataType.DATE32: "i",
    DataType.TIMESTAMP: "q",
}
"""Types of a fixed number of bytes a row, with their letter in `array`, `struct` and `memoryview`."""

EPOCH = datetime(1970, 1, 1)
EPOCH_UTC = datetime(1970, 1, 1, tzinfo=timezone.utc)
EPOCH_DAY = date(1970, 1, 1).toordinal()
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Column:
    """Buffers of one column, for work on bytes; `batch["name"]` is what most stages want.

    - numbers, date32, timestamp, decimal128: `data` is little-endian bytes (or, typed, a list of numbers)
    - boolean: `data` is one bit a row, least significant first
    - utf8, binary: `data` is the text of all rows, `offsets` (int32, as bytes or as a list) tell where each begins
    - utf8 as strings: `data` is a list of texts, None = null; there is no validity
    """

    data: Any
    """bytes, bytearray or memoryview, or a list"""
    validity: bytes | None = None
    """One bit a row, 1 = present, least significant first; None: no nulls."""
    offsets: Buffer | list[int] | None = None


def view(field: Field, column: Column) -> memoryview:
    """The data of the column as a memoryview of its type, e.g. of format "q" for int64."""
    data = memoryview(column.data)
    letter = FORMATS.get(field.data_type)
    return data if letter is None else data.cast("B").cast(letter)  # type: ignore[call-overload]


def to_list(field: Field, column: Column, rows: int) -> list[Any]:
    """The values row by row, None where null."""
    values = _values(field, column, rows)
    if column.validity is None:
        return values
    present = _bits.unpack(column.validity, rows)
    return [value if there else None for value, there in zip(values, present)]


def _values(field: Field, column: Column, rows: int) -> list[Any]:
    kind, data = field.data_type, column.data
    if isinstance(data, list):
        return data
    if kind is DataType.BOOLEAN:
        return list(map(bool, _bits.unpack(bytes(data), rows)))
    if kind in (DataType.UTF8, DataType.BINARY):
        parts = split(column)
        return parts if kind is DataType.BINARY else [part.decode() for part in parts]
    if kind is DataType.DECIMAL128:
        return _decimals(field, bytes(data), _present(column, rows))
    numbers = view(field, column).tolist()
    if kind is DataType.DATE32:
        return _dates(field, numbers, _present(column, rows))
    if kind is DataType.TIMESTAMP:
        return _moments(field, numbers, _present(column, rows))
    return numbers


def split(column: Column) -> list[bytes]:
    """The bytes of each row of a column of texts or bytes."""
    data, offsets = bytes(column.data), column.offsets
    if offsets is None:
        raise Fault("internal", "a column of texts or bytes has offsets")
    starts = offsets if isinstance(offsets, list) else memoryview(offsets).cast("B").cast("i").tolist()
    return [data[start:end] for start, end in pairwise(starts)]


def _present(column: Column, rows: int) -> bytes:
    return b"\1" * rows if column.validity is None else _bits.unpack(column.validity, rows)


def _dates(field: Field, days: list[int], present: bytes) -> list[date | None]:
    try:
        return [date.fromordinal(EPOCH_DAY + day) if there else None for day, there in zip(days, present)]
    except (ValueError, OverflowError):
        raise _out_of_range(field, days, present, lambda day: date.fromordinal(EPOCH_DAY + day)) from None


def _moments(field: Field, stamps: list[int], present: bytes) -> list[datetime | None]:
    epoch = EPOCH if field.detail is None else EPOCH_UTC
    try:
        return [epoch + stamp * MICROSECOND if there else None for stamp, there in zip(stamps, present)]
    except OverflowError:
        raise _out_of_range(field, stamps, present, lambda stamp: epoch + stamp * MICROSECOND) from None


def _out_of_range(field: Field, numbers: list[int], present: bytes, convert: Any) -> Fault:
    for row, (number, there) in enumerate(zip(numbers, present)):
        try:
            if there:
                convert(number)
        except (ValueError, OverflowError):
            hint = f"Python's years are 1 to 9999; batch.raw({field.name!r}) gives the numbers"
            return Fault(
                "invalid-data",
                f"column {field.name!r}: {number} is no {field.data_type} that Python knows; {hint}",
                row,
            )
    return Fault("internal", f"column {field.name!r} cannot be read")


def scale_of(field: Field) -> tuple[int, int]:
    """Precision and scale of a decimal128."""
    try:
        precision, scale = map(int, (field.detail or "").split(","))
    except ValueError:
        raise Fault(
            "internal", f'column {field.name!r} is decimal128 with the detail {field.detail!r}; it is "precision,scale"'
        ) from None
    return precision, scale


def _decimals(field: Field, data: bytes, present: Iterable[int]) -> list[Decimal | None]:
    _, scale = scale_of(field)
    read = int.from_bytes
    # Made from its digits, a decimal is exact whatever the context's precision is.
    return [
        Decimal(f"{read(data[at * 16 : at * 16 + 16], 'little', signed=True)}E{-scale}") if there else None
        for at, there in enumerate(present)
    ]
