"""A template that was just begun: its own tests judge it, in a process as an analyst starts it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from wardbook.template.beginning import begin_template


def run_tests(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null"]
    return subprocess.run(
        [*command, *options, "--rootdir", str(folder), str(folder)],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_its_tests_pass_and_find_a_wrong_count(tmp_path: Path) -> None:
    begun = begin_template("tube_breakage", tmp_path)
    made = run_tests(begun.folder)
    assert "3 passed" in made.stdout, made.stdout + made.stderr
    notebook = begun.folder / "notebook.ipynb"
    text = notebook.read_text(encoding="utf-8")
    assert ".nunique().reset_index" in text
    notebook.write_text(text.replace(".nunique().reset_index", ".count().reset_index", 1))
    assert "1 failed" in run_tests(begun.folder, "-k", "counted_once").stdout
