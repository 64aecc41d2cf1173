"""Logs and tracebacks of the command line hold no identifier; loading the mask costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

START = """
import logging, sys, threading
from wardbook.identifiers.masking import install_masking
{install}
logging.basicConfig(level=logging.INFO, stream=sys.stderr)
log = logging.getLogger("any.library")
"""
SAY = """
log.info("one plain line of %s", "text")
log.warning("dossier %s, tél. 06 12 34 56 78", 8000000123)
log.info("a wrong format %d", "jean@free.fr")
try:
    raise ValueError("NIR 284077512345607")
except ValueError:
    log.exception("failed")
thread = threading.Thread(target=lambda: int("IPP 8000000123"))
thread.start(); thread.join()
raise RuntimeError("né le 12/03/1954")
"""
VALUES = ("8000000123", "06 12 34 56 78", "jean@free.fr", "284077512345607", "12/03/1954")


def call(root: Path, text: str) -> str:
    environ = os.environ | {"PYTHONPATH": str(root / "lib")}
    done = subprocess.run([sys.executable, "-c", text], env=environ, capture_output=True, text=True)
    return done.stderr + done.stdout


def test_no_record_and_no_traceback_holds_an_identifier(root: Path) -> None:
    told = call(root, START.format(install="install_masking(); install_masking()") + SAY)
    for value in VALUES:
        assert value not in told
    for kind in ("[ipp]", "[phone]", "[nir]", "[birth_date]"):
        assert kind in told
    assert "one plain line of text" in told
    assert "RuntimeError" in told and "ValueError" in told


def test_without_the_mask_all_of_it_would_be_told(root: Path) -> None:
    told = call(root, START.format(install="") + SAY)
    for value in VALUES:
        assert value in told


def test_the_mask_loads_no_search(root: Path) -> None:
    told = call(
        root,
        "import sys\nfrom wardbook.identifiers.masking import install_masking\ninstall_masking()\n"
        "print([m for m in sys.modules if m.startswith('wardbook.') and 'mask' not in m])",
    )
    assert told.strip() == "['wardbook.identifiers']"


def test_the_command_line_masks_from_its_start(root: Path) -> None:
    told = call(
        root,
        f"import sys; sys.path.insert(0, {str(root)!r}); sys.argv = ['wardbook', '--help']\n"
        "import atexit, logging\n"
        "atexit.register(lambda: logging.getLogger('x').error('IPP 8000000123'))\n"
        "from pipelines.cli.main import run\nrun()",
    )
    assert "[ipp]" in told and "8000000123" not in told
