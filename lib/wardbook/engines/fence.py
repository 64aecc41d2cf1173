"""Which files a notebook can reach: Linux's Landlock, which needs no privilege.

A process that is fenced, and every process that it starts, reads only below the folders that it
was given and writes only below those that it may write; it cannot look into processes outside its
fence or send them signals (landlock(7)). Where the kernel has no Landlock nothing is fenced:
`has_fence` tells.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1
_SCOPE_SIGNAL = 2
_PR_SET_NO_NEW_PRIVS = 38

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 2, 4, 8
_CHANGE_TREE = sum(1 << bit for bit in range(4, 13))  # remove and make entries of every kind
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_READ = _EXECUTE | _READ_FILE | _READ_DIR
_ONLY_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE

_libc = ctypes.CDLL(None, use_errno=True)


class _Ruleset(ctypes.Structure):
    _fields_ = (
        ("access_fs", ctypes.c_uint64),
        ("access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("access", ctypes.c_uint64), ("folder", ctypes.c_int32))


@cache
def _version() -> int:
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, 0, _VERSION)))


def has_fence() -> bool:
    """Tell whether this machine can fence processes."""
    return _version() > 0


def fence_in(readable: Iterable[Path], writable: Iterable[Path]) -> None:
    """Fence this thread, and whatever it starts, for good; paths that are missing are left out.

    Args:
        readable: files, and folders with all below them, to read and execute.
        writable: folders below which everything may be read, made, changed and removed.

    Raises:
        OSError: the kernel has Landlock and refuses it.
    """
    version = _version()
    if not version:
        return
    handled = _READ | _WRITE_FILE | _CHANGE_TREE
    handled |= _REFER if version >= 2 else 0
    handled |= _TRUNCATE if version >= 3 else 0
    rules = _Ruleset(handled, 0, _SCOPE_SIGNAL if version >= 6 else 0)
    # Older kernels know a shorter structure, and take only what they know.
    size = 8 if version < 4 else 16 if version < 6 else ctypes.sizeof(rules)
    ruleset = _call(_CREATE_RULESET, ctypes.byref(rules), size, 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ)
        for path in writable:
            _allow(ruleset, path, handled)
        if _libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "no_new_privs")
        _call(_RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: Path, access: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(handle).st_mode):
            access &= _ONLY_FILES
        rule = _Beneath(access, handle)
        _call(_ADD_RULE, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(handle)


def _call(number: int, *arguments: object) -> int:
    result = int(_libc.syscall(number, *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"landlock, system call {number}")
    return result
