"""Who runs this process, as the operating system knows them."""

from __future__ import annotations

import os
import pwd
import socket
from dataclasses import dataclass
from pathlib import Path

from wardbook.audit.entry import Fact

_NOBODY = 2**32 - 1


@dataclass(frozen=True)
class Act:
    """A command that may change something, and the account that runs it."""

    command: str
    account: str
    login: str
    host: str

    @classmethod
    def of(cls, command: str) -> Act:
        """Return the act of this process."""
        return cls(command, os_account(), os_login(), socket.gethostname())

    def fact(self, at: str) -> Fact:
        """Return what the log says of it; `at` is when it first changed something."""
        details = {"command": self.command, "login": self.login, "host": self.host}
        return Fact(at, self.account, "command.run", "", details)


def os_account() -> str:
    """Return the account of this process. LOGNAME and USER are not asked: anybody may set them."""
    return _name_of(os.getuid())


def os_login() -> str:
    """Return the account that logged in, also behind sudo; the process's where nobody did."""
    try:
        number = int(Path("/proc/self/loginuid").read_text(encoding="ascii"))
    except (OSError, ValueError):
        number = _NOBODY
    return _name_of(os.getuid() if number == _NOBODY else number)


def _name_of(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"
