"""Write sluicebox stages in Python: subclass `Extract`, `Transform`, `Validate` or `Load`, decorate it with `plugin`.

`sluicebox.testing` runs stages without a host.
"""

from sluicebox import report
from sluicebox._plugin import plugin
from sluicebox.batch import Batch, concat
from sluicebox.column import Column, Form
from sluicebox.fault import Fault, FaultKind
from sluicebox.options import NoOptions, option
from sluicebox.report import BadRecord, count, log, quarantine
from sluicebox.stage import (
    Context,
    Extract,
    Finding,
    Input,
    Load,
    Outcome,
    Page,
    PerCent,
    Rule,
    Transform,
    Validate,
)
from sluicebox.types import DataType, Field, Schema

__all__ = [
    "BadRecord",
    "Batch",
    "Column",
    "Context",
    "DataType",
    "Extract",
    "Fault",
    "FaultKind",
    "Field",
    "Finding",
    "Form",
    "Input",
    "Load",
    "NoOptions",
    "Outcome",
    "Page",
    "PerCent",
    "Rule",
    "Schema",
    "Transform",
    "Validate",
    "concat",
    "count",
    "log",
    "option",
    "plugin",
    "quarantine",
    "report",
]
