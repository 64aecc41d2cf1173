"""The reference: stock papermill with stock kernels, in processes that know nothing of Wardbook.

Run as a program, this file executes the notebooks that it is told on its standard input, one after
the other, each in a folder of its own; it imports nothing but the standard library and papermill.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import traceback
from pathlib import Path
from typing import Any

_ENDED = "ended"
_FAILED = "failed"
_DIED = "died"
_BROKEN = "broken"
_STUCK = "stuck"


class Reference:
    """A process that executes notebooks with papermill, one at a time; close it at the end."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._fonts = tempfile.TemporaryDirectory(prefix="reference-")
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_build_environment(Path(self._fonts.name)),
            text=True,
        )

    def execute(self, folder: Path, kernel: str) -> str:
        """Execute `notebook.ipynb` of `folder` into `executed.ipynb`; return how it ended.

        That is "ended", "failed" in a cell, "died" with its kernel, or "broken" where papermill
        itself gave up, for reasons that are in `log.txt` of the folder.
        The kernel starts in `home` of that folder, which is also its HOME.
        """
        request = json.dumps({"folder": str(folder), "kernel": kernel})
        assert self._process.stdin
        assert self._process.stdout
        with self._guard:
            self._process.stdin.write(request + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        return str(answer["outcome"])

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._fonts.cleanup()


def _build_environment(fonts: Path) -> dict[str, str]:
    # Not all of ours: tests that ran before in this process have left words of their own in it.
    names = ("PATH", "LANG", "SHELL", "TZ", "PYTHONPATH")
    environment = {name: os.environ[name] for name in names if name in os.environ}
    environment.setdefault("LANG", "C.UTF-8")
    # As every notebook gets a new HOME, matplotlib would list the machine's fonts each time.
    for file in Path.home().glob(".cache/matplotlib/fontlist-*.json"):
        shutil.copy(file, fonts)
    environment["MPLCONFIGDIR"] = str(fonts)
    if environment.get("PYTHONPATH"):
        parts = [str(Path(part).absolute()) for part in environment["PYTHONPATH"].split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(parts)
    return environment


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # kernels and libraries may print
    for line in sys.stdin:
        request = json.loads(line)
        outcome = _STUCK
        while outcome == _STUCK:
            outcome = _execute(Path(request["folder"]), request["kernel"])
        answers.write(json.dumps({"outcome": outcome}) + "\n")
        answers.flush()


def _execute(folder: Path, kernel: str) -> str:
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook

    shutil.rmtree(folder / "home", ignore_errors=True)  # of a try that got stuck
    (folder / "home").mkdir()
    os.environ["HOME"] = str(folder / "home")
    os.environ["IPYTHONDIR"] = str(folder / "ipython")
    os.chdir(folder / "home")
    arguments: dict[str, Any] = {
        "kernel_name": kernel,
        "progress_bar": False,
        "start_timeout": 20,
        "execution_timeout": 6,
        # Without asking: some kernels take seconds to leave, when all cells have long been done.
        "shutdown_kernel": "immediate",
    }
    with (folder / "log.txt").open("w") as log:
        kept = os.dup(2)
        os.dup2(log.fileno(), 2)
        os.dup2(log.fileno(), 1)
        try:
            execute_notebook("../notebook.ipynb", "../executed.ipynb", **arguments)
        except PapermillExecutionError:
            return _FAILED
        except DeadKernelError:
            return _DIED
        except (CellTimeoutError, RuntimeError):
            # Two kernels that start at once may choose the same port: one does not come up, or its
            # answers go to the other.
            traceback.print_exc(file=log)
            return _STUCK
        except Exception:  # whatever it was, the engine is held against it
            traceback.print_exc(file=log)
            return _BROKEN
        finally:
            os.dup2(kept, 2)
            os.dup2(kept, 1)
            os.close(kept)
    return _ENDED


if __name__ == "__main__":
    _serve()
