"""Git, run with argument lists: never a shell of ours, never a token on disk or in an argument.

Only commands that go to GitLab are given the token, in their environment; git's credential helper,
which is asked for that address alone, takes it from there. No other helper is asked, so none keeps
it. Hooks of the clone do not run in these commands.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlsplit

from wardbook.errors import EnvironmentFault, Fault

LOCAL_SECONDS, NETWORK_SECONDS = 60.0, 180.0
_HELPER = (
    '!f() { test "$1" = get || exit 0; '
    "printf 'username=oauth2\\npassword=%s\\n' \"$WARDBOOK_GIT_TOKEN\"; }; f"
)
_QUIET = {"GIT_TERMINAL_PROMPT": "0", "GIT_ASKPASS": "", "SSH_ASKPASS": "", "LC_ALL": "C.UTF-8"}
_KEPT = ("GIT_SSL_", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")


class Trouble(StrEnum):
    """Why git failed; each has a message `bench.git_…`."""

    BRANCH_GONE = "branch_gone"
    PROJECT_GONE = "project_gone"
    SIGNED_OUT = "signed_out"
    FORBIDDEN = "forbidden"
    PROTECTED = "protected"
    DECLINED = "declined"
    OVERTAKEN = "overtaken"
    LOCKED = "locked"
    FULL = "full"
    BROKEN = "broken"
    UNREACHABLE = "unreachable"
    FAILED = "failed"


# Looked for in this order in what git says on stderr, in English.
_SIGNS = (
    (Trouble.BRANCH_GONE, r"couldn't find remote ref"),
    (Trouble.FULL, r"no space left on device|disk quota exceeded"),
    (Trouble.SIGNED_OUT, r"authentication failed|could not read (username|password)|access denied"),
    (Trouble.FORBIDDEN, r"returned error: 403|not allowed to push code to this project"),
    (Trouble.PROJECT_GONE, r"repository '.*' not found|returned error: 404"),
    (Trouble.PROTECTED, r"protected branch"),
    # Here, not at the server: what that says of its own locks begins with "remote:" or "!".
    (Trouble.LOCKED, r"(?m)^(?!remote:|\s*!).*\.lock': file exists"),
    (Trouble.OVERTAKEN, r"\[rejected\]|cannot lock ref|failed to update ref"),
    (Trouble.DECLINED, r"\[remote rejected\]"),
    (
        Trouble.BROKEN,
        r"bad (numeric |boolean )?config|not a git repository|object .* is corrupt"
        r"|must be run in a work tree|bad object|invalid (object|head|ref)",
    ),
    (
        Trouble.UNREACHABLE,
        r"could not resolve|failed to connect|couldn't connect|connection (refused|reset|timed out)"
        r"|timed out|returned error: (429|5..)|unable to access|empty reply|rpc failed|early eof"
        r"|hung up unexpectedly|transfer closed|too slow",
    ),
)


class GitFailed(Fault):
    """Git failed; `told` is the line of the server, or git's last; the file of a lock."""

    def __init__(self, command: str, trouble: Trouble, told: str = "") -> None:
        super().__init__(f"git {command} failed ({trouble}). Look at the clone with git status.")
        self.trouble, self.told = trouble, told


@dataclass(frozen=True)
class Git:
    """Git in one clone. `address` is the project's on GitLab, `token` opens it."""

    folder: Path
    address: str
    token: str

    def ask(
        self,
        *arguments: str,
        stdin: bytes = b"",
        extra: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (),
    ) -> bytes:
        """Run git without the network, and return what it printed; `fine` are ends that are good.

        Raises:
            GitFailed: it failed, or took too long.
        """
        environment = {**_environment(self.folder), **(extra or {})}
        done = _run(self.folder, list(arguments), environment, stdin, LOCAL_SECONDS)
        return done.require(fine)

    def answer(self, *arguments: str) -> str:
        """Return the line that git printed, or "" where it failed: for questions."""
        try:
            return os.fsdecode(self.ask(*arguments)).strip()
        except GitFailed:
            return ""

    def reach(self, *arguments: str) -> bytes:
        """Run git on GitLab, signed in.

        Raises:
            GitFailed: it failed, or took too long.
        """
        parts = urlsplit(self.address)
        own = f"credential.{parts.scheme}://{parts.netloc}.helper"
        settings = (
            "credential.helper=",
            f"{own}={_HELPER}",
            "core.hooksPath=/dev/null",
            "gc.auto=0",
        )
        options = [part for setting in settings for part in ("-c", setting)]
        environment = {**_environment(self.folder), "WARDBOOK_GIT_TOKEN": self.token}
        done = _run(self.folder, [*options, *arguments], environment, b"", NETWORK_SECONDS)
        return done.require()


def _environment(folder: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(_KEPT) or not name.startswith(("GIT_", "WARDBOOK_GITLAB_TOKEN"))
    }
    # A broken clone is not taken for a part of a repository that its folder may lie in.
    return kept | _QUIET | {"GIT_CEILING_DIRECTORIES": str(folder.parent)}


@dataclass(frozen=True)
class _Done:
    command: str
    code: int
    out: bytes
    said: bytes

    def require(self, fine: tuple[int, ...] = ()) -> bytes:
        if self.code not in (0, *fine):
            raise _judge(self.command, self.said.decode(errors="replace"))
        return self.out


def _run(
    folder: Path, arguments: list[str], environment: Mapping[str, str], stdin: bytes, seconds: float
) -> _Done:
    command = next((one for one in arguments if re.fullmatch(r"[a-z-]{3,}", one)), "")
    try:
        process = subprocess.Popen(
            ["git", *arguments],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise EnvironmentFault("git is not installed: apt-get install git") from None
    try:
        out, said = process.communicate(stdin, timeout=seconds)
    except subprocess.TimeoutExpired:
        # Asked to end, git takes its locks away.
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()
        raise GitFailed(command, Trouble.UNREACHABLE) from None
    return _Done(command, process.returncode, out, said)


def _judge(command: str, said: str) -> GitFailed:
    trouble = next(
        (one for one, sign in _SIGNS if re.search(sign, said, re.IGNORECASE)), Trouble.FAILED
    )
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    servers = [line[7:].strip() for line in lines if line.startswith("remote:")]
    told = next(filter(None, servers), lines[-1] if lines else "")
    lock = re.search(r"'([^']+\.lock)'", said)
    if trouble is Trouble.LOCKED and lock:
        told = lock[1]
    shown = "".join(letter if letter.isprintable() else " " for letter in told)
    return GitFailed(command, trouble, shown[:200])
