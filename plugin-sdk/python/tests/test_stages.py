"""Stages as the host calls them: answers, faults, and what is said on the way."""

import errno
import logging
import unittest
from collections.abc import Iterator
from typing import Any

import sluicebox
from sluicebox import (
    BadRecord,
    Batch,
    Extract,
    Fault,
    Field,
    Finding,
    Input,
    Outcome,
    Page,
    PerCent,
    Rule,
    Schema,
    Transform,
    Validate,
    plugin,
    testing,
)
from sluicebox._calls import fault_of
from sluicebox.report import LogHandler

NUMBERS = testing.batch({"n": [1, 2, 3]})


def passing(process: Any, finish: Any = None) -> type:
    """A transform of its input's schema."""

    @plugin("passing", summary="For tests")
    class Passing(Transform):
        def open(self, inputs: list[Input]) -> Schema:
            return inputs[0].schema

        def process(self, input: int, batch: Batch) -> Any:
            return process(self, batch)

        def finish(self) -> Any:
            return finish(self) if finish else None

    return Passing


class TransformTest(unittest.TestCase):
    def rows(self, *arguments: Any) -> list[list[int]]:
        return [batch["n"] for batch in testing.transform(passing(*arguments), None, [NUMBERS, NUMBERS.slice(2)])]

    def test_it_answers_with_none_one_or_several_batches(self) -> None:
        self.assertEqual(self.rows(lambda _, batch: batch), [[1, 2, 3], [3]])
        self.assertEqual(self.rows(lambda _, batch: None), [])
        self.assertEqual(self.rows(lambda _, batch: [batch, batch.slice(1)]), [[1, 2, 3], [2, 3], [3], []])
        self.assertEqual(self.rows(lambda _, batch: (batch.slice(n, 1) for n in range(1))), [[1], [3]])

    def test_the_same_batch_may_be_answered_twice(self) -> None:
        self.assertEqual(self.rows(lambda _, batch: [batch, batch]), [[1, 2, 3]] * 2 + [[3]] * 2)

    def test_what_is_kept_comes_out_at_the_end_one_by_one(self) -> None:
        made = []

        def process(stage: Any, batch: Batch) -> None:
            stage.kept = [*getattr(stage, "kept", []), batch]

        def finish(stage: Any) -> Iterator[Batch]:
            for batch in stage.kept:
                made.append(batch)
                yield batch

        self.assertEqual(self.rows(process, finish), [[1, 2, 3], [3]])
        self.assertEqual(len(made), 2)
        self.assertEqual(self.rows(process, lambda stage: stage.kept[0]), [[1, 2, 3]])

    def test_answers_that_are_none_are_told(self) -> None:
        for answer, message in (
            (7, "process answers with a batch"),
            ([7], "process answers with batches, not 7"),
            ("x", "not 'x'"),
        ):
            with self.assertRaisesRegex(Fault, f"internal: .*{message}"):
                self.rows(lambda _, batch, answer=answer: answer)

    def test_a_batch_is_given_once(self) -> None:
        def process(stage: Any, batch: Batch) -> Batch:
            stage.first = getattr(stage, "first", batch)
            return stage.first

        with self.assertRaisesRegex(Fault, "this batch was given to the host before"):
            self.rows(process)

    def test_inputs_come_as_the_host_gives_them(self) -> None:
        seen = []

        @plugin("seen", summary="For tests")
        class Seen(Transform):
            def open(self, inputs: list[Input]) -> Schema:
                seen.append([it.name for it in inputs])
                return inputs[0].schema

            def process(self, input: int, batch: Batch) -> None:
                seen.append(input)

        testing.transform(Seen, None, NUMBERS, ("table", [NUMBERS, NUMBERS]))
        self.assertEqual(seen, [["input-0", "table"], 1, 1, 0])

    def test_a_batch_of_another_schema_is_found_by_the_test(self) -> None:
        with self.assertRaisesRegex(AssertionError, "open answered with the schema n int64, but a batch has m int64"):
            self.rows(lambda _, batch: batch.select({"n": "m"}))


class FaultTest(unittest.TestCase):
    def fault(self, error: BaseException) -> Fault:
        def process(stage: Any, batch: Batch) -> None:
            raise error

        with self.assertRaises(Fault) as caught:
            testing.transform(passing(process), None, NUMBERS)
        return caught.exception

    def test_a_fault_stays_as_it_is(self) -> None:
        fault = self.fault(Fault("unavailable", "not now", 7))
        self.assertEqual((fault.kind.value, fault.message, fault.row), ("unavailable", "not now", 7))

    def test_any_other_exception_is_told_with_its_traceback(self) -> None:
        for error in (ValueError("no number"), KeyError("x"), SystemExit(3), KeyboardInterrupt(), MemoryError()):
            fault = self.fault(error)
            self.assertEqual(fault.kind.value, "internal")
            self.assertIn(type(error).__name__, fault.message.splitlines()[0])
            self.assertIn("in process", fault.message)
            self.assertNotIn("_calls.py", fault.message)

    def test_a_cause_is_told(self) -> None:
        def process(stage: Any, batch: Batch) -> None:
            try:
                raise ValueError("first")
            except ValueError as error:
                raise RuntimeError("second") from error

        with self.assertRaisesRegex(Fault, "(?s)RuntimeError: second.*ValueError: first.*direct cause"):
            testing.transform(passing(process), None, NUMBERS)

    def test_a_long_traceback_keeps_its_ends(self) -> None:
        fault = self.fault(ValueError("x" * 100_000))
        self.assertLess(len(fault.message), 16 * 1024)
        self.assertTrue(fault.message.startswith("ValueError: xxx"))

    def test_endless_recursion_is_a_fault(self) -> None:
        def endless(stage: Any, batch: Batch) -> None:
            endless(stage, batch)

        with self.assertRaisesRegex(Fault, "internal: RecursionError"):
            testing.transform(passing(endless), None, NUMBERS)

    def test_errors_of_files_are_of_the_kind_that_fits(self) -> None:
        kinds = {
            "invalid-config": "ENOENT EISDIR ENOTDIR ENAMETOOLONG EEXIST ENOTEMPTY",
            "denied": "EACCES EPERM EROFS",
            "unavailable": "EIO ENOSPC EDQUOT EBUSY EAGAIN EINTR ETIMEDOUT ECONNREFUSED ECONNRESET ECONNABORTED ENOTCONN "
            "EHOSTUNREACH ENETUNREACH ENETDOWN EPIPE",
            "internal": "EXDEV EINVAL",
        }
        for kind, names in kinds.items():
            for name in names.split():
                with self.subTest(name):
                    self.assertEqual(fault_of(OSError(getattr(errno, name), "told", "x.csv")).kind.value, kind)
        self.assertIn("x.csv", fault_of(OSError(errno.ENOENT, "told", "x.csv")).message)

    def test_errors_of_files_are_told_with_their_traceback(self) -> None:
        for number, hint in ((errno.ENOENT, "grants.read"), (errno.ETIMEDOUT, "told: 'x.csv'")):
            fault = self.fault(OSError(number, "told", "x.csv"))
            self.assertIn("x.csv", fault.message.splitlines()[0])
            self.assertIn(hint, fault.message.splitlines()[0])
            self.assertIn("in process", fault.message)
            self.assertNotIn("_calls.py", fault.message)

    def test_half_of_a_surrogate_pair_can_be_told(self) -> None:
        self.assertEqual(self.fault(Fault("invalid-data", "\ud800")).message, "\\ud800")

    def test_options_that_do_not_fit_are_a_fault(self) -> None:
        with self.assertRaisesRegex(Fault, "invalid-config: x: there is no such option; there are none"):
            testing.transform(passing(lambda _, batch: batch), {"x": 1}, NUMBERS)


class ExtractTest(unittest.TestCase):
    def extract(self, *pages: Any) -> list[Page]:
        @plugin("pages", summary="For tests")
        class Pages(Extract):
            def open(self, bookmark: str | None) -> Schema:
                return NUMBERS.schema

            def pages(self) -> Iterator[Any]:
                return iter(pages)

        return testing.extract(Pages)

    def test_pages_and_batches_are_pages(self) -> None:
        first, second = self.extract(Page(NUMBERS.slice(), "3", 0.5), NUMBERS.slice(1))
        self.assertEqual((first.bookmark, first.progress, first.batch["n"]), ("3", 0.5, [1, 2, 3]))
        self.assertEqual((second.bookmark, second.progress, second.batch["n"]), (None, None, [2, 3]))

    def test_anything_else_is_told(self) -> None:
        with self.assertRaisesRegex(Fault, "pages yields pages and batches, not 'x'"):
            self.extract("x")


class ValidateTest(unittest.TestCase):
    def validate(self, rules: Any, findings: Any, outcomes: Any = None) -> testing.Checked:
        @plugin("rules", summary="For tests")
        class Rules(Validate):
            def open(self, schema: Schema) -> Any:
                return rules

            def check(self, batch: Batch) -> Any:
                self.lent = getattr(self, "lent", batch)
                len(self.lent)
                return findings

            def finish(self) -> Any:
                return outcomes

        return testing.validate(Rules, None, NUMBERS, NUMBERS.slice(1))

    def test_findings_and_bounds(self) -> None:
        rules = [Rule("a", "a", "warn", 2), Rule("b", "b", at_most=PerCent(5)), Rule("c", "c", "fail")]
        checked = self.validate(rules, None, [Outcome(2, False, "0 rows")])
        self.assertEqual(
            [(it.severity.name, it.at_most and it.at_most.value) for it in checked.rules],
            [("WARN", 2), ("REJECT", 5.0), ("FAIL", None)],
        )
        self.assertFalse(checked.outcomes["c"].holds)

    def test_mistakes_are_told(self) -> None:
        cases = [
            ([Rule("a", "a", "stop")], None, "'stop' is none of warn, reject, fail"),
            ([Rule("a", "a", at_most=-1)], None, "at_most is a number of rows or PerCent"),
            ([Rule("a", "a", at_most=5.0)], None, "at_most is a number of rows or PerCent"),
            (["a"], None, "open answers with rules, not 'a'"),
            ([Rule("a", "a")], [Finding(1, b"\0")], "there is no rule 1; open answered with 1"),
            ([Rule("a", "a")], [Finding(0, 7)], "a mask is a list of booleans or bytes, not 7"),
            ([Rule("a", "a")], 7, "check answers with findings"),
        ]
        for rules, findings, message in cases:
            with self.subTest(message), self.assertRaisesRegex(Fault, message):
                self.validate(rules, findings)


class SaidTest(unittest.TestCase):
    def test_what_is_said_is_kept_for_the_test(self) -> None:
        testing.said()
        sluicebox.log("info", "one")
        sluicebox.report.warn("two")
        sluicebox.count("seen", 3)
        sluicebox.count("seen", 4)
        sluicebox.quarantine(BadRecord("here:1", "x,y", "not right"))
        said = testing.said()
        self.assertEqual(said.log, [("info", "one"), ("warn", "two")])
        self.assertEqual(said.counters, {"seen": 7})
        self.assertEqual(said.quarantined, [BadRecord("here:1", "x,y", "not right")])
        self.assertEqual(testing.said(), testing.Said())

    def test_records_of_logging_have_their_levels(self) -> None:
        logger = logging.Logger("test")
        logger.addHandler(LogHandler())
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            logger.log(level, "%s", level)
        levels = [level for level, _ in testing.said().log]
        self.assertEqual(levels, ["debug", "info", "warn", "error", "error"])

    def test_mistakes_are_told(self) -> None:
        with self.assertRaisesRegex(Fault, "'loud' is no level"):
            sluicebox.log("loud", "x")
        with self.assertRaisesRegex(Fault, "goes up by whole numbers"):
            sluicebox.count("x", -1)


class PluginTest(unittest.TestCase):
    def test_what_a_plugin_says_of_itself(self) -> None:
        @plugin("a-name", summary="Sums up", version="1.2.3", stateless=True, capabilities=["read-files", "clock"])
        class Named(Transform):
            def open(self, inputs: list[Input]) -> Schema:
                return Schema()

            def process(self, input: int, batch: Batch) -> None: ...

        said = testing.describe(Named)
        self.assertEqual((said["name"], said["version"], said["kind"]), ("a-name", "1.2.3", "transform"))
        self.assertEqual(said["capabilities"], ["read-files", "clock"])
        self.assertIs(said["stateless"], True)
        self.assertEqual(said["config-schema"]["properties"], {})

    def test_mistakes_are_told_as_the_plugin_is_made(self) -> None:
        with self.assertRaisesRegex(TypeError, "not 'A Name'"):
            plugin("A Name", summary="")
        with self.assertRaisesRegex(TypeError, "capabilities are a list of read-files"):
            plugin("a", summary="", capabilities=["files"])
        with self.assertRaisesRegex(TypeError, "subclasses none of Extract"):
            plugin("a", summary="")(object)
        with self.assertRaisesRegex(TypeError, "Half is without process"):

            @plugin("a", summary="")
            class Half(Transform):
                def open(self, inputs: list[Input]) -> Schema:
                    return Schema()

    def test_the_context_is_there_from_open_on(self) -> None:
        stages = []
        testing.transform(passing(lambda stage, _: stages.append(stage.context.pipeline)), None, NUMBERS)
        self.assertEqual(stages, ["test"])
