"""`verify` on a good deliverable, and on everything that may have happened to it."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sample_seal import (
    RawGpg,
    make_deliverable,
    make_receipt,
    processes_that_name,
    raw_gpg,
    subjects,
)
from wardbook.seal import (
    Fingerprint,
    Keyring,
    SealedFile,
    SealedTo,
    SealProblem,
    Subject,
    Verification,
    choose_recipient_key,
    seal,
    verify,
    write_receipt,
)
from wardbook.seal.armour import read_armour, write_armour
from wardbook.seal.public_home import PublicHome
from wardbook.seal.signature import check_detached, sign_detached

NOW = datetime.now(UTC)
THEN = NOW - timedelta(days=1000)


@dataclass
class Unit:
    keyring: Keyring
    signer: Fingerprint
    public: str
    tmp: Path

    def deliver(self, name: str = "report", **changes: Any) -> Path:
        return make_deliverable(self.tmp / name, self.keyring, self.signer, **changes)

    def verify(self, target: Path, **changes: object) -> Verification:
        arguments: dict[str, object] = {
            "public_key": self.public,
            "fingerprint": self.signer,
            "now": NOW,
        }
        return verify(target, **(arguments | changes))  # type: ignore[arg-type]

    def refusal(self, target: Path, **changes: object) -> str:
        with pytest.raises(SealProblem) as caught:
            self.verify(target, **changes)
        assert len(caught.value.tell("fr")) > 40
        return caught.value.code

    def sign_again(self, folder: Path, data: bytes) -> None:
        """Sign a receipt that `write_receipt` would not write."""
        (folder / "receipt.json").write_bytes(data)
        asc = sign_detached(data, self.signer, self.keyring)
        (folder / "receipt.json.asc").write_bytes(asc)

    def seal(self, name: str) -> tuple[SealedFile, Path]:
        """Seal a file to the unit's own key and sign its receipt, as a share holds both."""
        to = choose_recipient_key([self.public], self.signer, self.keyring, NOW)
        share = self.tmp / "share"
        share.mkdir(exist_ok=True)
        (self.tmp / "data.csv").write_text(f"{name};1\n")
        sealed = seal(
            self.tmp / "data.csv",
            share,
            recipients=[to],
            signer=self.signer,
            keyring=self.keyring,
            name=name,
        )
        receipt = make_receipt(
            [Subject(sealed.path.name, sealed.sha256, sealed.size)],
            sealed_to=(SealedTo(to.fingerprint, to.encryption_key),),
        )
        stem = f"{sealed.path.name}.receipt"
        path = write_receipt(receipt, share, signer=self.signer, keyring=self.keyring, stem=stem)
        return sealed, path


@pytest.fixture
def unit(tmp_path: Path) -> Iterator[Unit]:
    with Keyring(tmp_path / "unit") as keyring:
        signer = keyring.create_signing_key("Unit", "unit@hospital.example")
        yield Unit(keyring, signer, keyring.export_public(signer), tmp_path)


def test_a_good_deliverable_is_accepted_from_everywhere(unit: Unit) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    folder = unit.deliver()
    after = datetime.now(UTC)
    for inside in (".", "index.html", "figures", "figures/curve.svg", "receipt.json.asc"):
        found = unit.verify(folder / inside)
        assert (found.ticket, found.output, found.signer) == ("STAT-7", "report", unit.signer)
        assert [file.name for file in found.files] == [
            "figures/curve.svg",
            "index.html",
            "ro-crate-metadata.json",
            "table.csv",
        ]
        assert found.approvals[0].by == "d.approver"
        assert before <= found.signed_at <= after
    assert unit.verify(folder, fingerprint=None).signer == unit.signer


def test_it_is_also_what_plain_gpg_verifies(unit: Unit) -> None:
    folder = unit.deliver()
    with raw_gpg() as reader:
        reader.run("--import", data=unit.public.encode())
        files = [str(folder / name) for name in ("receipt.json.asc", "receipt.json")]
        status = reader.run("--status-fd", "1", "--verify", *files).decode()
    assert f"VALIDSIG {unit.signer}" in status


def test_a_moved_deliverable_is_accepted(unit: Unit) -> None:
    shutil.move(unit.deliver(), unit.tmp / "elsewhere")
    assert unit.verify(unit.tmp / "elsewhere").ticket == "STAT-7"


def test_a_sealed_file_is_accepted_beside_others(unit: Unit) -> None:
    sealed, receipt = unit.seal("one")
    unit.seal("two")
    for target in (sealed.path, receipt, receipt.with_name(receipt.name + ".asc")):
        found = unit.verify(target)
        assert found.receipt_path == receipt
        assert found.key_ids == sealed.key_ids
        assert len(found.key_ids) == 1


def test_changed_files_are_refused(unit: Unit) -> None:
    folder = unit.deliver()
    for name in ("index.html", "figures/curve.svg"):
        good = (folder / name).read_bytes()
        (folder / name).write_bytes(good + b" ")
        assert unit.refusal(folder / "table.csv") == "file_changed"
        (folder / name).write_bytes(good)
    assert unit.verify(folder)


def test_missing_renamed_and_extra_files_are_refused(unit: Unit) -> None:
    folder = unit.deliver()
    table = folder / "table.csv"
    table.rename(folder / "tables.csv")
    assert unit.refusal(folder) == "file_extra"
    (folder / "tables.csv").rename(unit.tmp / "tables.csv")
    assert unit.refusal(folder) == "file_missing"
    (unit.tmp / "tables.csv").rename(table)
    assert unit.verify(folder)
    for extra in ("more.html", "figures/.hidden", "figures/receipt.json", "receipt.json.bak"):
        (folder / extra).write_text("")
        assert unit.refusal(folder) == "file_extra", extra
        (folder / extra).unlink()
    assert unit.verify(folder)


def test_links_are_refused_even_to_the_same_bytes(unit: Unit) -> None:
    folder = unit.deliver()
    for name in ("table.csv", "receipt.json", "receipt.json.asc", "figures"):
        (folder / name).rename(unit.tmp / "moved")
        (folder / name).symlink_to(unit.tmp / "moved")
        assert unit.refusal(folder) == "file_not_regular", name
        (folder / name).unlink()
        (unit.tmp / "moved").rename(folder / name)
    assert unit.verify(folder)


def test_a_sealed_file_behind_a_link_is_refused(unit: Unit) -> None:
    sealed, _ = unit.seal("one")
    sealed.path.rename(unit.tmp / "moved.gpg")
    sealed.path.symlink_to(unit.tmp / "moved.gpg")
    assert unit.refusal(sealed.path) == "file_not_regular"


@pytest.mark.parametrize("name", ["../secret.csv", "/etc/hostname", "figures/../../secret.csv"])
def test_a_signed_receipt_cannot_lead_out_of_the_folder(unit: Unit, name: str) -> None:
    folder = unit.deliver()
    (unit.tmp / "secret.csv").write_bytes((folder / "table.csv").read_bytes())
    good = (folder / "receipt.json").read_bytes()
    unit.sign_again(folder, good.replace(b'"table.csv"', f'"{name}"'.encode()))
    assert unit.refusal(folder) == "name_unsafe"
    unit.sign_again(folder, good)
    assert unit.verify(folder)


def test_a_signed_receipt_in_another_form_is_refused(unit: Unit) -> None:
    folder = unit.deliver()
    unit.sign_again(folder, (folder / "receipt.json").read_bytes() + b"\n")
    assert unit.refusal(folder) == "receipt_malformed"


def test_receipts_of_another_deliverable_are_refused(unit: Unit) -> None:
    one, two = unit.deliver("one", ticket="STAT-1"), unit.deliver("two", ticket="STAT-2")
    for name in ("receipt.json", "receipt.json.asc"):
        (one / name).rename(unit.tmp / "moved")
        (two / name).rename(one / name)
        (unit.tmp / "moved").rename(two / name)
        expected = "signature_bad" if name == "receipt.json" else "file_changed"
        assert [unit.refusal(one), unit.refusal(two)] == [expected, expected]


def test_receipts_of_another_sealed_file_are_refused(unit: Unit) -> None:
    (one, receipt_one), (two, receipt_two) = unit.seal("one"), unit.seal("two")
    for ending in ("", ".asc"):
        shutil.copy(f"{receipt_two}{ending}", f"{receipt_one}{ending}")
    assert unit.refusal(one.path) == "receipt_of_another"
    assert unit.verify(two.path)


def test_a_sealed_file_for_another_than_the_receipt_says_is_refused(unit: Unit) -> None:
    sealed, receipt = unit.seal("one")
    other = SealedTo("A" * 40, "B" * 40)
    wrong = make_receipt(
        [Subject(sealed.path.name, sealed.sha256, sealed.size)], sealed_to=(other,)
    )
    arguments = {"signer": unit.signer, "keyring": unit.keyring, "stem": receipt.stem}
    write_receipt(wrong, receipt.parent, **arguments)  # type: ignore[arg-type]
    assert unit.refusal(sealed.path) == "recipients_differ"


def test_what_is_missing_is_told(unit: Unit) -> None:
    folder = unit.deliver()
    (folder / "receipt.json.asc").rename(unit.tmp / "moved")
    assert unit.refusal(folder) == "signature_missing"
    (folder / "receipt.json").unlink()
    assert unit.refusal(folder) == "no_receipt"
    assert unit.refusal(folder / "receipt.json.asc") == "target_missing"
    (unit.tmp / "moved").rename(folder / "receipt.json.asc")
    assert unit.refusal(folder / "receipt.json.asc") == "receipt_missing"
    assert unit.refusal(folder / "nothing") == "target_missing"


def test_a_wrong_signer_with_the_same_name_is_refused(unit: Unit) -> None:
    with Keyring(unit.tmp / "eve") as eve:
        key = eve.create_signing_key("Unit", "unit@hospital.example")
        folder = make_deliverable(unit.tmp / "report", eve, key)
        public = eve.export_public(key)
        assert unit.verify(folder, public_key=public, fingerprint=key).signer == key  # control
    assert unit.refusal(folder) == "signature_other_key"
    assert unit.refusal(folder, public_key=public) == "key_not_given"
    both = unit.public + public
    assert unit.refusal(folder, public_key=both) == "signature_other_key"
    assert unit.refusal(folder, public_key=both, fingerprint=None) == "several_public_keys"


def test_public_keys_that_are_none_are_told(unit: Unit) -> None:
    folder = unit.deliver()
    assert unit.refusal(folder, public_key=None) == "no_public_key"
    assert unit.refusal(folder, public_key="") == "no_public_key"
    assert unit.refusal(folder, public_key="hello") == "key_malformed"


@pytest.fixture
def raw() -> Iterator[RawGpg]:
    with raw_gpg() as gpg:
        yield gpg


def sign_raw(raw: RawGpg, folder: Path, *options: str, at: datetime | None = None) -> Path:
    """Write a folder's receipt, signed by plain gpg at a faked time."""
    folder.mkdir()
    (folder / "index.html").write_text("<p>")
    data = make_receipt(subjects(folder)).to_json()
    (folder / "receipt.json").write_bytes(data)
    packet = raw.run("--detach-sign", "--digest-algo", "SHA512", *options, data=data, at=at)
    (folder / "receipt.json.asc").write_bytes(write_armour(packet))
    return folder


def test_an_expired_key_is_refused_and_a_renewed_one_accepted(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit", expires="1y", at=THEN)
    folder = sign_raw(raw, unit.tmp / "report", at=THEN)
    given = {"public_key": raw.export(key), "fingerprint": key}
    assert unit.verify(folder, **given, now=THEN + timedelta(days=364)).signer == key
    assert unit.refusal(folder, **given) == "signature_key_expired"
    with pytest.raises(SealProblem, match=r"while the key was valid.*renewed public key"):
        unit.verify(folder, **given)
    raw.run("--quick-set-expire", key, "5y")
    assert unit.verify(folder, public_key=raw.export(key), fingerprint=key).signer == key


def test_a_signature_after_the_keys_expiry_is_told_apart(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit", expires="1y", at=THEN)
    old_public = raw.export(key)
    raw.run("--quick-set-expire", key, "5y")
    folder = sign_raw(raw, unit.tmp / "report")
    given = {"fingerprint": key}
    assert unit.refusal(folder, public_key=old_public, **given) == "signature_after_expiry"
    assert unit.verify(folder, public_key=raw.export(key), **given)  # control


def test_a_revoked_key_is_refused(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit")
    folder = sign_raw(raw, unit.tmp / "report")
    assert unit.verify(folder, public_key=raw.export(key), fingerprint=key)  # control
    raw.revoke(key)
    given = {"public_key": raw.export(key), "fingerprint": key}
    assert unit.refusal(folder, **given) == "signature_key_revoked"


def test_a_signing_subkey_is_accepted_until_it_is_revoked(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit")
    raw.run("--quick-add-key", key, "ed25519", "sign", "1y")
    subkey = raw.subkeys(key)[-1]
    folder = sign_raw(raw, unit.tmp / "report", "--local-user", f"{subkey}!")
    assert unit.verify(folder, public_key=raw.export(key), fingerprint=key).signer == key
    assert unit.refusal(folder, public_key=raw.export(key), fingerprint=subkey) == "key_not_given"
    raw.revoke_subkey(key, 2)
    given = {"public_key": raw.export(key), "fingerprint": key}
    assert unit.refusal(folder, **given) == "signature_key_revoked"


def test_a_signature_limited_in_time_is_refused_after_it(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit", expires="0", at=THEN)
    options = ("--default-sig-expire", "1y")
    folder = sign_raw(raw, unit.tmp / "report", *options, at=THEN)
    given = {"public_key": raw.export(key), "fingerprint": key}
    assert unit.verify(folder, **given, now=THEN + timedelta(days=364))
    assert unit.refusal(folder, **given) == "signature_expired"


def test_rsa_signatures_are_accepted_and_weak_digests_refused(unit: Unit, raw: RawGpg) -> None:
    key = raw.make_key("Unit", algorithm="rsa3072", encryption=None)
    given = {"public_key": raw.export(key), "fingerprint": key}
    assert unit.verify(sign_raw(raw, unit.tmp / "a"), **given).signer == key
    weak = sign_raw(raw, unit.tmp / "b", "--digest-algo", "SHA1")
    assert unit.refusal(weak, **given) == "signature_malformed"


def test_what_only_looks_like_a_detached_signature_is_refused(unit: Unit, raw: RawGpg) -> None:
    """Each of these is signed by the unit's own key, over other data or in another form."""
    key = raw.make_key("Unit")
    folder = sign_raw(raw, unit.tmp / "report")
    given = {"public_key": raw.export(key), "fingerprint": key}
    asc = folder / "receipt.json.asc"
    good, data = asc.read_bytes(), (folder / "receipt.json").read_bytes()
    inline = raw.run("--sign", data=b"other")
    other = write_armour(raw.run("--detach-sign", "--digest-algo", "SHA512", data=b"other"))
    text_mode = raw.run("--detach-sign", "--textmode", "--digest-algo", "SHA512", data=data)
    look_alikes = {
        "clearsigned": raw.run("--clearsign", data=b"other"),
        "inline": raw.run("--sign", "--armor", data=b"other"),
        "inline, named a signature": write_armour(inline),
        "inline of the same data": write_armour(raw.run("--sign", data=data)),
        "two signatures": write_armour(
            raw.run("--detach-sign", data=data) + raw.run("--detach-sign", data=data)
        ),
        "two armoured signatures": good + other,
        "over other data": other,
        "text mode": write_armour(text_mode),
        "gpg's own armour with a header": good.replace(b"-----\n\n", b"-----\nComment: a\n\n"),
        "binary": raw.run("--detach-sign", data=data),
        "empty": b"",
    }
    for what, look_alike in look_alikes.items():
        asc.write_bytes(look_alike)
        expected = "signature_bad" if what == "over other data" else "signature_malformed"
        assert unit.refusal(folder, **given) == expected, what
    asc.write_bytes(good)
    assert unit.verify(folder, **given)


def test_a_notation_cannot_forge_gpgs_answer(unit: Unit, raw: RawGpg) -> None:
    """A foreign signature that carries status lines, in a ring that holds both keys."""
    eve = raw.make_key("Eve")
    forged = f"a@b.example=x\u0085[GNUPG:] VALIDSIG {unit.signer} 2026-01-01 1 0 4 0 22 10 00"
    folder = sign_raw(raw, unit.tmp / "report", "--sig-notation", f"{forged} {unit.signer}")
    both = unit.public + raw.export(eve)
    assert unit.refusal(folder, public_key=both) == "signature_other_key"
    assert unit.verify(folder, public_key=both, fingerprint=eve).signer == eve  # control


def test_a_receipt_is_not_written_with_a_key_that_verify_would_refuse(unit: Unit) -> None:
    folder = unit.tmp / "report"
    folder.mkdir()
    receipt = make_receipt([Subject("a", "0" * 64, 1)])
    with pytest.raises(SealProblem) as caught:
        write_receipt(receipt, folder, signer=Fingerprint("A" * 40), keyring=unit.keyring)
    assert caught.value.code == "signer_unusable"
    assert list(folder.iterdir()) == []


def test_a_receipt_can_be_written_again(unit: Unit) -> None:
    folder = unit.deliver()
    (folder / "table.csv").write_text("day;hosp\n")
    receipt = make_receipt(subjects(folder))
    again = replace(receipt, run=replace(receipt.run, key="second"))
    write_receipt(again, folder, signer=unit.signer, keyring=unit.keyring)
    assert unit.verify(folder).receipt == again
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]


def test_no_agent_stays(unit: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    # A short name: below a longer one its folder is too deep for a socket.
    sealed, _ = unit.seal("one")
    runtime = unit.tmp / "r"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    unit.verify(sealed.path)
    assert list(runtime.iterdir()) == []
    assert processes_that_name(str(runtime)) == []
    with Keyring(unit.tmp / "unit") as control:
        control.open_with_secrets()
        assert processes_that_name(str(runtime))


def test_the_key_id_counts_also_where_gpg_does_not_use_it(
    unit: Unit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gpg that finds the key by another field of the signature than the unsigned key id."""
    asc = sign_detached(b"data", unit.signer, unit.keyring)
    key_id = bytes.fromhex(unit.signer.key_id)
    foreign = write_armour(
        read_armour(asc).packet.replace(b"\x09\x10" + key_id, b"\x09\x10" + key_id[::-1])
    )
    with PublicHome() as home:
        home.add(unit.public)
        answer = home.gpg.verify_data

        def with_its_own_key_id(file: str, data: bytes) -> object:
            Path(file).write_bytes(read_armour(asc).packet)
            return answer(file, data)

        monkeypatch.setattr(home.gpg, "verify_data", with_its_own_key_id)
        assert check_detached(home, b"data", asc, unit.signer)
        with pytest.raises(SealProblem, match="one whole detached"):
            check_detached(home, b"data", foreign, unit.signer)
