"""A deliverable on another machine: no network, no settings, no home, the public key alone."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.tamper_world import World, workshop
from tests.tamperings import TAMPERINGS, find_in_untouched, survey

ROOT = Path(__file__).resolve().parents[2]
GUARD = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        print("a socket was used:", event, file=sys.stderr)
        import os
        os._exit(97)
sys.addaudithook(refuse)
"""


@pytest.fixture(scope="module")
def fresh() -> Iterator[Callable[[], World]]:
    with workshop() as maker:
        yield maker


def environment_in(home: Path) -> dict[str, str]:
    home.mkdir(exist_ok=True)
    path = f"{ROOT / 'lib'}{os.pathsep}{ROOT}"
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PYTHONPATH": path,
        "LANG": "fr_FR.UTF-8",
    }


def run_cut_off(code: str, *arguments: str | Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Run Python without a network of its own where the system allows that, and without sockets."""
    cut_off = ["unshare", "--map-root-user", "--net"]
    allowed = subprocess.run([*cut_off, "true"], capture_output=True, check=False).returncode == 0
    command = [*(cut_off if allowed else []), sys.executable, "-c", GUARD + code]
    return subprocess.run(
        [*command, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=home,
        env=environment_in(home),
        check=False,
    )


VERIFY = "from pipelines.cli.main import main; sys.exit(main(['verify', *sys.argv[1:]]))"


def test_verify_needs_nothing_but_the_public_key(
    fresh: Callable[[], World], tmp_path: Path
) -> None:
    world, home = fresh(), tmp_path / "home"
    home.mkdir()
    key = home / "unit.asc"
    key.write_text(world.public)
    given = ("--key", key, "--fingerprint", world.signer)
    for target in (world.new, world.sealed):
        done = run_cut_off(VERIFY, target, *given, home=home)
        assert done.returncode == 0, done.stderr
        assert "tels que signés" in done.stdout
    assert sorted(path.name for path in home.iterdir()) == ["unit.asc"], "nothing is left behind"

    bare = run_cut_off(VERIFY, world.new, "--language", "en", home=home)
    assert (bare.returncode, "Give the unit’s" in bare.stderr) == (1, True)

    crate = tmp_path / "ro-crate-metadata.json"
    done = run_cut_off(VERIFY, world.new, *given, "--crate", crate, home=home)
    assert done.returncode == 0
    assert crate.read_bytes() == (world.new / crate.name).read_bytes()
    assert run_cut_off(VERIFY, world.new, *given, "--crate", crate, home=home).returncode == 2

    (world.new / "table.csv").write_text("day;hosp\n2026-11-20;13\n")
    done = run_cut_off(VERIFY, world.new, *given, "--language", "en", home=home)
    assert (done.returncode, done.stdout) == (1, "")
    assert "table.csv is not what was released" in done.stderr
    done = run_cut_off(VERIFY, world.old, *given, "--history", home=home)
    assert done.returncode == 1
    assert "son contenu a été modifié" in done.stdout


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import socket; socket.socket().connect(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
    ],
)
def test_the_guard_notices_a_connection(attempt: str, tmp_path: Path) -> None:
    done = run_cut_off(attempt, home=tmp_path)
    assert done.returncode == 97
    assert "a socket was used" in done.stderr


def test_untouched_deliverables_are_good(fresh: Callable[[], World]) -> None:
    found = find_in_untouched(fresh())
    assert len(found) == 7
    assert set(found.values()) == {""}


def test_every_tampering_is_found_and_named(fresh: Callable[[], World]) -> None:
    rows = list(survey(fresh))
    assert len({one.what for one, _ in rows}) == len(TAMPERINGS) >= 30
    assert {one.what: found for one, found in rows} == {one.what: one.found for one, _ in rows}


def documented_lines() -> list[str]:
    """Return the two blocks of shell lines that docs/receipts.md gives to readers."""
    text = (ROOT / "docs" / "receipts.md").read_text(encoding="utf-8")
    section = text[text.index("### Without Wardbook") : text.index("## What stands in it")]
    blocks = re.findall(r"```sh\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 2
    return blocks


def check_by_hand(world: World, folder: Path, receipt: str, *, lines: str, key: str) -> int:
    """Run the documented lines in a home of their own; each of them must succeed."""
    home = Path(tempfile.mkdtemp(prefix="h-"))  # short: gpg's sockets stand in it
    (home / "unit.asc").write_text(key)
    told = {"KEY": str(home / "unit.asc"), "FINGERPRINT": world.signer, "R": receipt}
    done = subprocess.run(
        ["sh", "-e", "-c", lines],
        cwd=folder,
        env=environment_in(home) | {"LANG": "C.UTF-8"} | told,
        capture_output=True,
        check=False,
    )
    subprocess.run(["gpgconf", "--homedir", str(home / ".gnupg"), "--kill", "all"], check=True)
    shutil.rmtree(home, ignore_errors=True)  # the agent removes its own sockets meanwhile
    return done.returncode


def test_the_documented_lines_do_the_same_without_wardbook(
    fresh: Callable[[], World],
) -> None:
    first, second = documented_lines()

    def by_hand(world: World, *, lines: str = first + second, key: str = "") -> int:
        given = key or world.public
        return check_by_hand(world, world.new, "receipt.json", lines=lines, key=given)

    world = fresh()
    assert by_hand(world) == 0
    sealed = world.sealed
    for name, code in ((sealed.name, 0), ("other.csv.gpg", 0)):
        receipt = f"{name}.receipt.json"
        lines, key = first, world.public
        assert check_by_hand(world, sealed.parent, receipt, lines=lines, key=key) == code

    wanted = {
        "one bit of the page", "one bit of a name with an accent", "one bit of the receipt",
        "a file removed", "a file renamed", "a file added", "signed by a key with the unit's name",
        "receipts and signatures exchanged", "signed by a key that was revoked",
        "signed by a key that has expired",
    }  # fmt: skip
    tamperings = [one for one in TAMPERINGS if one.what in wanted]
    assert len(tamperings) == len(wanted)
    for one in tamperings:
        world = fresh()
        one.do(world)
        key = str(world.given.get("public_key", world.public))
        world.signer = world.given.get("fingerprint", world.signer)
        assert by_hand(world, key=key) != 0, one.what
    impostor = fresh()
    next(one for one in TAMPERINGS if one.what == "the same, both keys given").do(impostor)
    assert by_hand(impostor, key=str(impostor.given["public_key"])) != 0
