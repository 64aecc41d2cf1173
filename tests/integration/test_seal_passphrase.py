"""A unit's key that a passphrase protects: it signs, and the passphrase shows nowhere."""

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.house import House
from tests.sample_seal import RawGpg, agent_pid
from tests.sample_settings import make_settings
from wardbook.errors import SettingsFault
from wardbook.seal import (
    Fingerprint,
    Keyring,
    SealedFile,
    SealProblem,
    choose_recipient_key,
    open_sealed,
    seal,
)
from wardbook.settings import load_settings

PASSPHRASE = "une phrase longue: é 9 %"


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[tuple[Path, Fingerprint]]:
    """A home whose only key is protected by the passphrase."""
    home = tmp_path / "unit"
    home.mkdir(mode=0o700)
    gpg = RawGpg(home)
    command = ["gpg", "--homedir", str(home), "--batch", "--pinentry-mode", "loopback"]
    command += ["--passphrase-fd", "0", "--quick-generate-key", "Unit", "ed25519", "sign", "2y"]
    subprocess.run(command, input=PASSPHRASE.encode(), check=True, capture_output=True)
    (signer,) = gpg.fingerprints()
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "gpg-agent"], check=True)
    yield home, signer


def seal_with(unit: Keyring, signer: Fingerprint, folder: Path) -> SealedFile:
    now = datetime.now(UTC)
    with Keyring(folder / "ada") as ada:
        known = ada.facts()
        made = known[0].fingerprint if known else ada.create_signing_key("Ada", "a@h.example")
        to = choose_recipient_key([ada.export_public(made)], made, unit, now)
        ada.import_key(unit.export_public(signer))
    (folder / "data").write_bytes(b"x")
    (folder / "out").mkdir(exist_ok=True)
    return seal(
        folder / "data", folder / "out", recipients=[to], signer=signer, keyring=unit, name="n"
    )


def test_with_its_passphrase_it_signs(locked: tuple[Path, Fingerprint], tmp_path: Path) -> None:
    home, signer = locked
    with Keyring(home, PASSPHRASE) as unit:
        sealed = seal_with(unit, signer, tmp_path)
    with Keyring(tmp_path / "ada") as ada:
        open_sealed(sealed.path, tmp_path / "opened", ada, signer)
    assert (tmp_path / "opened").read_bytes() == b"x"


@pytest.mark.parametrize("passphrase", [None, "wrong", PASSPHRASE + " "])
def test_without_it_or_with_another_nothing_is_sealed(
    locked: tuple[Path, Fingerprint], tmp_path: Path, passphrase: str | None
) -> None:
    home, signer = locked
    with Keyring(home, passphrase) as unit, pytest.raises(SealProblem, match="passphrase"):
        seal_with(unit, signer, tmp_path)
    assert list((tmp_path / "out").iterdir()) == []


def test_it_shows_in_no_command_line_environment_log_or_file(
    locked: tuple[Path, Fingerprint], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home, signer = locked
    caplog.set_level("DEBUG")
    shapes = [PASSPHRASE.encode(), PASSPHRASE.encode().hex().upper().encode()]
    seen: list[bytes] = []
    real = subprocess.Popen.__init__

    def spy(self, command, *more, **given):  # type: ignore[no-untyped-def]
        seen.append("\0".join(map(str, command)).encode())
        seen.append(repr(given.get("env") or dict(os.environ)).encode())
        real(self, command, *more, **given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess.Popen, "__init__", spy)
        with Keyring(home, PASSPHRASE) as unit:
            seal_with(unit, signer, tmp_path)
            process = Path(f"/proc/{agent_pid(unit._home.path)}")
            seen += [(process / name).read_bytes() for name in ("cmdline", "environ")]
            files = [file for file in tmp_path.rglob("*") if file.is_file()]
            seen += [file.read_bytes() for file in files]
    assert len(seen) > 20
    assert any(b"gpg-connect-agent" in one for one in seen), "control: the spy sees the calls"
    for shape in shapes:
        assert not any(shape in one for one in seen)
        assert shape.decode(errors="replace") not in caplog.text


def test_it_comes_from_a_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    settings, secret = tmp_path / "wardbook.toml", tmp_path / "seal"
    from pipelines.sample_settings import SAMPLE

    for name in ("jira", "gitlab"):
        (tmp_path / "state").mkdir(exist_ok=True)
        (tmp_path / "state" / f"{name}.token").write_text("t")
        (tmp_path / "state" / f"{name}.token").chmod(0o600)
    text = SAMPLE.replace("# passphrase_file", "passphrase_file")
    assert text != SAMPLE
    settings.write_text(text.replace("/run/credentials/wardbook.service/seal", "seal"))
    secret.write_text(PASSPHRASE + "\n")
    secret.chmod(0o640)
    with pytest.raises(SettingsFault, match="chmod 600"):
        load_settings(settings, {})
    secret.chmod(0o400)
    loaded = load_settings(settings, {})
    assert loaded.seal.passphrase is not None
    assert loaded.seal.passphrase.get_secret_value() == PASSPHRASE
    assert PASSPHRASE not in repr(loaded) + loaded.model_dump_json()
    reading, writing = os.pipe()  # what a service manager hands over
    os.write(writing, PASSPHRASE.encode())
    os.close(writing)
    descriptor = f"/dev/fd/{reading}"
    settings.write_text(text.replace("/run/credentials/wardbook.service/seal", descriptor))
    handed = load_settings(settings, {}).seal.passphrase
    assert handed is not None
    assert handed.get_secret_value() == PASSPHRASE
    os.close(reading)
    settings.write_text(text.replace('passphrase_file = "/run', 'passphrase = "/run'))
    with pytest.raises(SettingsFault, match="plain sight"):
        load_settings(settings, {})


def test_the_house_hands_it_on(locked: tuple[Path, Fingerprint], tmp_path: Path) -> None:
    from pydantic import SecretStr

    home, signer = locked
    settings = make_settings()
    changed = {"home": home, "signer": signer, "passphrase": SecretStr(PASSPHRASE)}
    sealing = settings.seal.model_copy(update=changed)
    with House(settings.model_copy(update={"seal": sealing})) as house:
        assert seal_with(house.keyring, signer, tmp_path).size
