"""What componentize-py makes a component of: `componentize-py ... componentize sluicebox.component`.

It imports the project's module `stage` and exports the stage that is registered there. All of it happens once, when the
component is built; each instance starts from the memory that is left then. So imports stand at the top of modules: when the
stage runs, there are no files to import from.
"""

from __future__ import annotations

import linecache
import logging
import sys
from typing import Any

# componentize-py mounts the project's folder as it is; no leftovers are to be put there.
sys.dont_write_bytecode = True

import stage  # type: ignore[import-not-found]  # noqa: E402
import wit_world.exports  # type: ignore[import-not-found]  # noqa: E402

from sluicebox import _calls  # noqa: E402
from sluicebox._plugin import registered  # noqa: E402
from sluicebox.report import LogHandler  # noqa: E402

_PLUGIN = registered()


class Plugin:
    """The interface `plugin`."""

    def describe(self) -> Any:
        return _calls.describe(_PLUGIN)


def _for(kind: str) -> Any:
    """componentize-py calls the class that the world asks for at every call of the host; the state is in one object."""
    calls = _calls.KINDS[kind](_PLUGIN)
    return lambda: calls


Extractor, Transformer, Validator, Loader = map(_for, _calls.KINDS)


def _check_kind() -> None:
    """The world that is built for has to be that of the stage's kind."""
    interfaces = {kind: calls.__name__ for kind, calls in _calls.KINDS.items()}
    world = [kind for kind, interface in interfaces.items() if hasattr(wit_world.exports, interface)]
    if _PLUGIN.kind not in world:
        raise TypeError(
            f"{_PLUGIN.stage.__name__} is of kind {_PLUGIN.kind}, but the component is built for {' and '.join(world)}: "
            "make the kind in plugin.toml that of the class"
        )


def _keep_sources() -> None:
    """Keeps the lines of the project's files, so that tracebacks show them: the files are gone when the stage runs."""
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None) or ""
        if path.endswith(".py") and not path.startswith(("/python/", "/bundled/", "/world/")):
            lines = linecache.getlines(path)
            # Without a time of change, nobody looks whether the file is still as it was.
            linecache.cache[path] = (len("".join(lines)), None, lines, path)


def _set_up_streams() -> None:
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True, errors="backslashreplace")
    # What is below a warning is told as well; the run's log has levels of its own.
    logging.basicConfig(level=logging.DEBUG, handlers=[LogHandler()], format="%(message)s")


_check_kind()
_keep_sources()
_set_up_streams()
assert stage
