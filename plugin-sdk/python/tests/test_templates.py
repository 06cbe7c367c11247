"""The templates of `sluicebox plugin new`: filled in, their own tests pass."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

SDK = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEMPLATES = os.path.join(SDK, "template")
WORDS = {"{{name}}": "my-stage", "{{name_snake}}": "my_stage", "{{NamePascal}}": "MyStage"}


def filled_in(kind: str, target: str) -> None:
    """What `sluicebox plugin new my-stage` does with a template."""
    shutil.copytree(os.path.join(TEMPLATES, kind), target)
    for folder, _, names in os.walk(target):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, encoding="utf-8") as file:
                text = file.read()
            for word, meant in WORDS.items():
                text = text.replace(word, meant)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)


class TemplatesTest(unittest.TestCase):
    def test_they_pass_their_tests(self) -> None:
        self.assertEqual(sorted(os.listdir(TEMPLATES)), ["extract", "load", "transform", "validate"])
        for kind in os.listdir(TEMPLATES):
            with self.subTest(kind), tempfile.TemporaryDirectory() as folder:
                target = os.path.join(folder, kind)
                filled_in(kind, target)
                done = subprocess.run(
                    [sys.executable, "-W", "error", "-m", "unittest"],
                    cwd=target,
                    env={**os.environ, "PYTHONPATH": SDK, "PYTHONDONTWRITEBYTECODE": "1"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertRegex(done.stderr, r"Ran [1-9]\d* tests")
