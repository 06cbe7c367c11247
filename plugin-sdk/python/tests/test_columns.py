"""Every type on its way through a batch, and what is refused."""

import math
import unittest
from array import array
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum

from sluicebox import Batch, Column, Fault, Field, Schema, concat, testing

LONG = 2**63 - 1
VALUES = {
    "boolean": [True, None, False],
    "int8": [-128, None, 127],
    "int16": [-32768, None, 32767],
    "int32": [-(2**31), None, 2**31 - 1],
    "int64": [-(2**63), None, LONG],
    "uint8": [0, None, 255],
    "uint16": [0, None, 65535],
    "uint32": [0, None, 2**32 - 1],
    "uint64": [0, None, 2**64 - 1],
    "float32": [0.5, None, -math.inf],
    "float64": [0.1, None, 1e308],
    "utf8": ["", None, "a\u00e4\U0001f600\0"],
    "binary": [b"", None, b"\x00\xff"],
    "date32": [date(1, 1, 1), None, date(9999, 12, 31)],
    "timestamp": [datetime(1, 1, 1), None, datetime(9999, 12, 31, 23, 59, 59, 999999)],
    "decimal128": [Decimal("-99999999.99"), None, Decimal("0.01")],
}
SCHEMA = Schema(Field(name, name, detail="10,2" if name == "decimal128" else None) for name in VALUES)


def one(data_type: str, values: object, nullable: bool = True, detail: str | None = None) -> Batch:
    """A batch of one column `x`."""
    return Batch.from_columns([Field("x", data_type, nullable, detail)], [values])


class ColumnsTest(unittest.TestCase):
    def test_every_type_comes_back_as_it_went_in(self) -> None:
        batch = Batch.from_columns(SCHEMA, VALUES)
        self.assertEqual(batch.to_dict(), VALUES)
        self.assertEqual(batch.schema, SCHEMA)

    def test_every_form_of_every_type_makes_the_same_batch(self) -> None:
        batch = Batch.from_columns(SCHEMA, VALUES)
        for form in ("typed", "raw"):
            columns = [batch.column(name, form) for name in VALUES]
            self.assertEqual(Batch.from_columns(SCHEMA, columns, 3).to_dict(), VALUES)
        self.assertEqual(batch.column("utf8", "strings"), Column(VALUES["utf8"]))

    def test_batches_of_no_rows(self) -> None:
        batch = Batch.from_columns(SCHEMA, {name: [] for name in VALUES}, 0)
        self.assertEqual((batch.rows, len(batch), bool(batch)), (0, 0, True))
        self.assertEqual(batch.to_dict(), {name: [] for name in VALUES})

    def test_many_rows_over_the_edges_of_bytes(self) -> None:
        for rows in (1, 7, 8, 9, 63, 64, 65, 8193):
            values = [n % 3 == 0 if n % 5 else None for n in range(rows)]
            self.assertEqual(one("boolean", values)["x"], values)

    def test_arrays_bytes_and_ranges_cross(self) -> None:
        self.assertEqual(one("int64", array("q", [1, LONG]))["x"], [1, LONG])
        self.assertEqual(one("int64", memoryview(array("q", [1, 2])))["x"], [1, 2])
        self.assertEqual(one("int64", b"\1" + bytes(7))["x"], [1])
        self.assertEqual(one("int64", range(3))["x"], [0, 1, 2])
        self.assertEqual(one("float64", (n / 2 for n in range(3)))["x"], [0.0, 0.5, 1.0])

    def test_an_array_of_another_width_is_converted_not_misread(self) -> None:
        self.assertEqual(one("int64", array("i", [1, 2]))["x"], [1, 2])
        self.assertEqual(one("float64", array("q", [1, 2]))["x"], [1.0, 2.0])
        self.assertEqual(one("int64", array("B", range(8)))["x"], list(range(8)))

    def test_raw_is_a_view_of_the_type(self) -> None:
        batch = Batch.from_columns(SCHEMA, VALUES)
        self.assertEqual((batch.raw("int64").format, batch.raw("int64")[2]), ("q", LONG))
        self.assertEqual(batch.raw("date32").tolist()[0], -719162)
        self.assertEqual(bytes(batch.raw("utf8")), "a\u00e4\U0001f600\0".encode())

    def test_times_with_a_zone_are_in_utc(self) -> None:
        at = datetime(2013, 1, 1, 10, tzinfo=timezone.utc)
        batch = one("timestamp", [at, None], detail="America/New_York")
        self.assertEqual(batch["x"], [at, None])
        with self.assertRaisesRegex(Fault, r"in row 0 is no timestamp\(UTC\)"):
            one("timestamp", [datetime(2013, 1, 1)], detail="UTC")
        with self.assertRaisesRegex(Fault, "in row 0 is no timestamp"):
            one("timestamp", [at])

    def test_times_that_python_does_not_know_are_told_with_their_row(self) -> None:
        for data_type in ("timestamp", "date32"):
            batch = one(data_type, [0, None, 2**31 - 1 if data_type == "date32" else LONG])
            with self.assertRaisesRegex(Fault, "invalid-data.*raw.*row 2"):
                batch["x"]
            self.assertEqual(len(batch.raw("x")), 3)

    def test_decimals_are_exact_or_refused(self) -> None:
        wide = [Decimal("9" * 36 + ".99"), Decimal("-0.01")]
        self.assertEqual(one("decimal128", wide, detail="38,2")["x"], wide)
        self.assertEqual(one("decimal128", [7], detail="3,0")["x"], [7])
        for value in (Decimal("0.001"), Decimal(1000), Decimal("NaN"), Decimal("Infinity"), 0.5, "1"):
            with self.assertRaisesRegex(Fault, r"in row 1 is no decimal128\(3,1\)"):
                one("decimal128", [1, value], detail="3,1")

    def test_what_does_not_fit_is_told_with_its_row(self) -> None:
        cases = {
            "int64": [2**63, 1.5, "1"],
            "uint8": [-1, 256],
            "float64": ["1"],
            "boolean": [1, "yes"],
            "utf8": [1, b"x", "\ud800"],
            "binary": ["x", 1],
            "date32": [datetime(2013, 1, 1), "2013-01-01", True],
            "timestamp": [date(2013, 1, 1), 1.5],
        }
        for data_type, values in cases.items():
            for value in values:
                with self.subTest(data_type=data_type, value=value):
                    with self.assertRaisesRegex(Fault, f"column 'x' .*in row 1 is no {data_type}"):
                        one(data_type, [None, value])

    def test_what_is_no_column_at_all_is_refused(self) -> None:
        for values in ("text", 7, None, {"a": 1}, {1}):
            with self.assertRaisesRegex(Fault, "values are a list, an array or bytes"):
                one("utf8", values)
        with self.assertRaisesRegex(Fault, "give a list"):
            one("utf8", b"bytes")

    def test_words_of_an_enum_are_texts(self) -> None:
        class Word(str, Enum):
            YES = "yes"

        self.assertEqual(one("utf8", [Word.YES])["x"], ["yes"])

    def test_the_host_refuses_what_does_not_fit_together(self) -> None:
        number = Field("n", "int64", nullable=False)
        with self.assertRaisesRegex(Fault, "misused `from-columns`: column `n` has 2 rows, the batch has 3"):
            Batch.from_columns([number], [[1, 2]], rows=3)
        with self.assertRaisesRegex(Fault, "column `n` has 1 null, but its schema says that it has none"):
            Batch.from_columns([number], [[1, None]])
        with self.assertRaisesRegex(Fault, "the validity of column `n` has 2 bytes; for 1 rows there are 1"):
            Batch.from_columns([number], [Column([1], b"\1\1")])
        with self.assertRaisesRegex(Fault, "multiple of 8"):
            Batch.from_columns([number], [b"1234567"], rows=1)
        with self.assertRaisesRegex(Fault, "is not UTF-8"):
            Batch.from_columns([Field("t", "utf8")], [Column(b"\xff", None, [0, 1])])
        with self.assertRaisesRegex(Fault, "do not begin with 0, fall, or pass the end"):
            Batch.from_columns([Field("t", "utf8")], [Column(b"x", None, [0, 2])])
        with self.assertRaisesRegex(Fault, "made by `from-ipc`|made with Batch.from_ipc"):
            one("other", [[1]], detail="List(Int64)")


class BatchesTest(unittest.TestCase):
    def setUp(self) -> None:
        self.batch = testing.batch({"n": [1, 2, 3], "t": ["a", None, "c"]})

    def test_rows_are_picked(self) -> None:
        self.assertEqual(self.batch.filter([True, None, 1])["n"], [1, 3])
        self.assertEqual(self.batch.filter(b"\x02")["n"], [2])
        self.assertEqual(self.batch.take([2, 0, 2])["t"], ["c", "a", "c"])
        self.assertEqual(self.batch.slice(1)["n"], [2, 3])
        self.assertEqual(self.batch.slice(1, 1)["n"], [2])
        self.assertEqual(concat([self.batch, self.batch.slice(2)])["n"], [1, 2, 3, 3])

    def test_columns_are_picked_renamed_added_and_put_beside(self) -> None:
        self.assertEqual(self.batch.select(["t"]).schema.names, ["t"])
        self.assertEqual(self.batch.select({"t": "u", "n": "m"}).schema.names, ["u", "m"])
        self.assertEqual(self.batch.select([("n", "m"), "n"]).schema.names, ["m", "n"])
        added = self.batch.with_columns(
            [Field("n", "float64"), Field("new", "utf8")], {"new": ["x"] * 3, "n": [0.5] * 3}
        )
        self.assertEqual(added.schema.names, ["n", "t", "new"])
        self.assertEqual(added["n"], [0.5] * 3)
        self.assertEqual(self.batch.zip(self.batch.select({"n": "m"})).to_dicts()[0], {"n": 1, "t": "a", "m": 1})
        self.assertEqual(Batch.from_ipc(self.batch.to_ipc(["t"])).to_dict(), {"t": ["a", None, "c"]})

    def test_columns_of_other_types_are_carried(self) -> None:
        schema = [Field("n", "int64"), Field("l", "other", detail="List(Int64)")]
        batch = testing.batch({"n": [1, 2], "l": [[1], None]}, schema)
        self.assertEqual(batch.take([1, 0]).select(["l"]).zip(batch.select(["n"])).schema.names, ["l", "n"])
        with self.assertRaisesRegex(Fault, "a column of type List"):
            batch["l"]

    def test_what_is_not_there_is_told(self) -> None:
        cases = [
            (lambda: self.batch["x"], "no column 'x'; there are n int64, t utf8"),
            (lambda: self.batch.select("n"), r"give a list of columns: \['n'\]"),
            (lambda: self.batch.take([3]), "row 3 does not exist; the batch has 3 rows"),
            (lambda: self.batch.take([-1]), "a row is -1"),
            (lambda: self.batch.slice(2, 2), "rows 2 to 4 pass the end"),
            (lambda: self.batch.slice(-1, 1), "offset is -1"),
            (lambda: self.batch.filter(b""), "the mask has 0 bytes; for 3 rows there are 1"),
            (lambda: self.batch.filter("yes"), "a mask is a list of booleans or bytes"),
            (lambda: self.batch.strings("n"), "column 'n' is int64, not utf8"),
            (lambda: self.batch.column("n", "words"), "'words' is no form"),
            (lambda: self.batch.zip(self.batch.slice()), "two columns are named `n`"),
            (lambda: concat([]), "no batch to concatenate"),
            (
                lambda: self.batch.with_columns([Field("a", "int64")], {"b": [1]}),
                "without values: a; not in the schema: b",
            ),
            (lambda: Batch.from_columns([Field("a", "boolean")], [b"\1"]), "say how many rows there are"),
            (lambda: Field("a", "int"), "'int' is no data type; they are boolean, int8"),
            (lambda: Schema([Field("a", "int8")] * 2), "two columns are named 'a'"),
        ]
        for call, message in cases:
            with self.subTest(message), self.assertRaisesRegex(Fault, message):
                call()

    def test_a_batch_that_was_given_away_says_so(self) -> None:
        self.batch.drop()
        self.batch.drop()
        with self.assertRaisesRegex(Fault, "to keep one, keep batch.slice()"):
            self.batch["n"]
        self.assertIn("given away", repr(self.batch))

    def test_a_batch_is_not_looped_over(self) -> None:
        with self.assertRaises(TypeError):
            list(self.batch)
        self.assertIn("n", self.batch)
