"""Joins columns of text into one."""

from __future__ import annotations

from dataclasses import dataclass

from sluicebox import Batch, Field, Input, Schema, Transform, option, plugin


@dataclass
class Options:
    """What is joined, and how."""

    columns: list[str] = option("The text columns to join, in this order.", at_least=1)
    separator: str = option("What stands between the texts.", default="-")
    as_: str = option("The name of the new column; a column of that name is replaced.", default="joined")


@plugin("join-text-python", summary="Joins columns of text into one", stateless=True)
class JoinText(Transform[Options]):
    def open(self, inputs: list[Input]) -> Schema:
        schema = inputs[0].schema
        for name in self.options.columns:
            schema.need(name, "utf8")
        self.joined = Field(self.options.as_, "utf8")
        return schema.with_field(self.joined)

    def process(self, input: int, batch: Batch) -> Batch:
        columns = [batch.strings(name) for name in self.options.columns]
        join = self.options.separator.join
        return batch.with_column(self.joined, [None if None in row else join(row) for row in zip(*columns)])
