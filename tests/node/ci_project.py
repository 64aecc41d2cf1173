"""A copy of the project as it stands, whose CI jobs gitlab-ci-local runs in a shell."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

TOOLS = Path(__file__).parent
PROGRAM = TOOLS / "node_modules" / ".bin" / "gitlab-ci-local"
FILE = ".gitlab-ci.yml"
QUIET = ("--ignore-predefined-vars=CI_PIPELINE_SOURCE,CI_COMMIT_BRANCH",)
UNCHECKED = "--json-schema-validation=false"
"""GitLab's schema costs a second each time: one test holds the file to it for all others."""


def find_missing_programs() -> list[str]:
    return [name for name in ("node", "npm", "git", "rsync", "make") if not shutil.which(name)]


def install_tools() -> None:
    """Install what the lock file names, unless it stands already; one process at a time."""
    installed = TOOLS / "node_modules" / ".package-lock.json"
    wanted = TOOLS / "package-lock.json"
    with wanted.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if installed.exists() and installed.stat().st_mtime >= wanted.stat().st_mtime:
            return
        options = ("--ignore-scripts", "--no-audit", "--no-fund")
        subprocess.run(["npm", "ci", *options], cwd=TOOLS, check=True, timeout=240)


@dataclass(frozen=True)
class CiProject:
    """A git repository of its own, with an account's home beside it."""

    folder: Path
    home: Path

    @property
    def file(self) -> Path:
        return self.folder / FILE

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self) -> None:
        identity = ("-c", "user.name=Ana Lopes", "-c", "user.email=alopes@hopital.example")
        self.git("add", "--all")
        self.git(*identity, "commit", "--quiet", "--allow-empty", "--message", "Change")

    def switch(self, branch: str) -> None:
        """Stand on a new branch, of whatever name git allows."""
        self.git("branch", "--no-track", "--", branch)
        self.git("symbolic-ref", "HEAD", f"refs/heads/{branch}")

    def replace(self, old: str, new: str) -> None:
        """Change the CI's file; `old` must stand in it."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))

    def run(
        self,
        *arguments: str,
        variables: Mapping[str, str] | None = None,
        unset: Iterable[str] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run gitlab-ci-local; `variables` are the ones that GitLab or its settings would give."""
        options = [f"--variable={name}={value}" for name, value in (variables or {}).items()]
        options += [f"--unset-variable={name}" for name in unset]
        return subprocess.run(
            [PROGRAM, *arguments, "--force-shell-executor", *QUIET, *options],
            cwd=self.folder,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=200,
        )

    def list_jobs(
        self, variables: Mapping[str, str] | None = None, unset: Iterable[str] = ()
    ) -> set[str]:
        """Return the names of the jobs that a pipeline would have, but for `workflow`."""
        listed = self.run("--list-csv", UNCHECKED, variables=variables, unset=unset)
        assert listed.returncode == 0, listed.stderr
        lines = listed.stdout.splitlines()
        start = lines.index("name;description;stage;when;allowFailure;needs")
        return {line.split(";")[0] for line in lines[start + 1 :]}

    def artifacts(self, job: str) -> Path:
        return self.folder / ".gitlab-ci-local" / "artifacts" / job

    def _environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            # The code of this copy, whatever tree the environment was installed from.
            "PYTHONPATH": f"{self.folder / 'lib'}:{self.folder}",
            "MYPY_CACHE_DIR": str(TOOLS.parent.parent / ".mypy_cache"),
        }


def copy_project(root: Path, folder: Path) -> CiProject:
    """Commit the working tree as it stands, changes included, to a repository of its own."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    )
    project = CiProject(folder / "project", folder / "home")
    project.home.mkdir(parents=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).is_file():
            target = project.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / name, target)
    project.git("init", "--quiet", "--initial-branch=main")
    project.commit()
    return project


def clone_project(origin: CiProject, folder: Path) -> CiProject:
    """Clone it, with the running interpreter's environment as the installed one."""
    project = CiProject(folder / "project", folder / "home")
    project.home.mkdir()
    subprocess.run(["git", "clone", "--quiet", origin.folder, project.folder], check=True)
    address = "https://gitlab.hospital.example/unit/wardbook.git"
    project.git("remote", "set-url", "origin", address)
    environment = project.folder / ".venv"
    environment.mkdir()
    for entry in Path(sys.prefix).iterdir():
        if entry.name != ".ready":
            (environment / entry.name).symlink_to(entry)
    (environment / ".ready").touch()
    return project
