"""Adds a column that is one column divided by another."""

from __future__ import annotations

from dataclasses import dataclass

from sluicebox import Batch, Field, Input, Schema, Transform, option, plugin

NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


@dataclass
class Options:
    """What is divided by what."""

    numerator: str = option("The column above the line.")
    denominator: str = option("The column below the line; where it is 0, the ratio is null.")
    as_: str = option("The name of the new column.", default="ratio")


@plugin("{{name}}", summary="Adds the ratio of two columns", stateless=True)
class {{NamePascal}}(Transform[Options]):
    def open(self, inputs: list[Input]) -> Schema:
        """Called once, also to check a pipeline: find here what does not fit, and answer with the columns that come out."""
        schema = inputs[0].schema
        schema.need(self.options.numerator, *NUMBERS)
        schema.need(self.options.denominator, *NUMBERS)
        self.ratio = Field(self.options.as_, "float64")
        return schema.with_field(self.ratio)

    def process(self, input: int, batch: Batch) -> Batch:
        """Called for each batch. Two columns are copied in and one out; the others stay in the host."""
        above, below = batch[self.options.numerator], batch[self.options.denominator]
        ratios = [None if a is None or not b else a / b for a, b in zip(above, below)]
        return batch.with_column(self.ratio, ratios)
