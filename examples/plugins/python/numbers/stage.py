"""Makes rows of numbers."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass

from sluicebox import Batch, Extract, Fault, Field, Page, Schema, option, plugin

SCHEMA = Schema(
    [
        Field("n", "int64", nullable=False),
        Field("label", "utf8"),
        Field("half", "float64", nullable=False),
    ]
)


@dataclass
class Options:
    """Which numbers."""

    rows: int = option("How many rows a run makes.", at_least=0)
    start: int = option("The first number; a bookmark goes before it.", default=0)
    batch: int = option("Rows of a batch.", default=8192, at_least=1, at_most=65536)


@plugin("numbers-python", summary="Makes rows of numbers, going on where the run before ended")
class Numbers(Extract[Options]):
    def open(self, bookmark: str | None) -> Schema:
        try:
            self.first = self.options.start if bookmark is None else int(bookmark)
        except ValueError:
            raise Fault("invalid-config", f"the bookmark {bookmark!r} is no number; set it to the next one") from None
        return SCHEMA

    def pages(self) -> Iterator[Page]:
        end = self.first + self.options.rows
        for start in range(self.first, end, self.options.batch):
            stop = min(start + self.options.batch, end)
            yield Page(
                batch_of(range(start, stop)),
                bookmark=str(stop),
                progress=(stop - self.first) / self.options.rows,
            )


def batch_of(numbers: range) -> Batch:
    """The rows of these numbers."""
    columns = {
        "n": array("q", numbers),
        "label": [None if n % 10 == 9 else f"row {n}" for n in numbers],
        "half": array("d", (n / 2 for n in numbers)),
    }
    return Batch.from_columns(SCHEMA, columns)
