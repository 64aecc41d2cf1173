"""The thin shell over python-gnupg: private GnuPG homes, and what gpg's status lines said.

Nothing here decides. Every call runs in a short-named directory of ours, so that the paths of the
agent's sockets stay below the system's limit (108 bytes) however deep the unit's own home lies, and
so that no `gpg.conf` (`encrypt-to`, `default-recipient`) changes what we asked for.
"""

from __future__ import annotations

import os
import re
import resource
import select
import subprocess
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from wardbook.errors import EnvironmentFault
from wardbook.seal.scratch import ScratchFolder, sweep_scratch

OLDEST = (2, 2)
"""The first series of GnuPG with everything that we ask of it."""
_PATIENCE_SECONDS = 5
_FOREVER = "999999999"  # seconds: a preset passphrase lives as long as its agent, which is ours


class StatusLog:
    """All status lines of one gpg call, unjudged: python-gnupg's own summaries keep only the last.

    `has` and `values` look up a keyword of GnuPG's doc/DETAILS.
    """

    def __init__(self, gpg: Any) -> None:
        gpg.last_log = self  # python-gnupg drops the log when gpg ends before its input does
        self.lines: list[tuple[str, list[str]]] = []
        self.data = b""
        self.stderr = ""
        self.returncode: int | None = None
        self.on_data_failure: Exception | None = None

    def handle_status(self, keyword: str, value: str) -> None:
        """Keep one line; python-gnupg calls this."""
        self.lines.append((keyword, value.split()))

    def has(self, keyword: str) -> bool:
        """Return whether gpg said `keyword` at least once."""
        return any(word == keyword for word, _ in self.lines)

    def values(self, keyword: str) -> list[list[str]]:
        """Return the values of every line of that keyword, in order."""
        return [values for word, values in self.lines if word == keyword]


def open_gpg(home: Path, *, ring: Path | None = None, at: datetime | None = None) -> Any:
    """Return python-gnupg's client on `home`; it never starts an agent by itself.

    Args:
        home: the directory of agent sockets and throwaway files.
        ring: the file of public keys, when it is not the home's own.
        at: the time at which gpg judges expiry; the system's when not given.

    Raises:
        EnvironmentFault: there is no working gpg, or one before 2.2.
    """
    import gnupg

    options = ["--no-options", "--no-autostart", "--no-auto-key-locate"]
    if at is not None:
        # `at` is when a pass began: keys and signatures made since then are not wrong for it.
        options += ["--ignore-time-conflict", "--ignore-valid-from"]
        options += ["--faked-system-time", f"{int(at.timestamp())}!"]
    try:
        # Code page 437 gives every byte a printable character. With Latin-1 or UTF-8 python-gnupg
        # breaks lines at U+0085, so that a user ID holding that byte could forge status lines.
        gpg = gnupg.GPG(
            gnupghome=str(home),
            keyring=None if ring is None else [str(ring)],
            options=options,
            encoding="cp437",
        )
    except (OSError, ValueError) as error:
        raise EnvironmentFault(
            f"GnuPG did not start ({error}): install the Debian package gnupg (2.2 or newer)"
        ) from error
    if gpg.version[:2] < OLDEST:
        found = ".".join(map(str, gpg.version))
        raise EnvironmentFault(f"GnuPG {found} is too old: install GnuPG 2.2 or newer")
    gpg.result_map = gpg.result_map | dict.fromkeys(
        ("crypt", "sign", "verify", "import"), StatusLog
    )
    gpg.buffer_size = 1 << 20
    return gpg


def refuse_core_files() -> None:
    """Let no crash of this process or of those that it starts write memory to disk."""
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def foreign_text(text: str) -> str:
    """Return what a user ID says, from the bytes that `open_gpg` reads as code page 437."""
    return text.encode("cp437", "replace").decode("utf-8", "replace")


class SecretHome:
    """Our way into the unit's GnuPG home: its keys under a short path, with an agent of our own.

    Each instance has its own agent, so that one process which ends never takes the agent from
    another which is still signing. If this process is killed, the agent ends by itself.

    Args:
        home: the unit's GnuPG home.
        passphrase: unlocks the home's secret keys. It reaches the agent through a pipe, and is
            never an argument, in the environment, or in a file of ours.

    Raises:
        EnvironmentFault: others than its owner can read the home.
    """

    def __init__(self, home: Path, passphrase: str | None = None) -> None:
        refuse_core_files()
        sweep_scratch()
        self._passphrase = passphrase
        self.home = home.absolute()
        for folder in _own_folders(self.home):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.home.stat().st_mode & 0o077:
            raise EnvironmentFault(
                f"the GnuPG home {self.home} can be read by others: run chmod 700 on it"
            )
        self._scratch = ScratchFolder()
        self.path = self._scratch.path
        for folder in _own_folders(self.home)[1:]:
            (self.path / folder.name).symlink_to(folder)
        self.ring = self.home / "pubring.kbx"
        self._agent: subprocess.Popen[bytes] | None = None

    def start_agent(self) -> None:
        """Start the agent unless it runs; needed before anything that uses a secret key.

        Raises:
            EnvironmentFault: gpg-agent is missing or does not start.
        """
        if self._agent is not None:
            return
        # `gpg-agent --daemon COMMAND` lives as long as COMMAND, and this `cat` as long as we do;
        # so also a killed process leaves neither an agent nor our directory behind.
        # cat runs only once the sockets are bound, so its echo says that the agent is reachable.
        command = ["gpg-agent", "--homedir", str(self.path), "--no-options"]
        command += ["--allow-preset-passphrase", "--max-cache-ttl", _FOREVER, "--daemon"]
        command += ["sh", "-c", 'cat; rm -rf -- "$0"', str(self.path)]
        said = self.path / "agent.log"
        try:
            with said.open("wb") as log:
                agent = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log
                )
        except OSError as error:
            raise EnvironmentFault(
                f"gpg-agent did not start ({error}): install the Debian package gnupg"
            ) from error
        self._agent = agent
        with suppress(BrokenPipeError):
            _feed(agent, b"\n")
        if not agent.stdout or agent.stdout.read(1) != b"\n":
            words = said.read_text("utf-8", "replace").splitlines() if said.exists() else []
            self.close()
            raise EnvironmentFault(
                f"gpg-agent ended at once ({words[-1] if words else 'without a word'}): "
                "run `gpg-agent --daemon` to see whether it starts at all"
            )
        if self._passphrase is not None:
            self._unlock(self._passphrase)

    def _unlock(self, passphrase: str) -> None:
        """Tell the agent the passphrase of every secret key of the home."""
        keygrips = [file.stem for file in (self.home / "private-keys-v1.d").glob("*.key")]
        secret = passphrase.encode().hex().upper()
        commands = [f"PRESET_PASSPHRASE {keygrip} -1 {secret}\n" for keygrip in keygrips]
        done = subprocess.run(
            ["gpg-connect-agent", "--homedir", str(self.path), "--no-autostart"],
            input="".join(commands).encode(),
            check=False,
            capture_output=True,
        )
        if done.stdout.count(b"OK") < len(keygrips):
            raise EnvironmentFault(
                f"gpg-agent did not take the passphrase of the keys in {self.home}: see that "
                "gpg-agent is of the same version as gpg, and its own configuration allows it"
            )

    def close(self) -> None:
        """End the agent that we started and remove our short-named directory."""
        if self._agent is not None:
            _end_agent(self.path)
            self._agent.communicate()
            self._agent = None
        self._scratch.close()


def _end_agent(home: Path) -> None:
    """Tell the agent to end and wait until it has."""
    connect = ["gpg-connect-agent", "--homedir", str(home), "--no-autostart"]
    answer = subprocess.run([*connect, "getinfo pid", "/bye"], check=False, capture_output=True)
    pid = re.match(rb"D (\d+)", answer.stdout)
    if pid is None:  # it has ended already
        return
    with suppress(ProcessLookupError):
        process = os.pidfd_open(int(pid[1]))
        try:
            subprocess.run([*connect, "killagent", "/bye"], check=False, capture_output=True)
            select.select([process], [], [], _PATIENCE_SECONDS)
        finally:
            os.close(process)


def _own_folders(home: Path) -> list[Path]:
    return [home, home / "private-keys-v1.d", home / "openpgp-revocs.d"]


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin:
        process.stdin.write(data)
        process.stdin.flush()
