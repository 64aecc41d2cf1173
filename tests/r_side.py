"""Asking R's side of the library outside of a kernel: one R process for many questions."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from wardbook.r import R_FOLDER

LIB = R_FOLDER.parents[1]
PREAMBLE = """
for (file in c("wardbook.R", "csv.R", "delimited.R")) {
  sys.source(file.path(Sys.getenv("WARDBOOK_R"), file), envir = globalenv())
}
given <- if (nzchar(Sys.getenv("GIVEN"))) jsonlite::read_json(Sys.getenv("GIVEN"))
answer <- function(value) {
  json <- jsonlite::toJSON(value, auto_unbox = TRUE, digits = NA, null = "null", na = "null")
  writeBin(charToRaw(enc2utf8(as.character(json))), Sys.getenv("ANSWER"))
}
"""


@cache
def find_missing_r() -> str:
    """Return why the tests of R cannot run here, or nothing."""
    packages = ("IRkernel", "EpiEstim")
    if shutil.which("Rscript") is None:
        return "R is not installed (Debian package r-base-core)"
    ask = f"for (p in c{packages}) if (!nzchar(system.file(package = p))) cat(p, '')"
    told = subprocess.run(["Rscript", "--vanilla", "-e", ask], capture_output=True, text=True)
    return f"R lacks packages: {told.stdout}" if told.returncode or told.stdout else ""


def require_r() -> None:
    """Skip what asks for R where R or one of its packages is missing."""
    if missing := find_missing_r():
        pytest.skip(missing)


def ask_r(
    script: str,
    folder: Path,
    *,
    run: Path | None = None,
    given: Any = None,
    locale: str = "C.UTF-8",
) -> Any:
    """Run an R script that calls `answer(value)` once; return the value.

    The script finds `given` as a list. `run` is the run's folder that the library works in.
    """
    question = folder / "question.json"
    question.write_text(json.dumps(given, ensure_ascii=False), encoding="utf-8")
    (folder / "script.R").write_text(PREAMBLE + script, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": locale,
        "PYTHONPATH": str(LIB),
        "WARDBOOK_PYTHON": sys.executable,
        "WARDBOOK_R": str(R_FOLDER),
        "GIVEN": str(question),
        "ANSWER": str(folder / "answer.json"),
    }
    if run is not None:
        environment["WARDBOOK_RUN"] = str(run)
    subprocess.run(
        ["Rscript", "--vanilla", "script.R"], cwd=folder, env=environment, check=True, timeout=120
    )
    return json.loads((folder / "answer.json").read_text(encoding="utf-8"))
