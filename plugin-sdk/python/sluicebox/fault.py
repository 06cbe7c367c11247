"""Why a stage could not do what it was asked."""

from __future__ import annotations

import errno
import os
from enum import Enum


class FaultKind(str, Enum):
    """What kind of failure it was; it tells the host whether trying again can help."""

    INVALID_CONFIG = "invalid-config"
    """the options do not fit: the author of the pipeline has to change the file"""
    INVALID_DATA = "invalid-data"
    """the data cannot be worked on"""
    DENIED = "denied"
    """something was needed that the stage was not granted"""
    UNAVAILABLE = "unavailable"
    """something outside does not answer now; the only kind that is worth trying again"""
    INTERNAL = "internal"
    """a mistake in the stage itself"""


class Fault(Exception):
    """Raise it to end a call with a message for people: what is wrong, where, and what to do instead.

    >>> raise Fault("invalid-data", "speed is negative", row=7)

    Any other exception that leaves a stage becomes a fault, too, with its traceback: an `OSError` of the kind that fits it,
    everything else `internal`.
    """

    def __init__(self, kind: FaultKind | str, message: str, row: int | None = None) -> None:
        """`row` is the first row at fault, counted from 0 within the batch of the call."""
        super().__init__(kind, message, row)
        self.kind = FaultKind(kind)
        self.message = str(message)
        self.row = row

    def __str__(self) -> str:
        at = "" if self.row is None else f" (row {self.row})"
        return f"{self.kind.value}: {self.message}{at}"


# WASI: the path is in no folder that was granted.
_NOT_CAPABLE = 76

# As in all SDKs: docs/plugins.md has the table.
_UNAVAILABLE = {
    getattr(errno, name)
    for name in (
        "EIO",
        "ETIMEDOUT",
        "EINTR",
        "EAGAIN",
        "EBUSY",
        "ENOSPC",
        "EDQUOT",
        "ECONNREFUSED",
        "ECONNRESET",
        "ECONNABORTED",
        "ENOTCONN",
        "EHOSTUNREACH",
        "ENETUNREACH",
        "ENETDOWN",
        "EPIPE",
    )
    if hasattr(errno, name)
}
_INVALID_CONFIG = {errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTEMPTY}


def _is_outside(path: object) -> bool:
    """Whether a path that is not there is in no granted folder: then what it begins with is not there either."""
    if not isinstance(path, str) or os.path.isdir("."):
        return False
    return not os.path.isdir(os.path.normpath(path).split(os.sep)[0] or os.sep)


def kind_of_os_error(error: OSError, *, wasi: bool) -> tuple[FaultKind, str]:
    """The kind that an `OSError` belongs to, and what to do about it."""
    number = error.errno
    if wasi and (number == _NOT_CAPABLE or (number == errno.ENOENT and _is_outside(error.filename))):
        return FaultKind.DENIED, (
            "; the path is in no folder that the stage was granted: add its folder to grants.read of the stage "
            "(or grants.write, to write)"
        )
    if number in (errno.EACCES, errno.EPERM):
        return FaultKind.DENIED, (
            "; add the folder to grants.read of the stage to read there, to grants.write to write there"
        )
    if number == errno.EROFS:
        return FaultKind.DENIED, "; add the folder to grants.write of the stage"
    if number == errno.ENOENT:
        # Without any granted folder, every path is one that is not there.
        return FaultKind.INVALID_CONFIG, "; a stage sees only the folders of its grants.read and grants.write"
    if number in _INVALID_CONFIG:
        return FaultKind.INVALID_CONFIG, ""
    if number in _UNAVAILABLE:
        return FaultKind.UNAVAILABLE, ""
    return FaultKind.INTERNAL, ""
