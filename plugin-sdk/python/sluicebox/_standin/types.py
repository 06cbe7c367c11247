"""The interface `types`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any


class Err(Exception):
    """The failure of a call."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        self.value = value


DataType = Enum(
    "DataType",
    "BOOLEAN INT8 INT16 INT32 INT64 UINT8 UINT16 UINT32 UINT64 FLOAT32 FLOAT64 UTF8 BINARY DATE32 TIMESTAMP DECIMAL128 OTHER",
    start=0,
)
FaultKind = Enum("FaultKind", "INVALID_CONFIG INVALID_DATA DENIED UNAVAILABLE INTERNAL", start=0)


@dataclass
class Field:
    name: str
    data_type: DataType
    nullable: bool
    detail: str | None


@dataclass
class Fault:
    kind: FaultKind
    message: str
    row: int | None


@dataclass
class RunContext:
    run_id: str
    pipeline: str
    stage: str
    attempt: int
    interval_start: str
    interval_end: str
