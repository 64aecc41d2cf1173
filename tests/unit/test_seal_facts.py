"""Which key may be encrypted to: every rule of the decision, without gpg."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from wardbook.errors import SealRefusal
from wardbook.seal import Fingerprint, KeyFacts, SealProblem, SubkeyFacts
from wardbook.seal.facts import choose_encryption_key

NOW = datetime(2026, 11, 21, tzinfo=UTC)
YEAR = timedelta(days=365)


def fingerprint(digit: str) -> Fingerprint:
    return Fingerprint(digit * 40)


def subkey(digit: str, **changes: object) -> SubkeyFacts:
    sound = SubkeyFacts(
        fingerprint(digit), "ECDH", 255, NOW - YEAR, NOW + YEAR, revoked=False, can_encrypt=True
    )
    return replace(sound, **changes)  # type: ignore[arg-type]


def key(digit: str, *subkeys: SubkeyFacts, **primary: object) -> KeyFacts:
    sound = subkey(digit, algorithm="EdDSA", can_encrypt=False)
    return KeyFacts(replace(sound, **primary), ("Ada <ada@h.example>",), subkeys)  # type: ignore[arg-type]


def refusal(*keys: KeyFacts) -> str:
    with pytest.raises(SealProblem) as caught:
        choose_encryption_key(keys, fingerprint("A"), NOW)
    return caught.value.code


def test_a_sound_key_is_chosen_with_its_subkey() -> None:
    sound = key("A", subkey("B"))
    assert choose_encryption_key([key("C", subkey("D")), sound], fingerprint("A"), NOW) == (
        sound,
        sound.subkeys[0],
    )


def test_the_newest_sound_subkey_is_chosen() -> None:
    newest_but_revoked = subkey("D", created=NOW, revoked=True)
    weak_and_new = subkey("E", created=NOW, algorithm="RSA", bits=2048)
    newer = subkey("C", created=NOW - timedelta(days=1))
    found = key("A", subkey("B"), newest_but_revoked, newer, weak_and_new)
    assert choose_encryption_key([found], fingerprint("A"), NOW)[1] == newer


def test_a_primary_key_that_can_encrypt_is_enough() -> None:
    found = key("A", algorithm="RSA", bits=4096, can_encrypt=True)
    assert choose_encryption_key([found], fingerprint("A"), NOW)[1] == found.primary


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([], "key_missing"),
        ([key("C", subkey("D"))], "key_replaced"),
        ([key("A", subkey("B"), revoked=True)], "key_revoked"),
        ([key("A", subkey("B"), expires=NOW)], "key_expired"),
        ([key("A")], "key_cannot_encrypt"),
        ([key("A", subkey("B", can_encrypt=False))], "key_cannot_encrypt"),
        ([key("A", subkey("B", revoked=True))], "key_encryption_over"),
        ([key("A", subkey("B", expires=NOW))], "key_encryption_over"),
        ([key("A", subkey("B", algorithm="RSA", bits=3071))], "key_weak"),
        ([key("A", subkey("B", algorithm="ElGamal", bits=4096))], "key_weak"),
        ([key("A", subkey("B"), algorithm="DSA", bits=3072)], "key_weak"),
        ([key("A", subkey("B"), algorithm="RSA", bits=2048)], "key_weak"),
        ([key("A", subkey("B", algorithm="algorithm 99", bits=9999))], "key_weak"),
    ],
)
def test_refused(found: list[KeyFacts], code: str) -> None:
    assert refusal(*found) == code


def test_boundaries_are_accepted() -> None:
    instant = timedelta(microseconds=1)
    found = key("A", subkey("B", algorithm="RSA", bits=3072, expires=NOW + instant), expires=None)
    assert choose_encryption_key([found], fingerprint("A"), NOW)[0] == found


def test_a_replaced_key_is_named_in_the_message() -> None:
    with pytest.raises(SealRefusal, match=f"{'A' * 40}.*{'C' * 40}.*telephone"):
        choose_encryption_key([key("C", subkey("D"))], fingerprint("A"), NOW)


def test_fingerprints_are_full_or_refused() -> None:
    assert Fingerprint(" abcd" * 10) == "ABCD" * 10
    assert Fingerprint("ABCD" * 10).key_id == "ABCD" * 4
    for text in ("", "ABCD" * 4, "ABCD" * 10 + "!", "0x" + "AB" * 19, "ada@h.example", "G" * 40):
        with pytest.raises(SealProblem, match="40 hexadecimal digits"):
            Fingerprint(text)
