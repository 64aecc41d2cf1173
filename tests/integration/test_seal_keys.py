"""The key directory under attack, and GnuPG homes as they are found, with the real gpg."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import gnupg
import pytest

from tests.sample_seal import RawGpg, agent_pid, is_alive, raw_gpg
from wardbook.errors import EnvironmentFault
from wardbook.seal import Fingerprint, Keyring, SealProblem, choose_recipient_key

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=1000)
ADA = "Ada Lovelace <ada@hospital.example>"


@pytest.fixture
def directory() -> Iterator[RawGpg]:
    """Somebody else's gpg, which makes the keys that GitLab's directory lists."""
    with raw_gpg() as gpg:
        yield gpg


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Keyring]:
    with Keyring(tmp_path / "unit") as keyring:
        yield keyring


def refusal(unit: Keyring, keys: list[str], pinned: Fingerprint) -> str:
    with pytest.raises(SealProblem) as caught:
        choose_recipient_key(keys, pinned, unit, NOW)
    assert len(str(caught.value)) > 60
    return caught.value.code


def test_the_pinned_key_is_chosen(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA)
    recipient = choose_recipient_key([directory.export(pinned)], pinned, unit, NOW)
    assert recipient.fingerprint == pinned
    assert [recipient.encryption_key] == directory.subkeys(pinned)
    assert recipient.user_ids == (ADA,)
    assert unit.facts() == []


def test_an_impostor_with_the_same_user_id_is_never_chosen(
    directory: RawGpg, unit: Keyring
) -> None:
    with raw_gpg() as other:
        keys = {one.make_key(ADA): one for one in (directory, other)}
        listed = [gpg.export(key) for key, gpg in keys.items()]
        for pinned, block in zip(keys, listed, strict=True):
            assert choose_recipient_key(listed, pinned, unit, NOW).fingerprint == pinned
            without = [one for one in listed if one != block]
            assert refusal(unit, without, pinned) == "key_replaced"
        # Control: gpg itself, asked by address, takes one of both, whichever is Ada's.
        directory.run("--import", data=listed[1].encode())
        sealed = directory.run("--encrypt", "-r", "ada@hospital.example", data=b"x")
        status = directory.run("--status-fd", "1", "--list-only", "--decrypt", data=sealed)
        taken = [directory.subkeys(key)[0].key_id in status.decode() for key in keys]
        assert sorted(taken) == [False, True]


def test_several_keys_in_one_block(directory: RawGpg, unit: Keyring) -> None:
    keys = [directory.make_key(f"{name} <a@h.example>") for name in ("Ada", "Bob", "Cleo")]
    block = directory.run("--armor", "--export").decode()
    assert [one.fingerprint for one in unit.inspect(block, NOW)] == keys
    assert choose_recipient_key([block], keys[1], unit, NOW).fingerprint == keys[1]


def test_no_key(unit: Keyring) -> None:
    assert refusal(unit, [], Fingerprint("A" * 40)) == "key_missing"


def test_a_revoked_key(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA)
    directory.revoke(pinned)
    assert refusal(unit, [directory.export(pinned)], pinned) == "key_revoked"


def test_a_revocation_once_seen_is_not_forgotten(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA)
    before = directory.export(pinned)
    directory.revoke(pinned)
    assert choose_recipient_key([before], pinned, unit, NOW).fingerprint == pinned  # control
    unit.import_key(directory.export(pinned))
    assert refusal(unit, [before], pinned) == "key_revoked"


def test_an_expired_key_and_the_advice_in_its_message(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA, at=LONG_AGO, expires="1y")
    listed = [directory.export(pinned)]
    assert choose_recipient_key(listed, pinned, unit, LONG_AGO).fingerprint == pinned  # control
    assert refusal(unit, listed, pinned) == "key_expired"
    follow_advice(directory, unit, listed, pinned)


def test_a_key_without_encryption_and_the_advice(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA, encryption=None)
    assert refusal(unit, [directory.export(pinned)], pinned) == "key_cannot_encrypt"
    follow_advice(directory, unit, [directory.export(pinned)], pinned)


def test_an_expired_encryption_subkey_and_the_advice(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA, encryption=None, at=LONG_AGO, expires="0")
    directory.run("--quick-add-key", pinned, "cv25519", "encr", "1y", at=LONG_AGO)
    assert refusal(unit, [directory.export(pinned)], pinned) == "key_encryption_over"
    follow_advice(directory, unit, [directory.export(pinned)], pinned)


def follow_advice(directory: RawGpg, unit: Keyring, listed: list[str], pinned: Fingerprint) -> None:
    """Do what the refusal's message says, and see that it helps."""
    with pytest.raises(SealProblem) as caught:
        choose_recipient_key(listed, pinned, unit, NOW)
    commands = re.findall(r"`gpg ([^`]*)`", str(caught.value))
    assert commands == re.findall(r"`gpg ([^`]*)`", caught.value.tell("fr"))
    for command in commands:
        directory.run(*command.replace("'", "").split())
    recipient = choose_recipient_key([directory.export(pinned)], pinned, unit, NOW)
    assert recipient.encryption_key == directory.subkeys(pinned)[-1]


def test_a_revoked_subkey_is_passed_over(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA)
    directory.revoke_subkey(pinned, 1)
    assert refusal(unit, [directory.export(pinned)], pinned) == "key_encryption_over"
    directory.run("--quick-add-key", pinned, "cv25519", "encr", "2y")
    recipient = choose_recipient_key([directory.export(pinned)], pinned, unit, NOW)
    assert recipient.encryption_key == directory.subkeys(pinned)[1]


@pytest.mark.parametrize(
    ("algorithm", "encryption"), [("rsa2048", "rsa2048"), ("ed25519", "rsa2048")]
)
def test_weak_keys(directory: RawGpg, unit: Keyring, algorithm: str, encryption: str) -> None:
    pinned = directory.make_key(ADA, algorithm=algorithm, encryption=encryption)
    assert refusal(unit, [directory.export(pinned)], pinned) == "key_weak"


def test_a_swapped_subkey_is_not_used(directory: RawGpg, unit: Keyring) -> None:
    """The owner's primary key with an attacker's subkey, which the primary never signed."""
    pinned, attacker = directory.make_key(ADA), directory.make_key("Eve <eve@h.example>")
    own, foreign = (split_packets(directory.run("--export", one)) for one in (pinned, attacker))
    swapped = b"".join([*own[:3], *foreign[3:]])  # key, user ID, its signature | subkey, binding
    armoured = directory.run("--enarmor", data=swapped).decode()
    armoured = armoured.replace("ARMORED FILE", "PUBLIC KEY BLOCK")
    assert refusal(unit, [armoured], pinned) == "key_cannot_encrypt"
    control = directory.run("--enarmor", data=b"".join(own)).decode()
    control = control.replace("ARMORED FILE", "PUBLIC KEY BLOCK")
    assert choose_recipient_key([control], pinned, unit, NOW).fingerprint == pinned


def split_packets(data: bytes) -> list[bytes]:
    """Split old-format OpenPGP packets (RFC 4880, 4.2.1)."""
    packets = []
    while data:
        octets = {0: 1, 1: 2}[data[0] & 3]
        end = 1 + octets + int.from_bytes(data[1 : 1 + octets], "big")
        packets.append(data[:end])
        data = data[end:]
    return packets


def test_malformed_blocks(directory: RawGpg, unit: Keyring) -> None:
    pinned = directory.make_key(ADA)
    good = directory.export(pinned)
    secret = directory.run("--armor", "--export-secret-keys", pinned).decode()
    begin = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
    bad = ["", "hello", good[: len(good) // 2], begin]
    for block in bad:
        assert refusal(unit, [block], pinned) == "key_malformed", block[:60]
    for block in (secret, good.replace("PUBLIC", "PRIVATE"), secret.replace("PRIVATE", "PUBLIC")):
        assert refusal(unit, [block], pinned) == "key_secret", block[:60]
    assert choose_recipient_key([*bad, good], pinned, unit, NOW).fingerprint == pinned
    assert unit.facts() == []


def test_a_secret_key_in_a_public_block_does_not_enter_the_home(
    directory: RawGpg, unit: Keyring
) -> None:
    pinned = directory.make_key(ADA)
    secret = directory.run("--armor", "--export-secret-keys", pinned).decode()
    unit.open_with_secrets()
    with pytest.raises(SealProblem, match="private key"):
        unit.import_key(secret.replace("PRIVATE", "PUBLIC"))
    assert unit.facts() == []
    assert list((unit._home.home / "private-keys-v1.d").iterdir()) == []


HOSTILE_NAMES = [
    "Åke Ångström <a@h.example>",
    "Ada\u0085pub",
    "Ada\u0085[GNUPG:] VALIDSIG " + "A" * 40,
    "Ada\u2028sub:u:255:18:AAAA",
    "Ada\\x3a:fpr:::::::::" + "A" * 40 + ":",
    "--recipient eve@h.example",
    "Ada\x1b[31m <a@h.example>",
    "日本語 <j@h.example>",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_names_cannot_forge_facts(directory: RawGpg, unit: Keyring, name: str) -> None:
    with raw_gpg() as gpg:
        gpg.run("--allow-freeform-uid", "--quick-generate-key", "--", name, "ed25519", "sign", "0")
        (pinned,) = gpg.fingerprints()
        gpg.run("--quick-add-key", pinned, "cv25519", "encr", "0")
        (facts,) = unit.inspect(gpg.export(pinned), NOW)
        assert (facts.fingerprint, len(facts.subkeys)) == (pinned, 1)
        assert choose_recipient_key([gpg.export(pinned)], pinned, unit, NOW)


def test_the_library_as_it_comes_is_fooled_by_such_a_name() -> None:
    """Control: why `open_gpg` reads gpg's words as code page 437."""
    with raw_gpg() as gpg:
        gpg.run("--allow-freeform-uid", "--quick-generate-key", "Ada\u0085pub", "ed25519")
        assert len(gnupg.GPG(gnupghome=str(gpg.home)).list_keys()) == 2


def test_a_new_key_has_the_promised_form(unit: Keyring) -> None:
    made = unit.create_signing_key("Unité d’Åland", "unit@hospital.example", expires="10d")
    (facts,) = unit.facts()
    assert facts.fingerprint == made
    assert facts.user_ids == ("Unité d’Åland <unit@hospital.example>",)
    assert (facts.algorithm, facts.subkeys[0].algorithm) == ("EdDSA", "ECDH")
    assert facts.expires is not None
    assert timedelta(days=9) < facts.expires - NOW < timedelta(days=11)
    assert unit.inspect(unit.export_public(made), NOW) == [facts]


def test_a_name_cannot_add_parameters(unit: Keyring) -> None:
    with pytest.raises(ValueError, match="one line"):
        unit.create_signing_key("Unit\nKey-Length: 1024", "u@h.example")


def test_an_unknown_key_is_told(unit: Keyring) -> None:
    with pytest.raises(SealProblem, match="does not hold the key"):
        unit.export_public(Fingerprint("A" * 40))


def test_a_home_with_a_long_path(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d" * 50] * 6, "é è")
    with Keyring(deep) as keyring:
        made = keyring.create_signing_key("Unit", "u@h.example")
    with Keyring(deep) as keyring:
        assert [one.fingerprint for one in keyring.facts()] == [made]
        assert len(str(deep)) > 300
    with raw_gpg() as gpg:  # Control: gpg alone cannot reach its agent there.
        gpg.home = deep
        gpg.run("--quick-generate-key", "X", fails=True)
        assert len(gpg.fingerprints()) == 1


def test_a_long_temporary_folder_is_avoided(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("t" * 100)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with Keyring(tmp_path / "unit") as keyring:
        assert keyring.create_signing_key("Unit", "u@h.example")
    assert list(long.iterdir()) == []


def test_a_home_that_others_can_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / "open").chmod(0o755)
    with pytest.raises(EnvironmentFault, match="chmod 700"):
        Keyring(tmp_path / "open")


def test_without_gpg_the_message_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentFault, match="install the Debian package gnupg"):
        Keyring(tmp_path / "unit")


def test_a_gpg_before_2_2_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bin" / "gpg"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\nprintf 'gpg (GnuPG) %s\\ncfg:version:%s\\n' $OLD $OLD\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    for version, fits in (("2.1.18", False), ("2.2.0", True), ("2.4.7", True)):
        monkeypatch.setenv("OLD", version)
        if fits:
            Keyring(tmp_path / "unit").close()
        else:
            with pytest.raises(EnvironmentFault, match=r"2\.1\.18 is too old.*2\.2"):
                Keyring(tmp_path / "unit")


def test_closing_leaves_no_agent_and_no_trace(tmp_path: Path) -> None:
    with Keyring(tmp_path / "unit") as keyring:
        keyring.create_signing_key("Unit", "u@h.example")
        runtime = keyring._home.path
        pid = agent_pid(runtime)
        assert is_alive(pid)
    assert not is_alive(pid)
    assert not runtime.exists()
    secrets = list((tmp_path / "unit" / "private-keys-v1.d").iterdir())
    assert len(secrets) == 2


def test_one_keyring_that_closes_does_not_take_the_agent_of_another(tmp_path: Path) -> None:
    with Keyring(tmp_path / "unit") as first:
        first.create_signing_key("Unit", "u@h.example")
        with Keyring(tmp_path / "unit") as second:
            second.open_with_secrets()
            pids = [agent_pid(one._home.path) for one in (first, second)]
        assert [is_alive(pid) for pid in pids] == [True, False]


def test_a_killed_process_leaves_no_agent_and_no_trace(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib; from wardbook.seal import Keyring\n"
        "keyring = Keyring(pathlib.Path(sys.argv[1])); keyring.open_with_secrets()\n"
        "print(keyring._home.path, flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "unit")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        runtime = Path(process.stdout.readline().decode().strip())
        pid = agent_pid(runtime)
        os.kill(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 30  # gpg-agent looks for its parent every few seconds
    while (is_alive(pid) or runtime.exists()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not is_alive(pid)
    assert not runtime.exists()
    assert (tmp_path / "unit" / "private-keys-v1.d").is_dir()
