"""A pytest plugin: after every test, no canary may be outside the secure side.

Looked at after each test: what it wrote under its temporary folders, what was captured of its
output and logs, and its PostgreSQL ledger. At the end of the session: whatever changed since, and
what was left in the machine's temporary folder. Objects of git and archives are opened.

Secure are `state` (runs, keys, ledger's files aside), `data` (the sources), `people` (what is on
requesters' own machines), a run's folder (it holds `spec.json`), and what a test names itself:

    @pytest.mark.secure("stays.csv")   # patterns of paths below the temporary folder, "*" for all
"""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import tempfile
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from wardbook.hospital.canaries import MARKS

SECURE_FOLDERS = frozenset({"state", "data", "people"})
LEDGER = "ledger.db"
"""The ledger stands within `state`, but its records are told on tickets: it is looked at."""

NEEDLES = (
    # Whole words, numbers without gaps and days: quick to look for in every byte that is written.
    *(mark.encode() for mark in MARKS if not any(gap in mark for gap in " .-\u00a0")),
    *(mark.encode() for mark in MARKS if mark[:4].isdigit() and mark[4:5] == "-"),
    *(b"canari.invalid", b"hirond\x9cil"),
)
_FRACTION = re.compile(rb"[0-9]\.[0-9]*\Z")
LARGEST = 64 * 1024 * 1024


def holds_canary(content: bytes) -> bool:
    """Whether something of a canary is in these bytes."""
    lower = content.lower()
    return any(needle in lower and _is_whole(needle, lower) for needle in NEEDLES)


def _is_whole(needle: bytes, content: bytes) -> bool:
    """Whether it stands somewhere as more than digits of a fraction, as 38.998999999999995 has."""
    return not needle.isdigit() or any(
        not _FRACTION.search(content, max(0, found.start() - 20), found.start())
        for found in re.finditer(needle, content)
    )


class CanaryWatch:
    """What was looked at already, and what was found."""

    def __init__(self) -> None:
        self.folders: dict[Path, tuple[str, ...]] = {}
        self.fresh: list[Path] = []
        self.looked: set[Path] = set()
        self.module = ""
        self.seen: dict[str, tuple[int, int]] = {}
        self.late: list[str] = []
        self.before = set(_list_temporary())

    def note(self, folder: Path) -> None:
        self.folders[folder] = ()
        self.fresh.append(folder)

    def look(self, item: pytest.Item) -> Iterator[str]:
        """Yield where this test, or a fixture that it used, let a canary out."""
        allowed = _read_allowed(item)
        module = item.nodeid.partition("::")[0]
        if module != self.module:
            # What a wider fixture of an earlier module writes now is found by the last sweep.
            self.module, self.fresh = module, [f for f in self.fresh if f not in self.looked]
        for folder in self.fresh:
            # The folder of a wider fixture is allowed what any test that uses it is.
            self.folders[folder] = tuple(dict.fromkeys((*self.folders[folder], *allowed)))
            self.looked.add(folder)
            yield from self._look_into(folder, self.folders[folder])
        own = item.funcargs.get("tmp_path") if hasattr(item, "funcargs") else None
        self.fresh = [folder for folder in self.fresh if folder != own]

    def sweep(self) -> None:
        """Look at what changed after its test, and at what was left in the temporary folder."""
        for folder, allowed in self.folders.items():
            self.late += self._look_into(folder, allowed)
        for left in set(_list_temporary()) - self.before:
            if not left.name.startswith("pytest-of-"):
                self.late += self._look_into(left, ())

    def _look_into(self, folder: Path, allowed: tuple[str, ...]) -> Iterator[str]:
        if "*" in allowed:
            return
        for path, size, changed in _walk(folder):
            if self.seen.get(path) == (size, changed) or size == 0:
                continue
            self.seen[path] = (size, changed)
            below = os.path.relpath(path, folder)
            if Path(path).name.partition(".")[0] == "canaries":
                continue  # where they are defined: an installed copy of the library
            if _is_secure(below, path) or any(fnmatchcase(below, one) for one in allowed):
                continue
            if any(map(holds_canary, _open_up(Path(path), size))):
                yield f"{folder.name}/{below}"


def _list_temporary() -> list[Path]:
    folder = Path(tempfile.gettempdir())
    mine = os.getuid()
    found = []
    for path in folder.iterdir():
        try:
            if path.stat(follow_symlinks=False).st_uid == mine:
                found.append(path)
        except OSError:
            continue
    return found


def _walk(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of change of every file; never through a link."""
    stack = [str(folder)]
    while stack:
        try:
            with os.scandir(stack.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        stack.append(entry.path)
                    elif entry.is_file(follow_symlinks=False):
                        found = entry.stat(follow_symlinks=False)
                        yield entry.path, found.st_size, found.st_mtime_ns
        except OSError:
            continue  # a process of the test's is tidying up


def _is_secure(below: str, path: str) -> bool:
    place = Path(below)
    if SECURE_FOLDERS.intersection(place.parts[:-1]):
        return not place.name.startswith(LEDGER)
    return any((Path(path).parents[up] / "spec.json").exists() for up in range(len(place.parts)))


def _open_up(path: Path, size: int) -> Iterator[bytes]:
    """Yield a file's bytes, and what is compressed in it; its name as well."""
    yield path.name.encode(errors="surrogateescape")
    if size > LARGEST:
        return
    try:
        content = path.read_bytes()
    except OSError:
        return
    yield content
    with suppress(zlib.error, gzip.BadGzipFile, EOFError, zipfile.BadZipFile, RuntimeError):
        yield from _unfold(path, content)  # a file that is damaged on purpose was read as it stands


def _unfold(path: Path, content: bytes) -> Iterator[bytes]:
    if content[:1] == b"\x78" and path.parent.parent.name == "objects":
        yield zlib.decompress(content)
    elif content[:4] == b"PACK":
        yield _read_pack(path.parent.parent.parent)
    elif content[:2] == b"\x1f\x8b":
        yield gzip.decompress(content)
    elif content[:4] == b"PK\x03\x04" and path.suffix != ".whl":
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                yield archive.read(member)


def _read_pack(repository: Path) -> bytes:
    command = ["git", "cat-file", "--batch-all-objects", "--batch"]
    done = subprocess.run(
        command, cwd=repository, env=os.environ | {"GIT_DIR": str(repository)}, capture_output=True
    )
    return done.stdout


def _read_allowed(item: pytest.Item) -> tuple[str, ...]:
    return tuple(pattern for mark in item.iter_markers("secure") for pattern in mark.args)


def find_in_database(url: str) -> Iterator[str]:
    """Yield the tables of a PostgreSQL database that hold a canary."""
    import psycopg

    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "select quote_ident(table_name) from information_schema.tables"
            " where table_schema = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"select t::text from {table} t").fetchall()
            if any(holds_canary(row[0].encode()) for row in rows):
                yield f"PostgreSQL table {table}"


WATCH = pytest.StashKey[CanaryWatch]()
LEAKS = pytest.StashKey[list[str]]()


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "secure(*patterns): paths that are the secure side in this test"
    )
    watch = config.stash[WATCH] = CanaryWatch()
    factory: Any = config._tmp_path_factory  # type: ignore[attr-defined]
    made = factory.mktemp

    def make(*arguments: Any, **options: Any) -> Path:
        folder: Path = made(*arguments, **options)
        watch.note(folder)
        return folder

    factory.mktemp = make


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> None:
    """Look into the test's database before its fixture drops it."""
    url = getattr(item, "funcargs", {}).get("postgresql_url")
    if url:
        item.stash[LEAKS] = list(find_in_database(url))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    if report.when == "teardown":
        leaks = item.stash.get(LEAKS, [])
        leaks += item.config.stash[WATCH].look(item)
        if "*" not in _read_allowed(item):
            leaks += [name for name, text in report.sections if holds_canary(text.encode())]
        if leaks:
            report.outcome = "failed"
            report.longrepr = _tell(leaks)
    return report


def _tell(leaks: list[str]) -> str:
    places = "\n".join(f"  {leak}" for leak in leaks)
    return (
        f"A canary is outside the secure side, in:\n{places}\n"
        "What a test means to hold patients' data is named by @pytest.mark.secure."
    )


def pytest_sessionfinish(session: pytest.Session) -> None:
    watch = session.config.stash.get(WATCH, None)
    if watch is None:
        return
    watch.sweep()
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["canaries"] = watch.late
    elif watch.late:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a worker of pytest-xdist found at its end."""
    watch = node.config.stash[WATCH]
    watch.late += getattr(node, "workeroutput", {}).get("canaries", [])


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    late = config.stash[WATCH].late
    if late:
        terminalreporter.section("canaries", red=True)
        terminalreporter.line(_tell(sorted(set(late))))
