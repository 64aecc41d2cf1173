"""Any changed byte of a deliverable is refused; any receipt survives its own form."""

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sample_seal import SOME_SHA256, make_deliverable, make_receipt
from wardbook.seal import CheckEvidence, Keyring, Receipt, SealProblem, Subject, verify
from wardbook.seal.files import list_files

NOW = datetime.now(UTC)
FILES = [
    "figures/curve.svg", "index.html", "receipt.json", "receipt.json.asc", "ro-crate-metadata.json",
    "table.csv",
]  # fmt: skip


@pytest.fixture(scope="module")
def deliverable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    tmp = tmp_path_factory.mktemp("tampering")
    with Keyring(tmp / "unit") as unit:
        signer = unit.create_signing_key("Unit", "unit@hospital.example")
        yield make_deliverable(tmp / "report", unit, signer), unit.export_public(signer)


def accepted(folder: Path, public_key: str) -> bool:
    try:
        verify(folder, public_key=public_key, fingerprint=None, now=NOW)
    except SealProblem:
        return False
    return True


def test_the_unchanged_deliverable_is_accepted(deliverable: tuple[Path, str]) -> None:
    assert accepted(*deliverable)
    assert sorted(list_files(deliverable[0])) == FILES


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.differing_executors])
@given(name=st.sampled_from(FILES), data=st.data())
def test_any_changed_byte_is_refused(
    deliverable: tuple[Path, str], name: str, data: st.DataObject
) -> None:
    folder, public_key = deliverable
    path = folder / name
    good = path.read_bytes()
    position = data.draw(st.integers(0, len(good) - 1))
    change = data.draw(st.integers(1, 255))
    bad = bytearray(good)
    bad[position] ^= change
    try:
        path.write_bytes(bad)
        assert not accepted(folder, public_key)
    finally:
        path.write_bytes(good)
    assert accepted(folder, public_key)


@settings(max_examples=40, deadline=None)
@given(name=st.sampled_from(FILES), data=st.data())
def test_any_cut_or_added_byte_is_refused(
    deliverable: tuple[Path, str], name: str, data: st.DataObject
) -> None:
    folder, public_key = deliverable
    path = folder / name
    good = path.read_bytes()
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, len(good)))
    bad = good[:start] + data.draw(st.binary(max_size=3)) + good[end:]
    assume(bad != good)
    try:
        path.write_bytes(bad)
        assert not accepted(folder, public_key)
    finally:
        path.write_bytes(good)


def test_every_byte_of_the_signature_counts(deliverable: tuple[Path, str]) -> None:
    """Where gpg alone is indifferent: armour, unsigned fields, lengths of numbers."""
    folder, public_key = deliverable
    path = folder / "receipt.json.asc"
    good = path.read_bytes()
    try:
        for position in range(len(good)):
            bad = bytearray(good)
            bad[position] ^= 1 << position % 8
            path.write_bytes(bad)
            assert not accepted(folder, public_key), position
    finally:
        path.write_bytes(good)
    assert accepted(folder, public_key)


texts = st.text(st.characters(exclude_categories=["Cs"]))
segments = st.text(
    st.characters(categories=["L", "N", "P"], exclude_characters='/\\"'), min_size=1
).map(lambda text: unicodedata.normalize("NFC", text))


@given(
    names=st.lists(segments.filter(lambda name: name.strip(".")), min_size=1, max_size=4),
    reason=texts,
    ticket=texts,
)
def test_receipts_survive_their_form(names: list[str], reason: str, ticket: str) -> None:
    subject = Subject("/".join(names), SOME_SHA256, 1)
    receipt = make_receipt([subject], ticket=ticket)
    checks = (CheckEvidence("output", "rule", "hold", reason, {"limit": reason}),)
    receipt = Receipt.of(
        [subject],
        origin=receipt.origin,
        run=type(receipt.run)(**(vars(receipt.run) | {"checks": checks})),
        release=receipt.release,
    )
    assert Receipt.from_json(receipt.to_json()) == receipt
