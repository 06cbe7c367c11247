"""The stand-in for the host has the words of wit/stage.wit."""

import os
import re
import unittest
from enum import EnumMeta

from sluicebox import FaultKind
from sluicebox._standin import batches, plugin, report, types, validator, values
from sluicebox.types import DataType

WIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "wit", "stage.wit")


def words(text: str) -> list[str]:
    """Words of the contract as componentize-py writes those of enums."""
    return [word.strip().replace("-", "_").upper() for word in text.split(",") if word.strip()]


@unittest.skipUnless(os.path.exists(WIT), "the contract is not here")
class ContractTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        with open(WIT, encoding="utf-8") as file:
            cls.wit = re.sub(r"//[^\n]*", "", file.read())

    def body(self, head: str) -> str:
        """What stands between the braces behind `head`."""
        found = re.search(rf"\b{head}\s*\{{(.*?)\}}", self.wit, re.DOTALL)
        self.assertIsNotNone(found, head)
        return found[1] if found else ""

    def test_enums(self) -> None:
        enums: dict[str, EnumMeta] = {
            "data-type": types.DataType,
            "fault-kind": types.FaultKind,
            "kind": plugin.Kind,
            "capability": plugin.Capability,
            "level": report.Level,
            "form": values.Form,
            "severity": validator.Severity,
        }
        for name, enum in enums.items():
            with self.subTest(name):
                self.assertEqual([it.name for it in enum], words(self.body(f"enum {name}")))
        self.assertEqual([it.name for it in DataType], [it.name for it in types.DataType])
        self.assertEqual([it.name for it in FaultKind], [it.name for it in types.FaultKind])

    def test_values(self) -> None:
        cases = re.findall(r"([a-z0-9-]+)\(", self.body("variant values"))
        for case in cases:
            self.assertTrue(hasattr(batches, "Values_" + "".join(part.title() for part in case.split("-"))), case)
        self.assertEqual(len(cases), 15)

    def test_functions_of_a_batch(self) -> None:
        functions = re.findall(r"([a-z-]+): (?:static )?func", self.body("resource batch"))
        for function in functions:
            self.assertTrue(hasattr(batches.Batch, function.replace("-", "_")), function)
        self.assertEqual(len(functions), 12)

    def test_records(self) -> None:
        records = {
            "field": types.Field,
            "fault": types.Fault,
            "run-context": types.RunContext,
            "description": plugin.Description,
            "bad-record": report.BadRecord,
            "column": values.Column,
            "rule": validator.Rule,
            "finding": validator.Finding,
            "outcome": validator.Outcome,
        }
        for name, record in records.items():
            with self.subTest(name):
                wanted = [it.replace("-", "_") for it in re.findall(r"([a-z-]+):", self.body(f"record {name}"))]
                self.assertEqual(list(record.__dataclass_fields__), wanted)
