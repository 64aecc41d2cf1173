"""Every error that Wardbook raises on purpose.

    WardbookError
    ├── Refusal             somebody can mend it: the requester, the analyst, the owner of a file
    │   ├── GateRefusal     a ticket that may not run as it stands
    │   ├── DataProblem     a data source that is not what its format promises
    │   └── SealRefusal     a key or a signature that must not be trusted
    └── Fault               ours or a server's: tried again, then shown to an operator
        ├── SettingsFault   wardbook.toml or the environment is wrong
        ├── ForeignFault    Jira, GitLab or another server failed or could not be reached
        └── EnvironmentFault  a program, a package or a right is missing on this machine

A refusal is an ordinary answer: other requests go on. No message may hold a value that was read
from a patient's data: errors about data carry names of files, columns and numbers of rows only.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any


class WardbookError(Exception):
    """Base of all; `str(error)` says what happened, where, and what to do next."""


class Refusal(WardbookError):
    """Something that a person can change and send again."""


class GateRefusal(Refusal):
    """A ticket that may not run as it stands."""


class SealRefusal(Refusal):
    """A key, signature or file that must not be trusted."""


class DataProblem(Refusal):
    """A data source that is not what its format promises.

    Args:
        code: name of a message of the catalogue, topic `data`, e.g. `columns_missing`.
        details: what the message needs: file name, 1-based row, column, what was expected.
            Only names, positions and expectations; never a value found in the data.
    """

    def __init__(self, code: str, **details: str | int) -> None:
        self.code = code
        self.details: Mapping[str, str | int] = details
        super().__init__(code, *details.values())

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(DataProblem, self.code, **self.details), ()

    def __str__(self) -> str:
        from wardbook.messages import say

        try:
            return say("en", f"data.{self.code}", **self.details)
        except KeyError:
            return self.code  # an error must be able to say itself, even when raised wrongly


class Fault(WardbookError):
    """Ours or a server's failure: nothing the requester can mend."""


class SettingsFault(Fault):
    """The settings are wrong; the message says what to write instead."""


class ForeignFault(Fault):
    """A server failed, refused our account or could not be reached.

    Args:
        message: what happened, where, and what to do next.
        status: the HTTP status it answered, where it answered.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class EnvironmentFault(Fault):
    """This machine lacks a program, a package or a right."""
