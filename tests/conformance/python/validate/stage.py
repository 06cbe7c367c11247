"""The validate of the conformance suite: what a stage can say, by mode."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sluicebox import Batch, Fault, Finding, Outcome, PerCent, Rule, Schema, Validate, option, plugin

SEVERITIES = [
    Rule("warn", "rows 0, 3, 6, ... break it", "warn", 2),
    Rule("reject", "rows 1, 4, 7, ... break it", "reject", PerCent(50)),
    Rule("fail", "rows 2, 5, 8, ... break it", "fail"),
]


@dataclass
class Options:
    """Mode, and what belongs to some of the modes."""

    mode: Literal["none", "odd", "nulls", "severities", "finish", "fault", "crash"] = option("What is done.")
    column: str = option("odd: the column that is looked at.", default="")
    rows: int = option("finish: how many rows are enough.", default=0, at_least=0)
    call: Literal["open", "check", "finish"] = option("fault: the call that fails.", default="check")
    kind: str = option("fault: its kind.", default="internal")
    message: str = option("fault: its message.", default="")
    row: int | None = option("fault: its row.", default=None, at_least=0)


@plugin("conform-validate-python", summary="What a validate can say, for the conformance suite")
class Conform(Validate[Options]):
    def open(self, schema: Schema) -> list[Rule]:
        self.rows = 0
        mode = self.options.mode
        self.fail_in("open")
        if mode == "nulls":
            self.names = schema.names
            return [Rule(name, f"{name} has a value") for name in self.names]
        if mode == "odd":
            schema.need(self.options.column, "int64")
            return [Rule("even", f"{self.options.column} is even")]
        if mode == "finish":
            return [Rule("enough", f"there are at least {self.options.rows} rows", "warn")]
        return SEVERITIES if mode == "severities" else []

    def check(self, batch: Batch) -> Iterator[Finding]:
        self.rows += batch.rows
        self.fail_in("check")
        if self.options.mode == "crash":
            raise RuntimeError("told to crash")
        if self.options.mode == "nulls":
            for rule, name in enumerate(self.names):
                yield Finding(rule, [value is None for value in batch[name]])
        if self.options.mode == "odd":
            yield Finding(0, [n is not None and n % 2 == 1 for n in batch[self.options.column]])
        if self.options.mode == "severities":
            for rule in range(3):
                yield Finding(rule, [row % 3 == rule for row in range(batch.rows)])

    def finish(self) -> Iterator[Outcome]:
        self.fail_in("finish")
        if self.options.mode == "finish":
            yield Outcome(0, self.rows >= self.options.rows, f"{self.rows} rows")

    def fail_in(self, call: str) -> None:
        if self.options.mode == "fault" and self.options.call == call:
            raise Fault(self.options.kind, self.options.message, self.options.row)
