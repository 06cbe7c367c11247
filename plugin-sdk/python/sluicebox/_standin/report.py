"""The interface `report`: what stages say is kept for the test to look at."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

Level = Enum("Level", "DEBUG INFO WARN ERROR", start=0)


@dataclass
class BadRecord:
    origin: str
    content: str
    reason: str


@dataclass
class Said:
    """All that was said."""

    log: list[tuple[str, str]] = field(default_factory=list)
    counters: dict[str, int] = field(default_factory=dict)
    quarantined: list[BadRecord] = field(default_factory=list)


said = Said()


def log(level: Level, message: str) -> None:
    said.log.append((level.name.lower(), message))


def count(name: str, by: int) -> None:
    said.counters[name] = said.counters.get(name, 0) + by


def quarantine(records: list[BadRecord]) -> None:
    said.quarantined.extend(records)
