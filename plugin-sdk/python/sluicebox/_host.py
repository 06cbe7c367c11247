"""The host's side of the contract: the real one within a component, a stand-in natively.

Both have the same names: `batches`, `report`, `types` and `Err`, as componentize-py generates them from wit/stage.wit.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

WASI = sys.platform == "wasi"

batches: Any
report: Any
types: Any
Err: Any

if WASI:
    from componentize_py_types import Err  # type: ignore[import-not-found, no-redef]
    from wit_world.imports import batches, report, types  # type: ignore[import-not-found, no-redef]
else:
    from sluicebox._standin import Err, batches, report, types


def exported(name: str) -> Any:
    """The module of an exported interface. In a component there are `plugin` and that of the stage's own kind."""
    return importlib.import_module(f"wit_world.exports.{name}" if WASI else f"sluicebox._standin.{name}")
