"""The extract of the conformance suite: what a stage can make, by mode."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sluicebox import Batch, Extract, Fault, Field, Page, Schema, option, plugin

NUMBERS = Schema(
    [Field("n", "int64", nullable=False), Field("label", "utf8"), Field("half", "float64", nullable=False)]
)


@dataclass
class Options:
    """Mode, and what belongs to some of the modes."""

    mode: Literal["types", "empty", "nothing", "bookmarks", "fault"] = option("What is done.")
    rows: int = option("bookmarks: how many rows a run makes.", default=0, at_least=0)
    start: int = option("bookmarks: the first number; a bookmark goes before it.", default=0)
    batch: int = option("bookmarks: rows of a batch.", default=8192, at_least=1, at_most=65536)
    kind: str = option("fault: its kind.", default="internal")
    message: str = option("fault: its message.", default="")
    row: int | None = option("fault: its row.", default=None, at_least=0)


@plugin("conform-extract-python", summary="What an extract can make, for the conformance suite")
class Conform(Extract[Options]):
    def open(self, bookmark: str | None) -> Schema:
        self.first = self.options.start if bookmark is None else int(bookmark)
        return TYPES if self.options.mode == "types" else NUMBERS

    def pages(self) -> Iterator[Page | Batch]:
        mode = self.options.mode
        if mode == "fault":
            raise Fault(self.options.kind, self.options.message, self.options.row)
        if mode == "types":
            yield Batch.from_columns(TYPES, VALUES)
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
