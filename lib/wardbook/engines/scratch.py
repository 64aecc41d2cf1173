"""The part of a run's folder that an engine uses up: what a clean process lives in."""

from __future__ import annotations

import json
import os
import shutil
import site
import sys
from collections.abc import Mapping
from pathlib import Path

from wardbook.domain.run import RunSpec
from wardbook.engines.further_nodes import keep_of_job
from wardbook.notebook.session import RUN_VARIABLE
from wardbook.r import R_FOLDER

JOURNAL = Path("scratch", "journal.jsonl")
EXECUTED = Path("scratch", "executed.ipynb")
"""Where a worker writes the notebook while it executes it, and when all is done."""

_PASSED_ON = ("PATH", "LANG", "SHELL", "TZ")
THREAD_COUNTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "POLARS_MAX_THREADS",
)
_FOLDERS = ("home", "tmp", "ipython", "jupyter", "matplotlib")


def begin_afresh(folder: Path, user_cache: Path) -> Path:
    """Remove what a former attempt left, make the folders that a run needs, return the scratch."""
    discard_scratch(folder)
    shutil.rmtree(folder / "outputs", ignore_errors=True)
    for leftover in ("executed.ipynb", "log.txt"):
        (folder / leftover).unlink(missing_ok=True)
    (folder / "outputs").mkdir(mode=0o700)
    scratch = folder / "scratch"
    for name in _FOLDERS:
        (scratch / name).mkdir(parents=True, mode=0o700)
    describe_kernels(scratch / "jupyter" / "kernels")
    copy_fonts(user_cache, scratch / "matplotlib")
    return scratch


def copy_fonts(user_cache: Path, folder: Path) -> None:
    """Take the user's list of fonts, where it is: making one takes a quarter of a second."""
    for fonts in user_cache.glob("matplotlib/fontlist-*.json"):
        shutil.copy(fonts, folder)


def discard_scratch(folder: Path) -> None:
    """Remove the run's scratch folder."""
    shutil.rmtree(folder / "scratch", ignore_errors=True)


def build_environment(
    folder: Path, spec: RunSpec, parent: Mapping[str, str], where: Path
) -> dict[str, str]:
    """Return every environment variable that the run's processes see.

    Of `parent` only a few names are taken, none of which holds a secret. `where` is the directory
    that relative parts of the parent's PYTHONPATH are relative to.
    """
    scratch = folder / "scratch"
    environment = _pass_on(parent, where)
    environment |= dict.fromkeys(THREAD_COUNTS, str(spec.cpus))
    environment |= keep_of_job(spec, parent)
    environment |= {
        RUN_VARIABLE: str(folder),
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "IPYTHONDIR": str(scratch / "ipython"),
        "JUPYTER_PATH": str(scratch / "jupyter"),
        "JUPYTER_DATA_DIR": str(scratch / "jupyter"),
        "JUPYTER_RUNTIME_DIR": str(scratch / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(scratch / "jupyter"),
        "JPY_PARENT_PID": str(os.getpid()),  # by which libraries know a notebook
        "PYDEVD_USE_FRAME_EVAL": "NO",
        "MPLCONFIGDIR": str(scratch / "matplotlib"),
    }
    return environment


def environment_of_server(
    parent: Mapping[str, str], where: Path, user_cache: Path
) -> dict[str, str]:
    """Return every environment variable that the fork server sees; arguments as above."""
    return _pass_on(parent, where) | {
        "XDG_CACHE_HOME": str(user_cache),
        # pandas imports pyarrow, whose jemalloc starts a thread of its own; a server that forks has
        # one thread.
        "JE_ARROW_MALLOC_CONF": "background_thread:false",
    }


def _pass_on(parent: Mapping[str, str], where: Path) -> dict[str, str]:
    environment = {name: parent[name] for name in _PASSED_ON if name in parent}
    environment.setdefault("LANG", "C.UTF-8")
    if site.ENABLE_USER_SITE:  # packages installed for this user: found although HOME is another
        environment["PYTHONUSERBASE"] = site.getuserbase()
    if parent.get("PYTHONPATH"):
        parts = [str(where / part) for part in parent["PYTHONPATH"].split(os.pathsep)]
        environment["PYTHONPATH"] = os.pathsep.join(parts)
    return environment


def describe_kernels(folder: Path) -> None:
    """Describe the kernels of runs below `folder`, which is searched before any other."""
    # The kernel named python3 is this very interpreter, whatever else the machine has installed.
    launch = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    python = {
        "argv": [*launch, "--HistoryManager.enabled=False"],
        "display_name": "Python 3",
        "language": "python",
    }
    # R reads no profile, workspace or library folder of a user's, and speaks UTF-8 and English.
    start = "source(file.path(Sys.getenv('WARDBOOK_R'), 'kernel.R'))"
    r = {
        "argv": ["R", "--vanilla", "--slave", "-e", start, "--args", "{connection_file}"],
        "display_name": "R",
        "language": "R",
        "env": {
            "LC_ALL": "C.UTF-8",
            "R_LIBS_USER": "NULL",
            "WARDBOOK_PYTHON": sys.executable,
            "WARDBOOK_R": str(R_FOLDER),
        },
    }
    for name, description in (("python3", python), ("ir", r)):
        (folder / name).mkdir(parents=True)
        (folder / name / "kernel.json").write_text(json.dumps(description), encoding="utf-8")
