"""The interface `extractor`."""

from __future__ import annotations

from dataclasses import dataclass

from sluicebox._standin.batches import Batch


@dataclass
class Page:
    batch: Batch
    bookmark: str | None
    progress: float | None
