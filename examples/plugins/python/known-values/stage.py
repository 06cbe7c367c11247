"""Checks that a column holds known values only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sluicebox import Batch, Finding, Outcome, Rule, Schema, Validate, option, plugin


@dataclass
class Options:
    """What is known."""

    column: str = option("The text column that is looked at; nulls are let through.")
    values: list[str] = option("The values that it may have.", at_least=1)
    severity: Literal["warn", "reject", "fail"] = option("What another value means for its row.", default="reject")
    at_most: int | None = option("More rows with other values than this fail the run.", default=None, at_least=0)


@plugin("known-values-python", summary="Checks that a column of text holds known values only")
class KnownValues(Validate[Options]):
    def open(self, schema: Schema) -> list[Rule]:
        options = self.options
        schema.need(options.column, "utf8")
        self.known = {None, *options.values}
        self.rows = 0
        summary = f"{options.column} is one of {', '.join(options.values)}"
        return [
            Rule("known-values", summary, options.severity, options.at_most),
            Rule("any-rows", "there are rows", "fail"),
        ]

    def check(self, batch: Batch) -> Iterator[Finding]:
        self.rows += batch.rows
        yield Finding(0, [value not in self.known for value in batch.strings(self.options.column)])

    def finish(self) -> Iterator[Outcome]:
        yield Outcome(1, self.rows > 0, f"{self.rows} rows")
