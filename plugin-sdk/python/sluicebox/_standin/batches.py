"""The interface `batches`: batches that live in this process."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, TypeVar

from sluicebox._standin.cells import Cells, Refusal, lower, mask, raise_
from sluicebox._standin.types import DataType, Err, Fault, FaultKind, Field
from sluicebox._standin.values import (  # noqa: F401 - they are part of the interface
    Column,
    Form,
    Values_Bits,
    Values_FixedBytes,
    Values_Float32,
    Values_Float64,
    Values_Int8,
    Values_Int16,
    Values_Int32,
    Values_Int64,
    Values_Strings,
    Values_Uint8,
    Values_Uint16,
    Values_Uint32,
    Values_Uint64,
    Values_Variable,
    Values_VariableBytes,
    Variable,
    VariableBytes,
)

_T = TypeVar("_T")

_IPC = b"sluicebox.testing"


def _refusing(call: str, work: Callable[[], _T]) -> _T:
    try:
        return work()
    except Refusal as refusal:
        message = f"the stage misused `{call}`: {refusal}"
    raise Err(Fault(FaultKind.INVALID_DATA, message, None))


def _names(names: list[str]) -> None:
    for at, name in enumerate(names):
        if name in names[:at]:
            raise Refusal(f"two columns are named `{name}`")


class Batch:
    """A batch: its fields, its number of rows, and the cells of each column."""

    def __init__(self, fields: list[Field], rows: int, columns: list[Cells]) -> None:
        self.fields, self.count, self.columns, self.lost = fields, rows, columns, False

    @classmethod
    def from_columns(cls, schema: list[Field], rows: int, columns: list[Column]) -> Batch:
        return _refusing("from-columns", lambda: cls(schema, rows, cls._raised(schema, rows, columns)))

    @staticmethod
    def _raised(schema: list[Field], rows: int, columns: list[Column]) -> list[Cells]:
        _names([field.name for field in schema])
        for field in schema:
            if field.data_type is DataType.OTHER:
                raise Refusal(
                    f"column `{field.name}` is of type `other`, which is made by `from-ipc` instead of from values"
                )
        if len(schema) != len(columns):
            raise Refusal(f"the schema has {len(schema)} columns, but {len(columns)} were given")
        return [raise_(field, rows, column) for field, column in zip(schema, columns)]

    @classmethod
    def from_ipc(cls, data: bytes) -> Batch:
        """No Arrow here: reads what `to_ipc` wrote."""
        if not data.startswith(_IPC):
            raise Err(Fault(FaultKind.INVALID_DATA, "the stage misused `from-ipc`: this is no stream of to_ipc", None))
        fields, rows, columns = marshal.loads(data[len(_IPC) :])
        return cls(
            [Field(name, DataType(kind), nullable, detail) for name, kind, nullable, detail in fields], rows, columns
        )

    def to_ipc(self, columns: list[int]) -> bytes:
        picked = [self._at(index, "to-ipc") for index in columns]
        fields = [(field.name, field.data_type.value, field.nullable, field.detail) for field, _ in picked]
        return _IPC + marshal.dumps((fields, self.count, [cells for _, cells in picked]))

    def schema(self) -> list[Field]:
        return list(self.fields)

    def rows(self) -> int:
        return self.count

    def column(self, index: int, form: Form) -> Column:
        field, cells = self._at(index, "column")
        return _refusing("column", lambda: lower(field, cells, form))

    def filter(self, bits: bytes) -> Batch:
        flags = _refusing("filter", lambda: mask("the mask", bits, self.count))
        return self._picked([row for row, flag in enumerate(flags) if flag])

    def take(self, rows: list[int]) -> Batch:
        beyond = [row for row in rows if row >= self.count]
        if beyond:
            raise _misused("take", f"row {max(beyond)} does not exist; the batch has {self.count} rows")
        return self._picked(rows)

    def slice(self, offset: int, rows: int) -> Batch:
        if offset + rows > self.count:
            raise _misused("slice", f"rows {offset} to {offset + rows} pass the end; the batch has {self.count} rows")
        return self._picked(range(offset, offset + rows))

    def select(self, columns: list[tuple[int, str]]) -> Batch:
        _refusing("select", lambda: _names([name for _, name in columns]))
        picked = [(self._at(index, "select"), name) for index, name in columns]
        fields = [Field(name, field.data_type, field.nullable, field.detail) for (field, _), name in picked]
        return Batch(fields, self.count, [cells for (_, cells), _ in picked])

    def with_columns(self, schema: list[Field], columns: list[Column]) -> Batch:
        raised = _refusing("with-columns", lambda: self._raised(schema, self.count, columns))
        all_ = {field.name: (field, cells) for field, cells in zip(self.fields, self.columns)}
        all_ |= {field.name: (field, cells) for field, cells in zip(schema, raised)}
        return Batch([field for field, _ in all_.values()], self.count, [cells for _, cells in all_.values()])

    def zip(self, other: Batch) -> Batch:
        if self.count != other.count:
            raise _misused("zip", f"batches of {self.count} and of {other.count} rows do not zip")
        fields = self.fields + other.fields
        _refusing("zip", lambda: _names([field.name for field in fields]))
        return Batch(fields, self.count, self.columns + other.columns)

    def __exit__(self, *_: object) -> None:
        self.lost = True

    def _at(self, index: int, call: str) -> tuple[Field, Cells]:
        if not 0 <= index < len(self.columns):
            columns = len(self.columns)
            raise _misused(call, f"column {index} does not exist; the batch has {columns} columns, counted from 0")
        return self.fields[index], self.columns[index]

    def _picked(self, rows: Any) -> Batch:
        return Batch(self.fields, len(rows), [[cells[row] for row in rows] for cells in self.columns])


def concat(parts: list[Batch]) -> Batch:
    if not parts:
        raise _misused("concat", "there is no batch to concatenate")
    first = parts[0]
    kinds = [(field.name, field.data_type, field.detail) for field in first.fields]
    for number, part in enumerate(parts):
        if [(field.name, field.data_type, field.detail) for field in part.fields] != kinds:
            raise _misused("concat", f"batch {number} has other columns than the first")
    fields = [
        Field(field.name, field.data_type, any(part.fields[at].nullable for part in parts), field.detail)
        for at, field in enumerate(first.fields)
    ]
    columns = [[cell for part in parts for cell in part.columns[at]] for at in range(len(fields))]
    return Batch(fields, sum(part.count for part in parts), columns)


def _misused(call: str, why: str) -> Err:
    return Err(Fault(FaultKind.INVALID_DATA, f"the stage misused `{call}`: {why}", None))
