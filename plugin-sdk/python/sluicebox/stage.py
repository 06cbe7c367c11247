"""One class to subclass for each kind of stage."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sluicebox.batch import Batch
from sluicebox.fault import Fault
from sluicebox.types import Schema

Options = TypeVar("Options")
Severity = Literal["warn", "reject", "fail"]


@dataclass(frozen=True)
class Context:
    """Why and for when this run runs. Times are RFC 3339 in UTC."""

    run_id: str
    pipeline: str
    stage: str
    attempt: int
    """counted from 1"""
    interval_start: str
    """where the data interval starts, included"""
    interval_end: str
    """where the data interval ends, excluded"""


class Stage(ABC, Generic[Options]):
    """What every kind has. A stage is made without arguments; options and context are there when `open` is called."""

    options: Options
    """The options of the pipeline file."""

    _context: Context | None = None

    @property
    def context(self) -> Context:
        """Why and for when this run runs; not there in `commit` and `abort` of a load, which may be called on a fresh
        instance."""
        if self._context is None:
            raise Fault("internal", "there is no context here: commit and abort may be called on a fresh instance")
        return self._context


@dataclass(frozen=True)
class Page:
    """A batch that an extract made."""

    batch: Batch
    """fits the schema that `open` answered with"""
    bookmark: str | None = None
    """where to resume after this page; kept only once every load of the run has committed"""
    progress: float | None = None
    """how much of the work is done, 0 to 1, where it is known"""


class Extract(Stage[Options]):
    """Makes batches from something outside."""

    @abstractmethod
    def open(self, bookmark: str | None) -> Schema:
        """Opens the source and answers with the schema of every page. `bookmark` is that of the last run that committed.
        Also called to check a pipeline before it runs, so it changes nothing outside."""

    @abstractmethod
    def pages(self) -> Iterator[Page | Batch]:
        """Yields the pages; the host takes one after another, as it has room. 8,192 to 65,536 rows are a good size."""


@dataclass(frozen=True)
class Input:
    """Where a transform's batches come from."""

    name: str
    """the stage that it comes from"""
    schema: Schema


Batches = Batch | Iterable[Batch] | None
"""A batch, several (a list, a generator), or none."""


class Transform(Stage[Options]):
    """Turns batches into batches."""

    @abstractmethod
    def open(self, inputs: list[Input]) -> Schema:
        """Answers with the schema of what comes out. Also called without data to check a pipeline before it runs."""

    @abstractmethod
    def process(self, input: int, batch: Batch) -> Batches:
        """A batch of input number `input`, counted from 0. All of the inputs but the first are delivered before the
        first. Answers with the batches that go on, each of the schema that `open` answered with."""

    def finish(self) -> Batches:
        """After the last batch, once: what is still to come out. The batches of a generator are made one by one."""
        return None


@dataclass(frozen=True)
class PerCent:
    """A share of the rows seen."""

    value: float
    """0 to 100"""


@dataclass(frozen=True)
class Rule:
    """A rule that a validate checks."""

    name: str
    """unique within the stage"""
    summary: str
    """for people, e.g. "dep_delay is not null\""""
    severity: Severity = "reject"
    """warn: told in the outcome, the row goes on; reject: the row goes to quarantine; fail: the run fails"""
    at_most: int | PerCent | None = None
    """more rows than this fail the run (reject, fail) or are told (warn); None: no bound (warn, reject), no row at all
    (fail)"""


@dataclass(frozen=True)
class Finding:
    """The rows of a batch that break a rule."""

    rule: int
    """position in the list of rules"""
    rows: Any
    """a flag a row, true = breaks it: a list of booleans, or bytes of one bit a row"""


@dataclass(frozen=True)
class Outcome:
    """What a rule says of all the data, e.g. a row count."""

    rule: int
    """position in the list of rules"""
    holds: bool
    observed: str
    """what was seen, for people, e.g. "12 rows\""""


class Validate(Stage[Options]):
    """Finds the rows that break rules; the host judges."""

    @abstractmethod
    def open(self, schema: Schema) -> list[Rule]:
        """Answers with the rules that it will check. Also called without data to check a pipeline before it runs."""

    @abstractmethod
    def check(self, batch: Batch) -> Iterable[Finding] | None:
        """The rules that rows of this batch break; a rule that none breaks may be left out. The batch is lent: it cannot be
        kept, but `batch.slice()` can."""

    def finish(self) -> Iterable[Outcome] | None:
        """After the last batch: rules that speak of all the data. One that does not hold and whose severity is `fail` or
        `reject` fails the run; a `warn` is told."""
        return None


class Load(Stage[Options]):
    """Takes batches out of the pipeline, in two steps: `prepare` makes the data durable and unseen, `commit` shows it."""

    @abstractmethod
    def open(self, schema: Schema, load_id: str, part: int) -> None:
        """`load_id` is the same whenever the same load is tried again, so that what an earlier try left can be replaced;
        `part` tells instances of one load apart. Also called to check a pipeline before it runs, so it changes nothing
        outside: make files in the first `write` or in `prepare`."""

    @abstractmethod
    def write(self, batch: Batch) -> None:
        """Takes a batch."""

    @abstractmethod
    def prepare(self) -> str:
        """After the last batch, also when there was none. The receipt says all that `commit` needs to know."""

    @abstractmethod
    def commit(self, load_id: str, receipts: list[str]) -> None:
        """Shows what was prepared. May be called on a fresh instance, and again after it succeeded."""

    @abstractmethod
    def abort(self, load_id: str, receipts: list[str]) -> None:
        """Takes back what was written or prepared, as far as it is there; never touches what was committed. May be called
        on a fresh instance, with no receipts, and again."""
