"""The extract of the conformance suite: what a stage can make, by mode."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal

from sluicebox import Batch, Extract, Fault, Field, Page, Schema, option, plugin

# All types of the contract but `other`: of three rows the second is null.
VALUES = {
    "boolean": [True, None, False],
    "int8": [-128, None, 127],
    "int16": [-32768, None, 32767],
    "int32": [-(2**31), None, 2**31 - 1],
    "int64": [-(2**63), None, 2**63 - 1],
    "uint8": [0, None, 255],
    "uint16": [0, None, 65535],
    "uint32": [0, None, 2**32 - 1],
    "uint64": [0, None, 2**64 - 1],
    "float32": [-0.5, None, 1.5],
    "float64": [0.1, None, 1e300],
    "utf8": ["", None, "a\u00e4\u20ac\U0001f600"],
    "binary": [b"", None, b"\x00\xff"],
    "date32": [date(1969, 12, 31), None, date(2013, 1, 31)],
    "timestamp": [datetime(1969, 12, 31, 23, 59, 59, 999999), None, datetime(2013, 1, 31, 10)],
    "decimal128": [Decimal("-12345678.90"), None, Decimal("0.01")],
}
TYPES = Schema(Field(name, name, detail="10,2" if name == "decimal128" else None) for name in VALUES)
# What is no number, the infinities and the zero below zero.
FLOATS = [float("nan"), float("inf"), float("-inf"), -0.0]
FLOAT_TYPES = Schema(Field(name, name, nullable=False) for name in ("float32", "float64"))
NUMBERS = Schema(
    [Field("n", "int64", nullable=False), Field("label", "utf8"), Field("half", "float64", nullable=False)]
)


@dataclass
class Options:
    """Mode, and what belongs to some of the modes."""

    mode: Literal["types", "floats", "empty", "nothing", "bookmarks", "fault"] = option("What is done.")
    rows: int = option("bookmarks: how many rows a run makes.", default=0, at_least=0)
    start: int = option("bookmarks: the first number; a bookmark goes before it.", default=0)
    batch: int = option("bookmarks: rows of a batch.", default=8192, at_least=1, at_most=65536)
    kind: str = option("fault: its kind.", default="internal")
    message: str = option("fault: its message.", default="")
    row: int | None = option("fault: its row.", default=None, at_least=0)
    call: Literal["open", "next"] = option("fault: the call that fails.", default="next")


@plugin("conform-extract-python", summary="What an extract can make, for the conformance suite")
class Conform(Extract[Options]):
    def open(self, bookmark: str | None) -> Schema:
        self.fail_in("open")
        try:
            self.first = self.options.start if bookmark is None else int(bookmark)
        except ValueError:
            raise Fault("invalid-config", f"the bookmark {bookmark!r} is no number; set it to the next one") from None
        return {"types": TYPES, "floats": FLOAT_TYPES}.get(self.options.mode, NUMBERS)

    def fail_in(self, call: str) -> None:
        if self.options.mode == "fault" and self.options.call == call:
            raise Fault(self.options.kind, self.options.message, self.options.row)

    def pages(self) -> Iterator[Page | Batch]:
        mode = self.options.mode
        self.fail_in("next")
        if mode == "types":
            yield Batch.from_columns(TYPES, VALUES)
        if mode == "floats":
            yield Batch.from_columns(FLOAT_TYPES, [FLOATS, FLOATS])
        if mode == "empty":
            yield numbers(range(0))
        if mode == "bookmarks":
            end = self.first + self.options.rows
            for start in range(self.first, end, self.options.batch):
                stop = min(start + self.options.batch, end)
                yield Page(numbers(range(start, stop)), str(stop), (stop - self.first) / self.options.rows)


def numbers(numbers: range) -> Batch:
    """The rows of these numbers."""
    labels = [None if n % 10 == 9 else f"row {n}" for n in numbers]
    return Batch.from_columns(NUMBERS, [array("q", numbers), labels, array("d", (n / 2 for n in numbers))])
