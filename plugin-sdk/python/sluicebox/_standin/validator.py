"""The interface `validator`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Severity = Enum("Severity", "WARN REJECT FAIL", start=0)


@dataclass
class Threshold_Rows:
    value: int


@dataclass
class Threshold_PerCent:
    value: float


@dataclass
class Rule:
    name: str
    summary: str
    severity: Severity
    at_most: Threshold_Rows | Threshold_PerCent | None


@dataclass
class Finding:
    rule: int
    rows: bytes


@dataclass
class Outcome:
    rule: int
    holds: bool
    observed: str
