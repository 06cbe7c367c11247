"""What a stage may tell its run, whatever it is granted. `print` and `logging` go to the run's log as well."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sluicebox import _wit
from sluicebox._host import report as _report
from sluicebox.fault import Fault

Level = Literal["debug", "info", "warn", "error"]
_LEVELS = {level.name.lower(): level for level in _report.Level}


@dataclass(frozen=True)
class BadRecord:
    """A record that could not be made a row, e.g. a broken line of a file."""

    origin: str
    """where it stood, e.g. "data/flights.csv:17\""""
    content: str
    """the record as it was found, as text"""
    reason: str
    """what is wrong with it"""


def log(level: Level, message: object) -> None:
    """A line of the stage's log."""
    if level not in _LEVELS:
        raise Fault("internal", f"{level!r} is no level; they are {', '.join(_LEVELS)}")
    _flush()
    _report.log(_LEVELS[level], _wit.text(message))


def debug(message: object) -> None:
    """A line for whoever looks for a mistake."""
    log("debug", message)


def info(message: object) -> None:
    """A line about the course of things."""
    log("info", message)


def warn(message: object) -> None:
    """A line about something that may be wrong."""
    log("warn", message)


def error(message: object) -> None:
    """A line about something that is wrong."""
    log("error", message)


def count(name: str, by: int = 1) -> None:
    """Adds to a counter of the stage, shown with its outcome."""
    if not isinstance(by, int) or not 0 <= by < 2**64:
        raise Fault("internal", f"counter {name!r} goes up by whole numbers from 0 to 2**64 - 1, not by {by!r}")
    _report.count(_wit.text(name), int(by))


def quarantine(records: BadRecord | Iterable[BadRecord]) -> None:
    """Sets records aside instead of losing them or failing. They count as rejected rows of the stage. What is
    quarantined in a call that then fails does not count."""
    each = [records] if isinstance(records, BadRecord) else list(records)
    _report.quarantine(
        [_report.BadRecord(_wit.text(it.origin), _wit.text(it.content), _wit.text(it.reason)) for it in each]
    )


def _flush() -> None:
    """Lines that were printed before stand before."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


class LogHandler(logging.Handler):
    """Sends the records of `logging` to the run's log."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by `logging`."""
        levels = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"))
        level = next((word for number, word in levels if record.levelno >= number), "debug")
        try:
            log(level, self.format(record))  # type: ignore[arg-type]
        except Exception:
            self.handleError(record)
