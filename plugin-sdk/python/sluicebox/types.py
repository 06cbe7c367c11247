"""Types of columns: what a batch is made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import overload

from sluicebox.fault import Fault


class DataType(str, Enum):
    """An Arrow logical type. Wherever one is wanted, its word will do: `Field("n", "int64")`."""

    BOOLEAN = "boolean"
    INT8 = "int8"
    INT16 = "int16"
    INT32 = "int32"
    INT64 = "int64"
    UINT8 = "uint8"
    UINT16 = "uint16"
    UINT32 = "uint32"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    UTF8 = "utf8"
    BINARY = "binary"
    DATE32 = "date32"
    TIMESTAMP = "timestamp"
    DECIMAL128 = "decimal128"
    OTHER = "other"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Field:
    """A column's name and type."""

    name: str
    data_type: DataType
    nullable: bool = True
    """False: the column has no nulls, and a batch that holds one there is refused."""
    detail: str | None = None
    """timestamp: the time zone, None = local time; decimal128: "precision,scale"; other: Arrow's name of the type."""

    def __init__(self, name: str, data_type: DataType | str, nullable: bool = True, detail: str | None = None) -> None:
        object.__setattr__(self, "name", str(name))
        try:
            object.__setattr__(self, "data_type", DataType(data_type))
        except ValueError:
            words = ", ".join(word.value for word in DataType)
            raise Fault("internal", f"column {name!r}: {data_type!r} is no data type; they are {words}") from None
        object.__setattr__(self, "nullable", bool(nullable))
        object.__setattr__(self, "detail", None if detail is None else str(detail))

    def renamed(self, name: str) -> Field:
        """The same under another name."""
        return Field(name, self.data_type, self.nullable, self.detail)

    def __str__(self) -> str:
        detail = f"({self.detail})" if self.detail else ""
        return f"{self.name} {self.data_type}{detail}{'' if self.nullable else ' not null'}"


@dataclass(frozen=True)
class Schema:
    """The columns in their order. Names are unique."""

    fields: tuple[Field, ...] = ()

    def __init__(self, fields: Iterable[Field] = ()) -> None:
        object.__setattr__(self, "fields", tuple(fields))
        seen: set[str] = set()
        for field in self.fields:
            if not isinstance(field, Field):
                raise Fault("internal", f"a schema is made of fields, not of {field!r}")
            if field.name in seen:
                raise Fault("internal", f"two columns are named {field.name!r}")
            seen.add(field.name)

    @property
    def names(self) -> list[str]:
        """The names in order."""
        return [field.name for field in self.fields]

    def index(self, name: str) -> int:
        """The position of a column, counted from 0; a fault that lists the columns where there is none."""
        for index, field in enumerate(self.fields):
            if field.name == name:
                return index
        raise Fault("internal", f"no column {name!r}; {self._there_are()}")

    def need(self, name: str, *data_types: DataType | str) -> Field:
        """The column that an option names. Where it is not there, or of none of the types, the fault says so to the
        author of the pipeline."""
        field = self.get(name)
        if field is None:
            raise Fault("invalid-config", f"no column {name!r}; {self._there_are()}")
        wanted = [DataType(data_type) for data_type in data_types]
        if wanted and field.data_type not in wanted:
            words = " or ".join(word.value for word in wanted)
            raise Fault("invalid-config", f"column {name!r} is {field.data_type}, not {words}; {self._there_are()}")
        return field

    def get(self, name: str) -> Field | None:
        """The column of that name, if there is one."""
        return next((field for field in self.fields if field.name == name), None)

    def with_field(self, field: Field) -> Schema:
        """The same with the column in place of that of its name, or behind."""
        if field.name not in self:
            return Schema((*self.fields, field))
        return Schema(field if old.name == field.name else old for old in self.fields)

    def _there_are(self) -> str:
        return f"there are {self}" if self.fields else "there are none"

    def __contains__(self, name: object) -> bool:
        return any(field.name == name for field in self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    @overload
    def __getitem__(self, key: int) -> Field: ...
    @overload
    def __getitem__(self, key: str) -> Field: ...
    def __getitem__(self, key: int | str) -> Field:
        return self.fields[self.index(key) if isinstance(key, str) else key]

    def __str__(self) -> str:
        return ", ".join(map(str, self.fields))
