"""The calls of the host, one class a kind; every exception becomes a fault."""

from __future__ import annotations

import functools
import os
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from sluicebox import _wit
from sluicebox import options as options_
from sluicebox._host import WASI, Err, exported
from sluicebox._plugin import Plugin
from sluicebox.batch import Batch, mask_bytes
from sluicebox.fault import Fault, kind_of_os_error
from sluicebox.report import _flush
from sluicebox.stage import Context, Finding, Input, Outcome, Page, PerCent, Rule
from sluicebox.types import Schema

_SDK = os.path.dirname(__file__)
# The host keeps 16 KiB of a fault's message.
_TRACE_MAX = 12 * 1024

_Call = TypeVar("_Call", bound=Callable[..., Any])


def _told(call: _Call) -> _Call:
    """Makes whatever the call raises a fault of the contract, and sends on what was printed."""

    @functools.wraps(call)
    def wrapped(*arguments: Any) -> Any:
        try:
            return call(*arguments)
        except Err:
            raise
        except BaseException as error:
            fault = fault_of(error)
        finally:
            _flush()
        # Raised outside of the handler: the user's frames, and the batches in them, are let go of before.
        raise Err(_wit.to_fault(fault))

    return wrapped  # type: ignore[return-value]


def fault_of(error: BaseException) -> Fault:
    """The fault that an exception is."""
    if isinstance(error, Fault):
        return Fault(error.kind, error.message, error.row)
    said = "".join(traceback.format_exception_only(error)).strip()
    if isinstance(error, OSError):
        kind, hint = kind_of_os_error(error, wasi=WASI)
        if kind.value != "internal":
            return Fault(kind, f"{said:.1024}{hint}\n{_trace(error)}")
    if WASI and isinstance(error, ImportError):
        said += "; imports stand at the top of modules: when a stage runs, there are no files to import from"
    return Fault("internal", f"{said:.1024}\n{_trace(error)}")


def _trace(error: BaseException) -> str:
    """Where it was raised, without the frames of the SDK around the user's code."""
    frames = error.__traceback__
    while (
        frames is not None
        and frames.tb_next is not None
        and os.path.dirname(frames.tb_frame.f_code.co_filename) == _SDK
    ):
        frames = frames.tb_next
    lines = "".join(traceback.format_exception(type(error), error, frames))
    root = getattr(sys.modules.get("stage"), "__file__", None)
    if WASI and root:
        lines = lines.replace(f'File "{os.path.dirname(root)}/', 'File "')
    return lines if len(lines) <= _TRACE_MAX else f"{lines[:2048]}\n  ...\n{lines[2048 - _TRACE_MAX :]}"


def _expect(value: Any, kind: type, what: str) -> Any:
    if not isinstance(value, kind):
        raise Fault("internal", f"{what}, not {value!r:.200}")
    return value


class _Calls:
    """What all kinds share."""

    def __init__(self, plugin: Plugin) -> None:
        self.plugin = plugin
        self.stage: Any = None

    def _make(self, config: str, context: Any = None) -> Any:
        options: Any = options_.read(self.plugin.options, config)
        # What `random` was seeded with when the component was built is the same in each instance.
        if WASI and "random" in sys.modules:
            sys.modules["random"].seed()
        stage = self.plugin.stage()
        stage.options = options
        if context is not None:
            stage._context = Context(
                context.run_id,
                context.pipeline,
                context.stage,
                context.attempt,
                context.interval_start,
                context.interval_end,
            )
        return stage

    def _opened(self) -> Any:
        if self.stage is None:
            raise Fault("internal", "the stage was not opened")
        return self.stage


def _schema(answer: Any) -> list[Any]:
    return _wit.to_schema(_expect(answer, Schema, "open answers with a Schema"))


def _batches(answer: Any, call: str) -> Iterator[Batch]:
    """The batches of an answer: one, several, none."""
    if answer is None:
        return
    if isinstance(answer, Batch):
        yield answer
        return
    if not isinstance(answer, Iterable):
        raise Fault("internal", f"{call} answers with a batch, several batches or None, not {answer!r:.200}")
    for each in answer:
        yield _expect(each, Batch, f"{call} answers with batches")


class Extractor(_Calls):
    """Calls of an extract."""

    _pages: Iterator[Any] | None = None

    @_told
    def open(self, context: Any, config: str, bookmark: str | None) -> list[Any]:
        self._pages = None
        self.stage = self._make(config, context)
        return _schema(self.stage.open(bookmark))

    @_told
    def next(self) -> Any:
        if self._pages is None:
            pages = self._opened().pages()
            self._pages = iter(_expect(pages, Iterable, "pages yields pages"))
        page = next(self._pages, None)
        if page is None:
            return None
        if isinstance(page, Batch):
            page = Page(page)
        _expect(page, Page, "pages yields pages and batches")
        batch = _expect(page.batch, Batch, "the batch of a page is a Batch")
        bookmark = None if page.bookmark is None else _wit.text(page.bookmark)
        progress = None if page.progress is None else float(page.progress)
        return exported("extractor").Page(batch._given(), bookmark, progress)


class Transformer(_Calls):
    """Calls of a transform."""

    _rest: Iterator[Batch] | None = None

    @_told
    def open(self, context: Any, config: str, inputs: list[Any]) -> list[Any]:
        self._rest = None
        self.stage = self._make(config, context)
        return _schema(self.stage.open([Input(it.name, _wit.from_schema(it.schema)) for it in inputs]))

    @_told
    def process(self, input: int, batch: Any) -> list[Any]:
        answer = list(_batches(self._opened().process(input, Batch(batch)), "process"))
        # The same batch may stand in the answer more than once.
        later = [at for at, each in enumerate(answer) if any(each is before for before in answer[:at])]
        for at in later:
            answer[at] = answer[at].slice()
        return [each._given() for each in answer]

    @_told
    def finish(self) -> Any:
        if self._rest is None:
            self._rest = _batches(self._opened().finish(), "finish")
        batch = next(self._rest, None)
        return None if batch is None else batch._given()


class Validator(_Calls):
    """Calls of a validate."""

    _rules: int = 0

    @_told
    def open(self, context: Any, config: str, input: list[Any]) -> list[Any]:
        self.stage = self._make(config, context)
        rules = list(_expect(self.stage.open(_wit.from_schema(input)), Iterable, "open answers with a list of rules"))
        self._rules = len(rules)
        return [self._rule(_expect(rule, Rule, "open answers with rules")) for rule in rules]

    @staticmethod
    def _rule(rule: Rule) -> Any:
        words = exported("validator")
        severities = {each.name.lower(): each for each in words.Severity}
        if rule.severity not in severities:
            raise Fault("internal", f"rule {rule.name!r}: {rule.severity!r} is none of {', '.join(severities)}")
        bound = None
        if isinstance(rule.at_most, PerCent):
            bound = words.Threshold_PerCent(float(rule.at_most.value))
        elif rule.at_most is not None:
            if type(rule.at_most) is not int or not 0 <= rule.at_most < 2**64:
                raise Fault(
                    "internal", f"rule {rule.name!r}: at_most is a number of rows or PerCent, not {rule.at_most!r}"
                )
            bound = words.Threshold_Rows(rule.at_most)
        return words.Rule(_wit.text(rule.name), _wit.text(rule.summary), severities[rule.severity], bound)

    @_told
    def check(self, batch: Any) -> list[Any]:
        words, lent = exported("validator"), Batch(batch)
        try:
            findings = [
                words.Finding(
                    self._at(_expect(finding, Finding, "check answers with findings").rule), mask_bytes(finding.rows)
                )
                for finding in _expect(self._opened().check(lent) or (), Iterable, "check answers with findings")
            ]
        finally:
            lent._handle = None
        return findings

    @_told
    def finish(self) -> list[Any]:
        words = exported("validator")
        outcomes = _expect(self._opened().finish() or (), Iterable, "finish answers with outcomes")
        return [
            words.Outcome(
                self._at(_expect(it, Outcome, "finish answers with outcomes").rule),
                bool(it.holds),
                _wit.text(it.observed),
            )
            for it in outcomes
        ]

    def _at(self, rule: Any) -> int:
        at = _wit.u32(rule, "a rule's position")
        if at >= self._rules:
            raise Fault("internal", f"there is no rule {at}; open answered with {self._rules}")
        return at


class Loader(_Calls):
    """Calls of a load."""

    @_told
    def open(self, context: Any, config: str, input: list[Any], load_id: str, part: int) -> None:
        self.stage = self._make(config, context)
        self.stage.open(_wit.from_schema(input), load_id, part)

    @_told
    def write(self, batch: Any) -> None:
        self._opened().write(Batch(batch))

    @_told
    def prepare(self) -> str:
        return _wit.text(_expect(self._opened().prepare(), str, "prepare answers with a receipt, a text"))

    @_told
    def commit(self, config: str, load_id: str, receipts: list[str]) -> None:
        self._settled(config).commit(load_id, receipts)

    @_told
    def abort(self, config: str, load_id: str, receipts: list[str]) -> None:
        self._settled(config).abort(load_id, receipts)

    def _settled(self, config: str) -> Any:
        """The instance that prepared, or a fresh one."""
        if self.stage is None:
            self.stage = self._make(config)
        return self.stage


KINDS: dict[str, type[_Calls]] = {
    "extract": Extractor,
    "transform": Transformer,
    "validate": Validator,
    "load": Loader,
}


def describe(plugin: Plugin) -> Any:
    """What the plugin says of itself."""
    words = exported("plugin")
    capabilities = {each.name.lower().replace("_", "-"): each for each in words.Capability}
    return words.Description(
        plugin.name,
        plugin.version,
        words.Kind[plugin.kind.upper()],
        _wit.text(plugin.summary),
        plugin.config_schema,
        [capabilities[each] for each in plugin.capabilities],
        bool(plugin.stateless),
    )
