"""The interface `plugin`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

Kind = Enum("Kind", "EXTRACT TRANSFORM VALIDATE LOAD", start=0)
Capability = Enum("Capability", "READ_FILES WRITE_FILES HTTP TCP ENVIRONMENT CLOCK RANDOM", start=0)


@dataclass
class Description:
    name: str
    version: str
    kind: Kind
    summary: str
    config_schema: str
    capabilities: list[Capability]
    stateless: bool
