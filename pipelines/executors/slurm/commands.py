"""Slurm's commands: run with a time limit and without a shell, in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from wardbook.errors import EnvironmentFault, ForeignFault

TIMEOUT_SECONDS = 60.0
"""Slurm's own patience with a controller that does not answer is some 10 s for each try."""

_PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "SLURM_CONF")


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    status: int
    output: str
    errors: str

    @property
    def reason(self) -> str:
        """The last thing that it complained about, on one line and without the command's name."""
        lines = [line for line in self.errors.splitlines() if line.strip()]
        text = lines[-1].partition("error: ")[2] or lines[-1] if lines else "no reason was given"
        return "".join(c for c in text if c.isprintable())[:200]

    @property
    def went_unheard(self) -> bool:
        """Whether the controller, or the database, did not answer, or may have answered late."""
        return self.status != 0 and any(sign in self.errors for sign in _UNHEARD)


_UNHEARD = (
    "Unable to contact slurm controller",
    "Unable to contact the controller",
    "Socket timed out",
    "Connection refused",
    "Connection timed out",
    "Zero Bytes were transmitted or received",
    "Unexpected message received",
    "connect failure",
    "communication connection failure",
    "Communication connection failure",
    "Slurm backup controller in standby mode",
    "Unable to establish control machine address",
    "fetch_config: DNS SRV lookup failed",
    "Problem talking to the database",
    "slurmdbd: ",
    "Munge encode failed",
    "Protocol authentication error",
)
"""After these nothing is known about any job, and a submission may have arrived nonetheless."""


class SlurmCommands:
    """Runs Slurm's commands against one cluster.

    `conf` is the cluster's slurm.conf, or None to let Slurm find it. Of our environment only a
    few names are passed on: variables such as SBATCH_PARTITION or SQUEUE_FORMAT would change what
    a command does.
    """

    def __init__(self, conf: Path | None, environ: Mapping[str, str] = os.environ) -> None:
        self._environment = {name: environ[name] for name in _PASSED_ON if name in environ}
        # Moments as seconds since 1970, whatever the time zone of a machine.
        self._environment |= {"LC_ALL": "C.UTF-8", "SLURM_TIME_FORMAT": "%s"}
        if conf is not None:
            self._environment["SLURM_CONF"] = str(conf)

    def run(self, command: Sequence[str], handle: int | None = None) -> Answer:
        """Run a command and return what it said.

        Args:
            command: the program's name and its arguments.
            handle: an open file that the command's process is to hold as well.

        Raises:
            EnvironmentFault: this machine does not have the command.
            ForeignFault: it took too long; what it was to do may be done all the same.
        """
        try:
            done = subprocess.run(
                command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=TIMEOUT_SECONDS,
                pass_fds=() if handle is None else (handle,),
            )
        except FileNotFoundError:
            raise EnvironmentFault(
                f"{command[0]} is not installed here. Install Slurm's client commands, or choose "
                'kind = "dask" under [executor].'
            ) from None
        except subprocess.TimeoutExpired:
            raise ForeignFault(
                f"Slurm: {command[0]} did not answer within {TIMEOUT_SECONDS:.0f} s. Nothing is "
                "known of the runs now; the next pass looks again."
            ) from None
        return Answer(done.returncode, done.stdout, done.stderr)


def tell_silence(answer: Answer) -> ForeignFault:
    """Return what to raise when Slurm cannot be asked."""
    return ForeignFault(
        f"Slurm cannot be asked now ({answer.reason}). No run is given up and none is handed over "
        "meanwhile; the next pass looks again. If it lasts, try `scontrol ping`."
    )
