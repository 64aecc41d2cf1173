"""Files sealed and opened with the real gpg."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gnupg
import pytest

from tests.sample_seal import RawGpg, raw_gpg
from wardbook.seal import (
    Fingerprint,
    Keyring,
    Recipient,
    SealProblem,
    choose_recipient_key,
    list_key_ids,
    open_sealed,
    seal,
)

NOW = datetime.now(UTC)
CANARY = b"MARTIN;Jeanne;1931-04-02;room 12\n"


@dataclass
class Parties:
    unit: Keyring
    signer: Fingerprint
    ada: Keyring
    ada_key: Fingerprint
    to_ada: Recipient
    data: Path
    out: Path


@pytest.fixture
def parties(tmp_path: Path) -> Iterator[Parties]:
    with Keyring(tmp_path / "unit") as unit, Keyring(tmp_path / "ada") as ada:
        signer = unit.create_signing_key("Unit", "unit@hospital.example")
        ada_key = ada.create_signing_key("Ada", "ada@hospital.example")
        ada.import_key(unit.export_public(signer))
        to_ada = choose_recipient_key([ada.export_public(ada_key)], ada_key, unit, NOW)
        data, out = tmp_path / "secure" / "line_list.csv", tmp_path / "out"
        data.parent.mkdir()
        out.mkdir()
        data.write_bytes(CANARY * 100)
        yield Parties(unit, signer, ada, ada_key, to_ada, data, out)


def seal_it(parties: Parties, *to: Recipient, name: str = "STAT-8-line_list", **changes: object):  # type: ignore[no-untyped-def]
    arguments: dict[str, object] = {"signer": parties.signer, "keyring": parties.unit}
    return seal(
        parties.data,
        parties.out,
        recipients=to or (parties.to_ada,),
        name=name,
        **(arguments | changes),  # type: ignore[arg-type]
    )


def key_ids(path: Path) -> tuple[str, ...]:
    return list_key_ids(path)


def test_round_trip(parties: Parties, tmp_path: Path) -> None:
    sealed = seal_it(parties)
    assert sealed.path == parties.out / "STAT-8-line_list.gpg"
    assert sealed.sha256 == hashlib.sha256(sealed.path.read_bytes()).hexdigest()
    assert sealed.size == sealed.path.stat().st_size
    assert sealed.key_ids == (parties.to_ada.encryption_key.key_id,) == key_ids(sealed.path)
    assert list(parties.out.iterdir()) == [sealed.path]
    open_sealed(sealed.path, tmp_path / "opened.csv", parties.ada, parties.signer)
    assert (tmp_path / "opened.csv").read_bytes() == parties.data.read_bytes()
    assert (tmp_path / "opened.csv").stat().st_mode & 0o077 == 0


def test_neither_content_nor_name_can_be_read(parties: Parties) -> None:
    sealed = seal_it(parties).path.read_bytes()
    assert CANARY[:6] not in sealed
    with raw_gpg() as ada:
        ada.home = parties.ada._home.home
        log = ada.run("--status-fd", "1", "--list-packets", data=sealed).decode()
        subprocess.run(["gpgconf", "--homedir", str(ada.home), "--kill", "gpg-agent"], check=True)
    assert 'name="",' in log
    assert "line_list" not in log


def test_the_plain_name_is_for_the_recipient_alone(parties: Parties) -> None:
    path = seal_it(parties, name="0123456789abcdef", plain_name="data-7-line_list.csv").path
    assert path.name == "0123456789abcdef.gpg"
    outside = RawGpg(parties.out)
    told = outside.run("--list-packets", "--list-only", data=path.read_bytes(), fails=True)
    assert b"line_list" not in told + path.read_bytes()
    with raw_gpg() as ada:
        ada.home = parties.ada._home.home
        log = ada.run("--list-packets", data=path.read_bytes()).decode()
        subprocess.run(["gpgconf", "--homedir", str(ada.home), "--kill", "gpg-agent"], check=True)
    assert 'name="data-7-line_list.csv"' in log, "control: she can read it"


def test_other_content_than_the_run_recorded_is_not_sealed(parties: Parties) -> None:
    good = hashlib.sha256(parties.data.read_bytes()).hexdigest()
    assert seal_it(parties, sha256=good).path.exists()
    with parties.data.open("ab") as file:
        file.write(b"one line more\n")
    before = sorted(parties.out.iterdir())
    with pytest.raises(SealProblem, match="no longer what its run produced"):
        seal_it(parties, sha256=good, name="other")
    assert sorted(parties.out.iterdir()) == before


@pytest.mark.parametrize("packed", [True, False])
def test_what_cannot_be_compressed_is_not(parties: Parties, packed: bool, tmp_path: Path) -> None:
    parties.data.write_bytes(os.urandom(1 << 20) if packed else CANARY * 30_000)
    sealed = seal_it(parties)
    assert (sealed.size >= 1 << 20) if packed else (sealed.size < 100_000)
    with raw_gpg() as ada:
        ada.home = parties.ada._home.home
        log = ada.run("--list-packets", data=sealed.path.read_bytes()).decode(errors="replace")
        subprocess.run(["gpgconf", "--homedir", str(ada.home), "--kill", "gpg-agent"], check=True)
    assert ("compressed packet" in log) == (not packed)
    open_sealed(sealed.path, tmp_path / "opened", parties.ada, parties.signer)
    assert (tmp_path / "opened").read_bytes() == parties.data.read_bytes()


def test_the_unit_cannot_open_it_and_others_cannot_either(parties: Parties, tmp_path: Path) -> None:
    sealed = seal_it(parties)
    with pytest.raises(SealProblem, match="could not be decrypted"):
        open_sealed(sealed.path, tmp_path / "opened", parties.unit, parties.signer)
    assert not (tmp_path / "opened").exists()


def test_several_recipients(parties: Parties, tmp_path: Path) -> None:
    with Keyring(tmp_path / "bob") as bob:
        bob_key = bob.create_signing_key("Bob", "bob@hospital.example")
        bob.import_key(parties.unit.export_public(parties.signer))
        to_bob = choose_recipient_key([bob.export_public(bob_key)], bob_key, bob, NOW)
        sealed = seal_it(parties, parties.to_ada, to_bob)
        assert len(sealed.key_ids) == 2
        for keyring in (parties.ada, bob):
            open_sealed(sealed.path, tmp_path / "opened", keyring, parties.signer)
            assert (tmp_path / "opened").read_bytes() == parties.data.read_bytes()


def test_the_judged_subkey_is_used_and_not_a_newer_weak_one(parties: Parties) -> None:
    with raw_gpg() as bob:
        key = bob.make_key("Bob <bob@hospital.example>", at=NOW - timedelta(days=1))
        bob.run("--quick-add-key", key, "rsa2048", "encr", "1y")
        to_bob = choose_recipient_key([bob.export(key)], key, parties.unit, NOW)
        strong, weak = bob.subkeys(key)
        assert seal_it(parties, to_bob).key_ids == (strong.key_id,)
        # Control: left to itself, gpg takes the newest.
        (parties.out / "x").write_bytes(bob.run("--encrypt", "-r", key, data=b"x"))
        assert key_ids(parties.out / "x") == (weak.key_id,)


def test_keys_in_the_units_home_play_no_part(parties: Parties, tmp_path: Path) -> None:
    with raw_gpg() as eve:
        impostor = eve.make_key("Ada <ada@hospital.example>")
        parties.unit.import_key(eve.export(impostor))
        parties.unit.import_key(parties.ada.export_public(parties.ada_key))
        assert seal_it(parties).key_ids == (parties.to_ada.encryption_key.key_id,)


def test_a_wrong_recipient_in_the_packet_is_noticed(parties: Parties, tmp_path: Path) -> None:
    """A gpg that adds a recipient, as `encrypt-to` in a system-wide configuration would."""
    with raw_gpg() as eve:
        extra = eve.make_key("Eve <eve@hospital.example>")
        (tmp_path / "eve.asc").write_text(eve.export(extra))
        wrapped(tmp_path / "bin" / "gpg", f"--recipient-file {tmp_path}/eve.asc")
        wrapped(tmp_path / "harmless" / "gpg", "")
        for folder, fails in (("bin", True), ("harmless", False)):
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("PATH", f"{tmp_path / folder}:{os.environ['PATH']}")
                if fails:
                    with pytest.raises(SealProblem, match=eve.subkeys(extra)[0].key_id):
                        seal_it(parties)
                    assert list(parties.out.iterdir()) == []
                else:
                    assert seal_it(parties).path.exists()


def wrapped(path: Path, more: str) -> None:
    """Write a program that adds an option where gpg is asked to encrypt."""
    path.parent.mkdir()
    path.write_text(
        f'#!/bin/sh\ncase "$*" in *--encrypt*) exec /usr/bin/gpg {more} "$@";; '
        f'*) exec /usr/bin/gpg "$@";; esac\n'
    )
    path.chmod(0o755)


def test_an_expired_signer_is_refused_and_no_other_key_signs(
    parties: Parties, tmp_path: Path
) -> None:
    home = tmp_path / "old"
    with Keyring(home) as old, raw_gpg() as gpg:
        spare = old.create_signing_key("Spare", "spare@hospital.example")
        expired = expired_key(gpg, home)
        with pytest.raises(SealProblem, match=f"could not sign with the unit’s key {expired}"):
            seal_it(parties, signer=expired, keyring=old)
        assert list(parties.out.iterdir()) == []
        # Control: python-gnupg's own argument lets gpg sign with any other key it finds.
        made = old.open_with_secrets().sign(b"x", keyid=expired, detach=True)
        assert made.values("SIG_CREATED")[0][-1] == spare


def expired_key(gpg: RawGpg, home: Path) -> Fingerprint:
    """Move an expired key of a raw home into another home."""
    expired = gpg.make_key("Old", expires="1y", at=NOW - timedelta(days=1000))
    secret = gpg.run("--export-secret-keys", expired)
    gpg.home, own = home, gpg.home
    gpg.run("--import", data=secret)
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    gpg.home = own
    return expired


def test_a_signer_that_cannot_sign_is_told_also_for_long_files(parties: Parties) -> None:
    parties.data.write_bytes(os.urandom(3_000_000))
    with pytest.raises(SealProblem, match="could not sign"):
        seal_it(parties, signer=parties.ada_key, keyring=with_public(parties))
    assert list(parties.out.iterdir()) == []


def with_public(parties: Parties) -> Keyring:
    parties.unit.import_key(parties.ada.export_public(parties.ada_key))
    return parties.unit


def test_a_recipient_that_expired_since_is_refused(parties: Parties) -> None:
    with raw_gpg() as gpg:
        then = NOW - timedelta(days=1000)
        late = gpg.make_key("Late", expires="1y", at=then)
        to_late = choose_recipient_key([gpg.export(late)], late, parties.unit, then)
        with pytest.raises(SealProblem, match="did not finish the encryption"):
            seal_it(parties, to_late)
        assert list(parties.out.iterdir()) == []


def test_a_missing_file_and_a_bad_name_are_the_callers_errors(parties: Parties) -> None:
    for name in ("", ".", "..", "a/b", "../x", "a\nb"):
        with pytest.raises(ValueError, match="plain path segment"):
            seal_it(parties, name=name)
    parties.data.unlink()
    with pytest.raises(FileNotFoundError):
        seal_it(parties)
    assert list(parties.out.iterdir()) == []


def test_a_file_signed_by_another_key_is_not_opened(parties: Parties, tmp_path: Path) -> None:
    with Keyring(tmp_path / "eve") as eve:
        eve_key = eve.create_signing_key("Unit", "unit@hospital.example")
        parties.ada.import_key(eve.export_public(eve_key))
        sealed = seal_it(parties, signer=eve_key, keyring=eve)
        with pytest.raises(SealProblem, match=f"another key .{eve_key}. than the unit’s"):
            open_sealed(sealed.path, tmp_path / "opened", parties.ada, parties.signer)
        open_sealed(sealed.path, tmp_path / "opened", parties.ada, eve_key)  # control


def test_an_unsigned_file_is_not_opened(parties: Parties, tmp_path: Path) -> None:
    with raw_gpg() as eve:
        eve.run("--import", data=parties.to_ada.public_key.encode())
        (tmp_path / "x.gpg").write_bytes(
            eve.run("--encrypt", "-r", parties.to_ada.fingerprint, data=b"unsigned")
        )
    with pytest.raises(SealProblem, match="not one whole"):
        open_sealed(tmp_path / "x.gpg", tmp_path / "opened", parties.ada, parties.signer)
    assert not (tmp_path / "opened").exists()


def test_without_the_units_key_it_is_not_opened(parties: Parties, tmp_path: Path) -> None:
    sealed = seal_it(parties)
    with pytest.raises(SealProblem, match="does not hold the key"):
        open_sealed(sealed.path, tmp_path / "opened", parties.ada, Fingerprint("A" * 40))
    assert not (tmp_path / "opened").exists()


def test_every_changed_byte_keeps_it_closed(parties: Parties, tmp_path: Path) -> None:
    parties.data.write_bytes(CANARY)
    sealed = seal_it(parties)
    good = sealed.path.read_bytes()
    for position in range(0, len(good), 7):
        changed = bytearray(good)
        changed[position] ^= 1
        sealed.path.write_bytes(changed)
        with pytest.raises(SealProblem):
            open_sealed(sealed.path, tmp_path / "opened", parties.ada, parties.signer)
        assert not (tmp_path / "opened").exists()
    sealed.path.write_bytes(good)
    open_sealed(sealed.path, tmp_path / "opened", parties.ada, parties.signer)


SEAL = """
import sys, pathlib, datetime
from wardbook.seal import *
home, data, out, name, signer, key = sys.argv[1:]
with Keyring(pathlib.Path(home)) as unit:
    block = pathlib.Path(key).read_text()
    now = datetime.datetime.now(datetime.UTC)
    pin = unit.inspect(block, now)[0].fingerprint
    to = choose_recipient_key([block], pin, unit, now)
    print("ready", flush=True)
    sys.stdin.readline()
    seal(pathlib.Path(data), pathlib.Path(out), recipients=[to], signer=Fingerprint(signer),
         keyring=unit, name=name)
"""


def start_sealing(
    parties: Parties, data: Path, name: str, temporary: Path
) -> subprocess.Popen[bytes]:
    """Start a process that is ready to seal and waits for a line."""
    block = parties.out.parent / "ada.asc"
    block.write_text(parties.to_ada.public_key)
    home = parties.unit._home.home
    arguments = [home, data, parties.out, name, parties.signer, block]
    process = subprocess.Popen(
        [sys.executable, "-c", SEAL, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(temporary)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def test_processes_seal_at_the_same_time(parties: Parties, tmp_path: Path) -> None:
    names = ["one", "two", "same", "same"]
    workers = [start_sealing(parties, parties.data, name, tmp_path) for name in names]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(b"\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate()
    assert [worker.returncode for worker in workers] == [0, 0, 0, 0]
    assert {path.name for path in parties.out.iterdir()} == {"one.gpg", "two.gpg", "same.gpg"}
    for path in parties.out.iterdir():
        open_sealed(path, tmp_path / "opened", parties.ada, parties.signer)
        assert (tmp_path / "opened").read_bytes() == parties.data.read_bytes()


def test_killed_in_the_middle_it_leaves_no_plaintext(parties: Parties, tmp_path: Path) -> None:
    temporary, pipe = tmp_path / "temporary", tmp_path / "pipe"
    temporary.mkdir()
    os.mkfifo(pipe)
    worker = start_sealing(parties, pipe, "big", temporary)
    assert worker.stdin is not None
    worker.stdin.write(b"\n")
    worker.stdin.flush()
    with pipe.open("wb") as feed:
        for _ in range(200):  # 6.6 MB, and the end is still to come
            feed.write(CANARY * 1000)
        feed.flush()
        half = [path.name for path in parties.out.iterdir()]
        worker.send_signal(signal.SIGKILL)
        worker.communicate()
    assert len(half) == 1
    assert half[0].startswith(".big.gpg.")  # it was in the middle: control for what follows
    places = [parties.out, temporary, parties.unit._home.home]
    left = [path for place in places for path in place.rglob("*") if path.is_file()]
    assert any(path.name == half[0] for path in left)
    for path in left:
        with suppress(FileNotFoundError):  # gpg itself is still removing its locks
            assert CANARY not in path.read_bytes(), path
    seal_it(parties, name="big")
    assert {path.name for path in parties.out.iterdir()} == {"big.gpg"}


def test_nothing_is_logged_of_the_content(
    parties: Parties, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="gnupg")
    open_sealed(seal_it(parties).path, tmp_path / "opened", parties.ada, parties.signer)
    assert caplog.records
    assert "MARTIN" not in caplog.text
    assert gnupg.log_everything is False
