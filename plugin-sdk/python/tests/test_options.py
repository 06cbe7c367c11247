"""Options: the schema of a dataclass, and what is read into it."""

import json
import unittest
from dataclasses import dataclass, field
from typing import Any, Literal

from sluicebox import Fault, NoOptions, option
from sluicebox.options import read, schema


@dataclass
class Rule:
    """A rule."""

    column: str
    at_most: float = 1.5


@dataclass
class Options:
    """All kinds of options."""

    path: str = option("Where to.", pattern=r"\.csv$")
    as_: str = option("A name.", default="joined", at_least=1)
    rows: int | None = option("How many.", default=None, at_least=0, at_most=10)
    mode: Literal["a", "b"] = option("How.", default="a")
    names: list[str] = option("Names.", default=["x"], at_least=1)
    types: dict[str, int] = field(default_factory=dict)
    rules: list[Rule] = option("Rules.", default=[])
    either: str | list[str] = option("One or many.", default="one")
    first: Rule | None = None
    anything: Any = None


class SchemaTest(unittest.TestCase):
    def test_types_defaults_bounds_and_documentation(self) -> None:
        made = schema(Options)
        properties = made["properties"]
        self.assertEqual(made["$schema"], "https://json-schema.org/draft/2020-12/schema")
        self.assertEqual(made["description"], "All kinds of options.")
        self.assertEqual(made["required"], ["path"])
        self.assertIs(made["additionalProperties"], False)
        self.assertEqual(properties["path"], {"type": "string", "pattern": r"\.csv$", "description": "Where to."})
        self.assertEqual(
            properties["as"], {"type": "string", "minLength": 1, "description": "A name.", "default": "joined"}
        )
        self.assertEqual(
            properties["rows"], {"type": "integer", "minimum": 0, "maximum": 10, "description": "How many."}
        )
        self.assertEqual(properties["mode"], {"enum": ["a", "b"], "description": "How.", "default": "a"})
        self.assertEqual(properties["names"]["minItems"], 1)
        self.assertEqual(
            properties["types"], {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}}
        )
        rule = properties["rules"]["items"]
        self.assertEqual((rule["description"], rule["required"]), ("A rule.", ["column"]))
        self.assertEqual(rule["properties"]["at-most"], {"type": "number", "default": 1.5})
        self.assertEqual(
            properties["either"]["anyOf"], [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]
        )
        self.assertEqual(properties["anything"], {})
        json.dumps(made)

    def test_no_options(self) -> None:
        self.assertEqual(schema(NoOptions)["properties"], {})

    def test_types_that_are_none_are_told_when_the_plugin_is_made(self) -> None:
        @dataclass
        class Bad:
            when: set[str]

        with self.assertRaisesRegex(TypeError, "Bad.when: set.* is no type of an option"):
            schema(Bad)


class ReadTest(unittest.TestCase):
    def test_what_is_given_and_what_is_not(self) -> None:
        text = '{"path": "x.csv", "as": "y", "rules": [{"column": "c", "at-most": 2}], "rows": 3.0, "first": {"column": "d"}}'
        options = read(Options, text)
        self.assertEqual((options.path, options.as_, options.rows), ("x.csv", "y", 3))
        self.assertEqual(options.rules, [Rule("c", 2.0)])
        self.assertEqual(options.first, Rule("d"))
        self.assertEqual((options.mode, options.names, options.types), ("a", ["x"], {}))

    def test_defaults_are_not_shared(self) -> None:
        read(Options, '{"path": "x.csv"}').names.append("more")
        self.assertEqual(read(Options, '{"path": "x.csv"}').names, ["x"])

    def test_large_numbers_are_exact(self) -> None:
        @dataclass
        class Big:
            n: int

        self.assertEqual(read(Big, '{"n": 9223372036854775807}').n, 2**63 - 1)

    def test_what_does_not_fit_is_told_with_its_place(self) -> None:
        cases = {
            '"x"': 'the options: "x" is no table',
            "[": "the options are no JSON",
            "{}": "path: it has to be given",
            '{"path": 1}': "path: 1 is not a text",
            '{"path": "x.txt"}': "path: .* does not fit the pattern",
            '{"path": "x.csv", "as": ""}': "as: 0 is out of bounds; it is at least 1",
            '{"path": "x.csv", "as_": "x"}': "as_: there is no such option; there are path, as, rows",
            '{"path": "x.csv", "rows": 11}': "rows: 11 is out of bounds; it is at least 0 and at most 10",
            '{"path": "x.csv", "rows": true}': "rows: true is not a whole number",
            '{"path": "x.csv", "rows": 1.5}': "rows: 1.5 is not a whole number",
            '{"path": "x.csv", "mode": "c"}': 'mode: "c" is none of "a", "b"',
            '{"path": "x.csv", "names": "a"}': 'names: "a" is no list',
            '{"path": "x.csv", "names": ["a", 1]}': r"names\[1\]: 1 is not a text",
            '{"path": "x.csv", "types": {"a": "b"}}': 'types.a: "b" is not a whole number',
            '{"path": "x.csv", "rules": [{}]}': r"rules\[0\].column: it has to be given",
            '{"path": "x.csv", "either": 1}': "either: 1 is of no type that it can be",
        }
        for text, message in cases.items():
            with self.subTest(text), self.assertRaisesRegex(Fault, f"invalid-config: {message}"):
                read(Options, text)
