"""Finds the rows whose number is out of bounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sluicebox import Batch, Fault, Finding, Outcome, Rule, Schema, Validate, option, plugin

NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


@dataclass
class Options:
    """What is checked."""

    column: str = option("The column that is looked at; nulls are let through.")
    low: float = option("The least that it may be.")
    high: float = option("The most that it may be.")
    severity: Literal["warn", "reject", "fail"] = option("What breaking the rule means for a row.", default="reject")


@plugin("{{name}}", summary="Finds the rows whose number is out of bounds")
class {{NamePascal}}(Validate[Options]):
    def open(self, schema: Schema) -> list[Rule]:
        """Called once, also to check a pipeline: find here what does not fit, and answer with the rules."""
        it = self.options
        schema.need(it.column, *NUMBERS)
        if it.low > it.high:
            raise Fault("invalid-config", f"low is {it.low}, which is more than high, {it.high}")
        self.rows = 0
        return [
            Rule("bounds", f"{it.column} is from {it.low:g} to {it.high:g}", it.severity),
            Rule("any-rows", "there are rows", "warn"),
        ]

    def check(self, batch: Batch) -> Iterator[Finding]:
        """Called for each batch; the host sets aside the rows that are found, or fails the run, as the rule says."""
        low, high = self.options.low, self.options.high
        self.rows += batch.rows
        yield Finding(0, [value is not None and not low <= value <= high for value in batch[self.options.column]])

    def finish(self) -> Iterator[Outcome]:
        """Called once in the end, for rules that speak of all the data."""
        yield Outcome(1, self.rows > 0, f"{self.rows} rows")
