"""The wheel brings everything along: templates, pages, messages; it works outside the tree."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (root / "labextension").is_dir() and shutil.which("npm") is None:
        pytest.skip("the wheel holds the panel, and the Debian package npm is missing")
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder],
        cwd=root,
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    target = folder / "installed"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def call(installed: Path, cwd: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    # -I would drop PYTHONPATH; the working folder is empty, so only the wheel can be found.
    return subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *map(str, arguments)],
        cwd=cwd,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed), "HOME": str(cwd)},
        capture_output=True,
        text=True,
    )


def test_the_wheel_holds_what_is_not_code(installed: Path, root: Path) -> None:
    for room in ("templates", "site"):
        ours = {p.relative_to(root / room) for p in (root / room).rglob("*") if p.is_file()}
        ours = {path for path in ours if "__pycache__" not in path.parts}
        shipped = installed / "wardbook" / "shipped" / room
        assert ours <= {p.relative_to(shipped) for p in shipped.rglob("*")}
    assert (installed / "wardbook" / "r" / "kernel.R").is_file()
    panel = installed / "wardbook" / "shipped" / "labextension" / "wardbook-bench"
    told = json.loads((panel / "package.json").read_text())
    assert (panel / told["jupyterlab"]["_build"]["load"]).is_file()
    assert not (installed / "tests").exists()


def test_a_template_runs_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    listed = call(installed, tmp_path, "template", "list")
    assert listed.returncode == 0, listed.stderr
    assert "hospital_epidemic" in listed.stdout
    environ = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(installed), "HOME": str(tmp_path)}
    generate = [sys.executable, "-m", "wardbook.epidemic.generate", "--out", "data", "--seed", "1"]
    subprocess.run([*generate, "--days", "8"], cwd=tmp_path, env=environ, check=True)
    stock = next((tmp_path / "data").glob("*hosp*"))
    done = call(
        installed, tmp_path, "run", "hospital_epidemic", "--source", f"hospital={stock}", "--out",
        "results",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "results" / "report" / "index.html").is_file()
    assert (tmp_path / "results" / "france_daily.csv").is_file()
