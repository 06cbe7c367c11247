"""What the README shows works."""

import os
import re
import sys
import types
import unittest

README = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "README.md")


class ReadmeTest(unittest.TestCase):
    def test_its_stage_does_what_its_test_says(self) -> None:
        with open(README, encoding="utf-8") as file:
            stage, test = re.findall(r"```python\n(.*?)```", file.read(), re.DOTALL)
        # Options are looked up by the name of their module.
        module = types.ModuleType("readme_stage")
        sys.modules["readme_stage"] = module
        self.addCleanup(sys.modules.pop, "readme_stage")
        exec(compile(stage, "README.md", "exec"), module.__dict__)
        exec(compile("from sluicebox import testing\n" + test, "README.md", "exec"), module.__dict__)
