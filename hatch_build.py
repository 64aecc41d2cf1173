"""Puts the bench's panel for JupyterLab into a wheel, built with npm where that was not done yet.

An editable installation needs neither node nor the panel: `make panel` builds it in the tree.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("src", "style", "build.mjs", "package.json", "package-lock.json", "tsconfig.json")
BUILT = "labextension/wardbook-bench/package.json"


class PanelHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds what the wheel ships as `wardbook/shipped/labextension`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the panel unless it is there and newer than its sources.

        Raises:
            RuntimeError: npm is missing, or it fails.
        """
        if version == "editable":
            return
        root = Path(self.root)
        if not is_current(root):
            build(root / "lab")
        build_data["force_include"][str(root / "labextension")] = "wardbook/shipped/labextension"


def is_current(root: Path) -> bool:
    """Tell whether the built panel is newer than all that it is made of."""
    built = root / BUILT
    if not built.is_file():
        return False
    parts = [root / "lab" / name for name in SOURCES]
    files = [file for part in parts for file in (part.rglob("*") if part.is_dir() else [part])]
    return built.stat().st_mtime >= max(file.stat().st_mtime for file in files)


def build(lab: Path) -> None:
    """Build the panel.

    Raises:
        RuntimeError: npm is missing, or it fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimeError(
            "The bench's panel for JupyterLab is not built, and npm is missing. Install node 18 or "
            "later with npm (Debian: apt install npm), or build it elsewhere with `make panel` and "
            "bring the folder labextension here."
        )
    for command in (["ci", "--loglevel=error", "--ignore-scripts"], ["run", "--silent", "build"]):
        done = subprocess.run([npm, *command], cwd=lab, check=False)
        if done.returncode:
            raise RuntimeError(f"The bench's panel was not built: npm {command[0]} failed.")
