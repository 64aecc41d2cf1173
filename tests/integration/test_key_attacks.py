"""What a directory may list for somebody, and to whom it is sealed then; with the real gpg."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests import key_attacks
from tests.key_attacks import (
    ATTACKS,
    Attack,
    Scene,
    attack_scene,
    may_be_proposed,
    try_attack,
)
from tests.sample_seal import raw_gpg

NAMES = [one.name for one in ATTACKS]
FOLLOWED_BY_GPG = (
    "RSA of 1024 bits",
    "a user id signed with SHA-1",
    "a subkey bound with SHA-1",
    "a subkey whose secret part is shared",
    "revoked by a key that she named for it",
)


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    with ExitStack() as stack:
        yield attack_scene(stack)


@pytest.mark.parametrize("one", ATTACKS, ids=NAMES)
def test_nobody_else_receives_it_and_the_reason_is_told(scene: Scene, one: Attack) -> None:
    came = try_attack(scene, one)
    assert came.code == one.code
    assert not came.wrong
    assert bool(came.key_ids) == (not one.code)
    assert not one.code or len(came.told) > 60
    (scene.folder / "out" / "sealed.gpg").unlink(missing_ok=True)
    assert list((scene.folder / "out").iterdir()) == []


@pytest.mark.parametrize("one", ATTACKS, ids=NAMES)
def test_what_must_not_be_used_is_not_even_proposed(scene: Scene, one: Attack) -> None:
    proposed = may_be_proposed(scene, one)
    if one.code == "key_replaced":
        assert proposed, "somebody else's sound key: an approver compares its fingerprint"
    elif one.code:
        assert proposed == []
    else:
        assert proposed


def test_a_seal_to_the_wrong_key_would_be_seen(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: a choice by name, as gpg's own, is caught as a wrong recipient."""
    choose = key_attacks.choose_recipient_key

    def by_name(blocks, pinned, unit, now):  # type: ignore[no-untyped-def]
        del pinned
        return choose(blocks, unit.inspect(blocks[0], now)[0].fingerprint, unit, now)

    monkeypatch.setattr(key_attacks, "choose_recipient_key", by_name)
    (beside,) = (one for one in ATTACKS if one.name == "the same user id beside hers")
    assert try_attack(scene, beside).wrong


@pytest.mark.parametrize("name", FOLLOWED_BY_GPG)
def test_gpg_alone_would_have_encrypted(scene: Scene, name: str) -> None:
    """Control: the keys that we refuse are whole, and gpg takes them."""
    (one,) = (one for one in ATTACKS if one.name == name)
    blocks, pinned = one.listed(scene)
    with raw_gpg() as gpg:
        gpg.run("--import", data=blocks[0].encode())
        assert gpg.run("--encrypt", "-r", pinned, data=b"x")
