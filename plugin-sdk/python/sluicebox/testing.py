"""Stages without a host: batches in a line, each kind run as the host would, and what a stage said.

>>> from sluicebox import testing
>>> flights = testing.batch({"origin": ["EWR", None], "distance": [1400, 944]})
>>> testing.transform(Speed, {"distance": "distance"}, flights)[0].to_dict()

A fault is raised as `sluicebox.Fault`, as the host would see it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as field_
from datetime import date, datetime
from typing import Any

from sluicebox import _bits, _calls, _plugin, _wit
from sluicebox._standin import Err
from sluicebox._standin import report as _report
from sluicebox._standin import types as _types
from sluicebox._standin.batches import Batch as _Held
from sluicebox._standin.transformer import Input as _Input
from sluicebox.batch import Batch
from sluicebox.fault import Fault
from sluicebox.report import BadRecord
from sluicebox.stage import Context, Outcome, Page
from sluicebox.types import Field, Schema

__all__ = [
    "CONTEXT",
    "Checked",
    "Said",
    "batch",
    "describe",
    "extract",
    "load",
    "said",
    "transform",
    "validate",
]

Options = Mapping[str, Any] | None
Batches = Batch | Sequence[Batch]

CONTEXT = Context(
    run_id="019af0c0-0000-7000-8000-000000000000",
    pipeline="test",
    stage="stage",
    attempt=1,
    interval_start="2013-01-01T00:00:00Z",
    interval_end="2013-01-02T00:00:00Z",
)
"""The context of runs in tests."""

_WORDS = {
    bool: "boolean",
    int: "int64",
    float: "float64",
    str: "utf8",
    bytes: "binary",
    date: "date32",
    datetime: "timestamp",
}


def batch(columns: Mapping[str, Sequence[Any]], schema: Schema | Iterable[Field] | None = None) -> Batch:
    """A batch. Without a schema, a column's type is that of its first value; None counts for nothing, and a column that has
    nothing else is utf8. Columns of type `other` hold whatever is given."""
    if schema is None:
        schema = Schema(Field(name, _word(name, values)) for name, values in columns.items())
    schema = Schema(schema)
    others = {field.name for field in schema if field.data_type == "other"}
    plain = Schema(field for field in schema if field.name not in others)
    rows = max((len(values) for values in columns.values()), default=0)
    made = Batch.from_columns(plain, {name: values for name, values in columns.items() if name not in others}, rows)
    if not others:
        return made
    known = dict(zip(plain.names, made._given().columns))
    cells = [known[field.name] if field.name in known else list(columns[field.name]) for field in schema]
    return Batch(_Held(_wit.to_schema(schema), rows, cells))


def _word(name: str, values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    if kinds == {int, float}:
        kinds = {float}
    if not kinds:
        return "utf8"
    if len(kinds) > 1 or not kinds <= set(_WORDS):
        raise TypeError(f"column {name!r} holds {', '.join(sorted(kind.__name__ for kind in kinds))}; give a schema")
    return _WORDS[kinds.pop()]


@dataclass
class Said:
    """What stages said."""

    log: list[tuple[str, str]] = field_(default_factory=list)
    """level and line, in order"""
    counters: dict[str, int] = field_(default_factory=dict)
    quarantined: list[BadRecord] = field_(default_factory=list)


def said() -> Said:
    """What stages said since the last time it was asked. What is printed goes to the test's own output."""
    kept, _report.said = _report.said, _report.Said()
    records = [BadRecord(record.origin, record.content, record.reason) for record in kept.quarantined]
    return Said(kept.log, kept.counters, records)


def describe(stage: type) -> dict[str, Any]:
    """What the plugin says of itself, with the JSON Schema of its options."""
    it = _calls.describe(_plugin.of(stage))
    return {
        "name": it.name,
        "version": it.version,
        "kind": it.kind.name.lower(),
        "summary": it.summary,
        "config-schema": json.loads(it.config_schema),
        "capabilities": [each.name.lower().replace("_", "-") for each in it.capabilities],
        "stateless": it.stateless,
    }


def _call(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Err as error:
        fault: Fault = _wit.from_fault(error.value)
    raise fault


def _calls_of(stage: type, kind: str) -> Any:
    plugin = _plugin.of(stage)
    if plugin.kind != kind:
        raise TypeError(f"{stage.__name__} is of kind {plugin.kind}, not {kind}")
    return _calls.KINDS[kind](plugin)


def _context(context: Context) -> Any:
    return _types.RunContext(**vars(context))


def _config(options: Options) -> str:
    return json.dumps(options or {})


def _fits(batch: Batch, promised: Schema) -> Batch:
    """The batch, if it is of the schema that `open` answered with."""
    there = [(field.name, field.data_type, field.detail) for field in batch.schema]
    wanted = [(field.name, field.data_type, field.detail) for field in promised]
    nulls = [new.name for new, old in zip(batch.schema, promised) if new.nullable and not old.nullable]
    if there != wanted or nulls:
        raise AssertionError(f"open answered with the schema {promised}, but a batch has {batch.schema}")
    return batch


def extract(
    stage: type, options: Options = None, *, bookmark: str | None = None, context: Context = CONTEXT
) -> list[Page]:
    """All pages of an extract."""
    calls = _calls_of(stage, "extract")
    schema = _wit.from_schema(_call(calls.open, _context(context), _config(options), bookmark))
    pages = []
    while (page := _call(calls.next)) is not None:
        pages.append(Page(_fits(Batch(page.batch), schema), page.bookmark, page.progress))
    return pages


def transform(
    stage: type, options: Options = None, *inputs: Batches | tuple[str, Batches], context: Context = CONTEXT
) -> list[Batch]:
    """All batches that come out of a transform. An input is a batch or a list of at least one; with a name before it as
    a pair: `("carriers", batch)`."""
    calls = _calls_of(stage, "transform")
    named = [(it if isinstance(it, tuple) else (f"input-{at}", it)) for at, it in enumerate(inputs)]
    fed = [(name, [it] if isinstance(it, Batch) else list(it)) for name, it in named]
    schemas = [_Input(name, _wit.to_schema(batches[0].schema)) for name, batches in fed]
    schema = _wit.from_schema(_call(calls.open, _context(context), _config(options), schemas))
    out: list[Any] = []
    for at in [*range(1, len(fed)), *range(min(1, len(fed)))]:
        for each in fed[at][1]:
            out.extend(_call(calls.process, at, each.slice()._given()))
    while (rest := _call(calls.finish)) is not None:
        out.append(rest)
    return [_fits(Batch(each), schema) for each in out]


@dataclass
class Checked:
    """What a validate found."""

    rules: list[Any]
    """as the host sees them"""
    broken: dict[str, list[int]]
    """by rule: the rows that break it, counted over all batches"""
    outcomes: dict[str, Outcome]
    """by rule: what was said in the end"""


def validate(stage: type, options: Options, *batches: Batch, context: Context = CONTEXT) -> Checked:
    """What a validate says of the batches, of which there is at least one."""
    calls = _calls_of(stage, "validate")
    rules = _call(calls.open, _context(context), _config(options), _wit.to_schema(batches[0].schema))
    names = [rule.name for rule in rules]
    broken: dict[str, list[int]] = {name: [] for name in names}
    seen = 0
    for each in batches:
        for finding in _call(calls.check, each._there()):
            if len(finding.rows) != (each.rows + 7) // 8:
                raise AssertionError(f"a finding has {len(finding.rows)} bytes for {each.rows} rows")
            flags = _bits.unpack(finding.rows, each.rows)
            broken[names[finding.rule]] += [seen + row for row, flag in enumerate(flags) if flag]
        seen += each.rows
    outcomes = {names[it.rule]: Outcome(it.rule, it.holds, it.observed) for it in _call(calls.finish)}
    return Checked(rules, broken, outcomes)


def load(
    stage: type,
    options: Options,
    *batches: Batch,
    schema: Schema | None = None,
    end: str = "commit",
    load_id: str = "test-load",
    part: int = 0,
    context: Context = CONTEXT,
) -> list[str]:
    """Runs a load and answers with its receipts. `end` is `commit`, `abort`, or `prepare` (neither); it is called on a fresh
    instance and again, as the host may."""
    calls = _calls_of(stage, "load")
    fields = _wit.to_schema(schema if schema is not None else batches[0].schema)
    _call(calls.open, _context(context), _config(options), fields, load_id, part)
    for each in batches:
        _call(calls.write, each.slice()._given())
    receipts = [_call(calls.prepare)]
    if end in ("commit", "abort"):
        for settle in (calls, _calls_of(stage, "load")):
            _call(getattr(settle, end), _config(options), load_id, receipts)
    elif end != "prepare":
        raise ValueError(f"end is commit, abort or prepare, not {end!r}")
    return receipts
