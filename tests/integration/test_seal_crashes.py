"""Sealing is killed at every step: no plaintext, no key ring and no half file stays on disk."""

import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.acceptance.crash_form import LONG
from tests.sample_seal import processes_that_name
from tests.seal_points import Sealing
from wardbook.errors import EnvironmentFault
from wardbook.seal import Keyring, choose_recipient_key, list_key_ids, open_sealed, scratch
from wardbook.seal.scratch import PREFIX, ScratchFolder, sweep_scratch

MARKER = b"CANARY-7f3e;MARTIN;Jeanne;1931-04-02;room 12\n"
SHORT = 12  # points in the quick form


@pytest.fixture
def sealing(tmp_path: Path) -> Iterator[tuple[Sealing, Keyring]]:
    temporary = Path(tempfile.mkdtemp(prefix="wbt", dir="/tmp"))
    with Keyring(tmp_path / "unit") as unit, Keyring(tmp_path / "ada") as ada:
        signer = unit.create_signing_key("Unit", "unit@hospital.example")
        ada_key = ada.create_signing_key("Ada", "ada@hospital.example")
        ada.import_key(unit.export_public(signer))
        for name in ("secure", "share"):
            (tmp_path / name).mkdir(mode=0o700)
        data, block = tmp_path / "secure" / "stays.csv", tmp_path / "ada.asc"
        data.write_bytes(MARKER * 30_000)
        block.write_text(ada.export_public(ada_key))
        home = tmp_path / "unit"
        yield Sealing(home, data, tmp_path / "share", temporary, signer, block), ada
    shutil.rmtree(temporary)


def marked(*places: Path, but: Path) -> list[Path]:
    """Return the files in which the plaintext's marker stands."""
    files = (file for place in places for file in place.rglob("*") if file.is_file())
    return [file for file in files if file != but and MARKER[:24] in read(file)]


def read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:  # gpg removes its locks still
        return b""


def wait_for_end(sealing: Sealing) -> None:
    """Wait until gpg and its agent, whose parent was killed, have ended too."""
    deadline = time.monotonic() + 30
    while processes_that_name(str(sealing.temporary)) and time.monotonic() < deadline:
        time.sleep(0.02)


def test_killed_at_every_step(sealing: tuple[Sealing, Keyring], tmp_path: Path, root: Path) -> None:
    work, ada = sealing
    places = (tmp_path, work.temporary, root / "lib")
    assert marked(*places, but=tmp_path) == [work.data], "control: the search finds the plaintext"
    total = work.count()
    assert total > 40
    # The last steps are those on the share: they are always among the points.
    points = range(1, total) if LONG else sorted({*range(1, total, total // SHORT), total - 1})
    half = left = 0
    for point in points:
        died = work.run(point)
        assert died.returncode == -9, f"it lived beyond point {point}: {died.stderr}"
        wait_for_end(work)
        assert marked(*places, but=work.data) == []
        left += len(list(work.temporary.glob(f"{PREFIX}*")))
        named = [file for file in work.out.iterdir() if not file.name.startswith(".")]
        for file in named:  # under its final name it is whole
            open_sealed(file, tmp_path / "opened", ada, work.signer)  # type: ignore[arg-type]
            assert (tmp_path / "opened").read_bytes() == work.data.read_bytes()
            (tmp_path / "opened").unlink()
            file.unlink()
        half += len(list(work.out.glob(".*.part")))
    assert left, "control: some died while they had a folder of their own"
    assert half, "control: some died while the file was half written"
    assert work.run().returncode == 0
    assert [file.name for file in work.out.iterdir()] == ["0123456789abcdef.gpg"]
    assert not list(work.temporary.glob("wb-*")), "swept by the one that came after"
    probes = [file.read_bytes() for file in work.temporary.iterdir()]
    assert set(probes) <= {b"", b"blat"}, "Python tries with these whether a folder is writable"
    assert not list(tmp_path.rglob("core*"))
    print(f"{len(points)} of {total} points; {half} half files, {left} folders left and swept")


def test_the_search_would_find_plaintext_beside_the_sealed_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".hidden.part").write_bytes(b"x" * 9000 + MARKER)
    assert len(marked(tmp_path, but=tmp_path)) == 1


def test_a_living_owners_folder_is_not_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="wbt", dir="/tmp") as base:
        monkeypatch.setattr(tempfile, "tempdir", base)
        monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
        dead = Path(base) / f"{PREFIX}abcdefgh"
        dead.mkdir(mode=0o700)
        (dead / "ring.kbx").write_bytes(b"a public key")
        with ScratchFolder() as alive:
            sweep_scratch()
            assert list(Path(base).iterdir()) == [alive.path]
        assert list(Path(base).iterdir()) == []


def test_the_deepest_folder_that_fits_takes_an_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with tempfile.TemporaryDirectory(prefix="wbt", dir="/tmp") as base:
        held = []
        for length in range(60, 80):
            deep = Path(base) / ("d" * (length - len(base) - 1))
            deep.mkdir()
            monkeypatch.setattr(tempfile, "tempdir", str(deep))
            with Keyring(Path(base) / "unit") as unit:
                unit.open_with_secrets()
                held.append(unit._home.path.parent == deep)
        assert held == sorted(held, reverse=True)
        assert len(set(held)) == 2, "from some length on the next folder is taken"
        deep = Path(base) / ("d" * (60 + held.index(False) - len(base) - 1))
        monkeypatch.setattr(tempfile, "tempdir", str(deep))
        limit = scratch._SOCKET_PATH_LIMIT
        monkeypatch.setattr(scratch, "_SOCKET_PATH_LIMIT", limit + 1)
        with (
            Keyring(Path(base) / "unit") as unit,
            pytest.raises(EnvironmentFault, match=r"ended at once \(.* is too long\)"),
        ):
            unit.open_with_secrets()


def test_a_link_in_the_place_of_a_folder_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="wbt", dir="/tmp") as base:
        monkeypatch.setattr(tempfile, "tempdir", base)
        precious = Path(base) / "precious"
        precious.mkdir()
        (precious / "file").touch()
        (Path(base) / f"{PREFIX}abcdefgh").symlink_to(precious)
        sweep_scratch()
        assert (precious / "file").exists()


def test_no_core_file_can_be_written(tmp_path: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (most, most))
    with Keyring(tmp_path / "unit") as unit:
        assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
        unit.open_with_secrets()
        (agent,) = [
            int(entry.name)
            for entry in Path("/proc").glob("[0-9]*")
            if str(unit._home.path) in command(entry) and command(entry).startswith("gpg-agent")
        ][:1]
        assert resource.prlimit(agent, resource.RLIMIT_CORE)[0] == 0


def command(entry: Path) -> str:
    try:
        return (entry / "cmdline").read_bytes().decode().replace("\0", " ")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_the_sealed_files_recipients_are_read_without_gpg(
    sealing: tuple[Sealing, Keyring], tmp_path: Path
) -> None:
    work, ada = sealing
    assert work.run().returncode == 0
    (file,) = work.out.iterdir()
    now = datetime.now(UTC)
    text = work.block.read_text()
    with Keyring(tmp_path / "unit") as unit:
        to = choose_recipient_key([text], unit.inspect(text, now)[0].fingerprint, unit, now)
    assert list_key_ids(file) == (to.encryption_key.key_id,)
    for changed in (b"", b"\x00", file.read_bytes()[2:], b"\x8c\x02\xff\xff", MARKER):
        (tmp_path / "other").write_bytes(changed)
        assert list_key_ids(tmp_path / "other") == ()
    del ada
