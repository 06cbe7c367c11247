"""Record batches, which the host holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sluicebox import _bits, _build, _wit
from sluicebox import column as columns_
from sluicebox._host import batches
from sluicebox.column import Column, Form
from sluicebox.fault import Fault
from sluicebox.types import DataType, Field, Schema

_FORMS: dict[str, Any] = {form.name.lower(): form for form in batches.Form}


class Batch:
    """A handle of a record batch that the host holds. Read only the columns that you need: each is copied in.
    `filter`, `take`, `slice`, `select`, `zip` and `concat` are done by the host, and cost next to nothing here.

    A batch is given away by answering with it; to keep it as well, keep `batch.slice()`.
    """

    __slots__ = ("__weakref__", "_handle", "_rows", "_schema")

    def __init__(self, handle: Any) -> None:
        """For the SDK; make batches with `from_columns`."""
        self._handle = handle
        self._schema: Schema | None = None
        self._rows: int | None = None

    @staticmethod
    def from_columns(
        schema: Schema | Iterable[Field],
        columns: Mapping[str, Any] | Sequence[Any],
        rows: int | None = None,
    ) -> Batch:
        """A batch of new columns, by name or in the order of the schema. A column is a list (None = null), an `array`, bytes
        of just the type, or a `Column`. `rows` need only be given where there are no columns, or none but raw bits."""
        schema = _schema(schema)
        built, known = _built(schema, columns)
        rows = known if rows is None else rows
        if rows is None:
            if built:
                raise Fault("internal", "say how many rows there are: raw bits do not tell")
            rows = 0
        crossing = [_wit.to_column(field, column) for field, column in zip(schema, built)]
        return Batch(_wit.call(batches.Batch.from_columns, _wit.to_schema(schema), _wit.u32(rows, "rows"), crossing))

    @staticmethod
    def from_ipc(data: bytes | bytearray | memoryview) -> Batch:
        """A batch from one Arrow IPC stream that holds exactly one record batch, uncompressed; for types that values do
        not carry."""
        return Batch(_wit.call(batches.Batch.from_ipc, bytes(data)))

    @property
    def schema(self) -> Schema:
        """The columns."""
        if self._schema is None:
            self._schema = _wit.from_schema(self._there().schema())
        return self._schema

    @property
    def rows(self) -> int:
        """How many rows there are; `len(batch)` is the same."""
        if self._rows is None:
            self._rows = int(self._there().rows())
        return self._rows

    def __len__(self) -> int:
        return self.rows

    def __bool__(self) -> bool:
        return True

    __iter__ = None  # by columns or by rows? `to_dicts()` says

    def __contains__(self, name: object) -> bool:
        return name in self.schema

    def __getitem__(self, name: str) -> list[Any]:
        """The values of a column, None where null: bool, int, float, str, bytes, `date`, `datetime` (in UTC where the column
        has a time zone) or `Decimal`."""
        field = self.schema[name]
        form: Form = "strings" if field.data_type is DataType.UTF8 else "raw"
        return columns_.to_list(field, self.column(name, form), self.rows)

    def column(self, name: str, form: Form = "raw") -> Column:
        """Copies a column's buffers in; for work on bytes."""
        if form not in _FORMS:
            raise Fault("internal", f"{form!r} is no form of a column; they are {', '.join(_FORMS)}")
        index = self.schema.index(name)
        return _wit.from_column(_wit.call(self._there().column, index, _FORMS[form]))

    def raw(self, name: str) -> memoryview:
        """The bytes of a column without copying them again. Numbers, date32 (days) and timestamp (microseconds) are a
        memoryview of that type: `sum(batch.raw("n"))` works. Rows that are null hold some value; `column(name)` has
        validity and offsets, too."""
        field = self.schema[name]
        return columns_.view(field, self.column(name, "raw"))

    def strings(self, name: str) -> list[str | None]:
        """The texts of a utf8 column, None where null."""
        field = self.schema[name]
        if field.data_type is not DataType.UTF8:
            raise Fault("internal", f"column {name!r} is {field.data_type}, not utf8")
        texts: list[str | None] = self.column(name, "strings").data
        return texts

    def to_dict(self) -> dict[str, list[Any]]:
        """All columns as lists."""
        return {field.name: self[field.name] for field in self.schema}

    def to_dicts(self) -> list[dict[str, Any]]:
        """All rows; slow, but handy for small batches and tests."""
        names = self.schema.names
        return [dict(zip(names, row)) for row in zip(*self.to_dict().values())]

    def to_ipc(self, names: Iterable[str] | None = None) -> bytes:
        """Copies columns (all, unless told otherwise) in as one Arrow IPC stream with one record batch."""
        picked = self.schema.names if names is None else _names(names)
        return bytes(_wit.call(self._there().to_ipc, [self.schema.index(name) for name in picked]))

    def filter(self, mask: Iterable[object] | bytes) -> Batch:
        """The rows whose flag is true: a list of booleans (None = false), or bytes of one bit a row, least significant
        first."""
        return Batch(_wit.call(self._there().filter, mask_bytes(mask)))

    def take(self, rows: Iterable[int]) -> Batch:
        """The rows at these positions, in this order; a position may stand more than once."""
        return Batch(_wit.call(self._there().take, _wit.u32s(rows, "a row")))

    def slice(self, offset: int = 0, rows: int | None = None) -> Batch:
        """`rows` rows (all that follow, unless told otherwise) from `offset` on."""
        if rows is None:
            rows = max(self.rows - offset, 0)
        return Batch(_wit.call(self._there().slice, _wit.u32(offset, "offset"), _wit.u32(rows, "rows")))

    def select(self, columns: Iterable[str | tuple[str, str]] | Mapping[str, str]) -> Batch:
        """These columns, in this order. A pair or a mapping renames: `{"old": "new"}`."""
        pairs = columns.items() if isinstance(columns, Mapping) else [_pair(column) for column in _names(columns)]
        return Batch(_wit.call(self._there().select, [(self.schema.index(old), _wit.text(new)) for old, new in pairs]))

    def with_columns(self, schema: Schema | Iterable[Field], columns: Mapping[str, Any] | Sequence[Any]) -> Batch:
        """The batch with columns added behind, or put in place of those of the same name. Columns are given as to
        `from_columns`."""
        schema = _schema(schema)
        built, _ = _built(schema, columns)
        crossing = [_wit.to_column(field, column) for field, column in zip(schema, built)]
        return Batch(_wit.call(self._there().with_columns, _wit.to_schema(schema), crossing))

    def with_column(self, field: Field, values: Any) -> Batch:
        """The batch with one column added behind, or put in place of that of its name."""
        return self.with_columns([field], [values])

    def zip(self, other: Batch) -> Batch:
        """The columns of `other` (same number of rows, other names) after these."""
        return Batch(_wit.call(self._there().zip, other._there()))

    def drop(self) -> None:
        """Lets go of the batch now instead of when nothing refers to it any more."""
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.__exit__(None, None, None)

    def __repr__(self) -> str:
        return "<Batch that was given away>" if self._handle is None else f"<Batch of {self.rows} rows: {self.schema}>"

    def _there(self) -> Any:
        if self._handle is None:
            raise Fault("internal", "this batch was given to the host before; to keep one, keep batch.slice()")
        return self._handle

    def _given(self) -> Any:
        """The handle, which is the host's from now on."""
        handle = self._there()
        self._handle = None
        return handle


def concat(parts: Iterable[Batch]) -> Batch:
    """The rows of the batches, which share a schema, one after another. At least one batch."""
    return Batch(_wit.call(batches.concat, [part._there() for part in parts]))


def mask_bytes(mask: Iterable[object] | bytes) -> bytes:
    """One bit a row, from a list of flags or from such bytes."""
    if isinstance(mask, (bytes, bytearray, memoryview)):
        return bytes(mask)
    if isinstance(mask, (str, dict)) or not hasattr(mask, "__iter__"):
        raise Fault("internal", f"a mask is a list of booleans or bytes, not {mask!r}")
    return _bits.pack(mask)


def _schema(schema: Schema | Iterable[Field]) -> Schema:
    return schema if isinstance(schema, Schema) else Schema(schema)


def _built(schema: Schema, columns: Mapping[str, Any] | Sequence[Any]) -> tuple[list[Column], int | None]:
    """The columns in the order of the schema, and how many rows there are, where the first that tells says so."""
    if isinstance(columns, Mapping):
        missing = [field.name for field in schema if field.name not in columns]
        extra = [name for name in columns if name not in schema]
        if missing or extra:
            told = [f"without values: {', '.join(missing)}"] * bool(missing) + [
                f"not in the schema: {', '.join(map(str, extra))}"
            ] * bool(extra)
            raise Fault("internal", f"the columns do not fit the schema; {'; '.join(told)}")
        columns = [columns[field.name] for field in schema]
    if len(columns) != len(schema):
        raise Fault("internal", f"{len(columns)} columns were given for a schema of {len(schema)}")
    built = [_build.build(field, values) for field, values in zip(schema, columns)]
    return [column for column, _ in built], next((rows for _, rows in built if rows is not None), None)


def _names(names: Iterable[Any]) -> Iterable[Any]:
    if isinstance(names, str):
        raise Fault("internal", f"give a list of columns: [{names!r}]")
    return names


def _pair(column: Any) -> tuple[str, str]:
    if isinstance(column, str):
        return column, column
    old, new = column
    return old, new
