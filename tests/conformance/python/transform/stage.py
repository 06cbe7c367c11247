"""The transform of the conformance suite: what a stage can do, by mode."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from sluicebox import (
    BadRecord,
    Batch,
    Column,
    Fault,
    Field,
    Form,
    Input,
    Schema,
    Transform,
    concat,
    count,
    log,
    option,
    plugin,
    quarantine,
)

TOTALS = Schema(
    [
        Field("input", "utf8", nullable=False),
        Field("batches", "int64", nullable=False),
        Field("rows", "int64", nullable=False),
    ]
)
CONTEXT = Schema(
    Field(name, "int32" if name == "attempt" else "utf8", nullable=False)
    for name in ("pipeline", "stage", "attempt", "interval-start", "interval-end")
)


@dataclass
class Options:
    """Mode, and what belongs to some of the modes."""

    mode: str = option("What is done.")
    form: Form = option("copy: the form in which columns cross.", default="typed")
    column: str = option("add-one, length, filter: the column that is worked on.", default="")
    columns: list[list[str]] = option("select: pairs of the old and the new name.", default=[])
    offset: int = option("slice: the first row.", default=0, at_least=0)
    rows: int = option("slice: how many rows.", default=0, at_least=0)
    kind: str = option("fault: its kind.", default="internal")
    message: str = option("fault: its message.", default="")
    row: int | None = option("fault: its row.", default=None, at_least=0)
    call: Literal["open", "process", "finish"] = option("fault: the call that fails.", default="process")


@plugin("conform-transform-python", summary="What a transform can do, for the conformance suite")
class Conform(Transform[Options]):
    def open(self, inputs: list[Input]) -> Schema:
        mode, schema = self.options.mode, inputs[0].schema
        self.kept: list[Batch] = []
        self.names = [each.name for each in inputs]
        self.seen = [[0, 0] for _ in inputs]
        work = getattr(self, f"do_{mode.replace('-', '_')}", None)
        if work is None:
            raise Fault("invalid-config", f"there is no mode {mode!r}")
        self.fail_in("open")
        self.work: Callable[[int, Batch], Batch | None] = work
        if mode == "length":
            schema.need(self.options.column, "utf8")
            return schema.with_field(Field("length", "int32"))
        if mode == "add-one":
            schema.need(self.options.column, "int64")
        if mode == "filter":
            schema.need(self.options.column, "boolean")
        if mode == "select":
            return Schema(schema.need(old).renamed(new) for old, new in self.options.columns)
        if mode == "zip":
            return Schema([*schema, *(field.renamed(f"{field.name}_2") for field in schema)])
        return {"totals": TOTALS, "context": CONTEXT}.get(mode, schema)

    def process(self, input: int, batch: Batch) -> Batch | None:
        return self.work(input, batch)

    def finish(self) -> Iterator[Batch]:
        self.fail_in("finish")
        yield from self.kept
        if self.options.mode == "totals":
            batches, rows = zip(*self.seen)
            yield Batch.from_columns(TOTALS, [self.names, list(batches), list(rows)])

    def do_copy(self, _: int, batch: Batch) -> Batch:
        plain = Schema(field for field in batch.schema if field.data_type != "other")
        columns = [batch.column(field.name, self.form(field)) for field in plain]
        copied = Batch.from_columns(plain, columns, batch.rows)
        others = [field.name for field in batch.schema if field.data_type == "other"]
        return copied.zip(batch.select(others)).select(batch.schema.names) if others else copied

    def form(self, field: Field) -> Form:
        wanted = self.options.form
        return "raw" if wanted == "strings" and field.data_type != "utf8" else wanted

    def do_ipc(self, _: int, batch: Batch) -> Batch:
        return Batch.from_ipc(batch.to_ipc())

    def do_add_one(self, _: int, batch: Batch) -> Batch:
        name = self.options.column
        column = batch.column(name)
        numbers = [(n + 1 + 2**63) % 2**64 - 2**63 for n in memoryview(column.data).cast("q")]
        return batch.with_column(batch.schema[name], Column(array("q", numbers), column.validity))

    def do_length(self, _: int, batch: Batch) -> Batch:
        texts = batch[self.options.column]
        return batch.with_column(Field("length", "int32"), [None if text is None else len(text) for text in texts])

    def do_filter(self, _: int, batch: Batch) -> Batch:
        return batch.filter(batch[self.options.column])

    def do_take(self, _: int, batch: Batch) -> Batch:
        return batch.take(reversed(range(batch.rows)))

    def do_slice(self, _: int, batch: Batch) -> Batch:
        return batch.slice(self.options.offset, self.options.rows)

    def do_select(self, _: int, batch: Batch) -> Batch:
        return batch.select((old, new) for old, new in self.options.columns)

    def do_concat(self, _: int, batch: Batch) -> Batch:
        return concat([batch, batch])

    def do_zip(self, _: int, batch: Batch) -> Batch:
        return batch.zip(batch.select({name: f"{name}_2" for name in batch.schema.names}))

    def do_fault(self, _: int, batch: Batch) -> Batch:
        self.fail_in("process")
        return batch

    def fail_in(self, call: str) -> None:
        if self.options.mode == "fault" and self.options.call == call:
            raise Fault(self.options.kind, self.options.message, self.options.row)

    def do_crash(self, _: int, batch: Batch) -> Batch:
        raise RuntimeError("told to crash")

    def do_bad_answer(self, _: int, batch: Batch) -> Batch:
        return Batch.from_columns([Field("n", "int64")], [array("q", range(batch.rows))], batch.rows + 1)

    def do_keep(self, _: int, batch: Batch) -> None:
        self.kept.append(batch)

    def do_totals(self, input: int, batch: Batch) -> None:
        self.seen[input][0] += 1
        self.seen[input][1] += batch.rows

    def do_context(self, _: int, batch: Batch) -> Batch:
        it = self.context
        row = (it.pipeline, it.stage, it.attempt, it.interval_start, it.interval_end)
        return Batch.from_columns(CONTEXT, [[value] for value in row])

    def do_report(self, _: int, batch: Batch) -> Batch:
        for level in ("debug", "info", "warn", "error"):
            log(level, f"{level} line")
        print("printed line", file=sys.stdout)
        count("seen", 3)
        count("seen", 4)
        quarantine(BadRecord("here:1", "x,y", "not right"))
        return batch
