"""The interface `transformer`."""

from __future__ import annotations

from dataclasses import dataclass

from sluicebox._standin.types import Field


@dataclass
class Input:
    name: str
    schema: list[Field]
