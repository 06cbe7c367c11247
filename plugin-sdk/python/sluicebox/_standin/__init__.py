"""A stand-in for the host: what componentize-py generates from wit/stage.wit, done natively. It holds what a stage hands over
to the same rules as the real one, so that what passes here passes there."""

from sluicebox._standin import batches, report, types
from sluicebox._standin.types import Err

__all__ = ["Err", "batches", "report", "types"]
