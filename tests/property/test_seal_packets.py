"""Whatever a directory lists, reading its packets ends in a refusal or in packets."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.key_forge import Forge, armour, packet
from wardbook.seal import SealProblem
from wardbook.seal.key_block import LARGEST_BLOCK, MOST_PARTS, key_forms, read_key_block
from wardbook.seal.packets import UnreadablePacket, read_recipients, split_packets

KEY = Forge(datetime(2026, 1, 1, tzinfo=UTC)).key()
WHOLE = b"".join(KEY)
NOISE = st.binary(max_size=300)


@given(NOISE)
def test_noise_is_refused_or_read_to_its_last_byte(data: bytes) -> None:
    with suppress(UnreadablePacket):
        assert b"".join(one.whole for one in split_packets(data)) == data
    with suppress(UnreadablePacket):
        read_recipients(BytesIO(data))


@given(st.integers(0, len(WHOLE) - 1), st.integers(0, 255))
def test_a_changed_byte_never_breaks_the_reader(place: int, byte: int) -> None:
    changed = WHOLE[:place] + bytes([byte]) + WHOLE[place + 1 :]
    with suppress(SealProblem):
        key_forms(read_key_block(armour(changed)))


@given(st.integers(0, len(WHOLE) - 1))
def test_a_key_cut_off_inside_a_packet_is_refused(end: int) -> None:
    ends = {0}
    for one in KEY:
        ends |= {max(ends) + size for size in sizes(one)}
    if end in ends - {0}:
        assert read_key_block(armour(WHOLE[:end])) == WHOLE[:end]
    else:
        with pytest.raises(SealProblem):
            read_key_block(armour(WHOLE[:end]))


def sizes(part: bytes) -> list[int]:
    total, found = 0, []
    for one in split_packets(part):
        total += len(one.whole)
        found.append(total)
    return found


@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    with pytest.raises(SealProblem):
        read_key_block(text)


@pytest.mark.parametrize("parts", [MOST_PARTS - 2, MOST_PARTS - 1])
def test_the_bound_on_parts(parts: int) -> None:
    block = armour(*KEY, *[packet(13, b"x")] * (parts - 1))
    if parts == MOST_PARTS - 2:
        assert read_key_block(block)
    else:
        with pytest.raises(SealProblem, match="more than 100"):
            read_key_block(block)


def test_the_bound_on_size() -> None:
    block = armour(*KEY)
    assert read_key_block(block + " " * (LARGEST_BLOCK - len(block)))
    with pytest.raises(SealProblem, match="larger"):
        read_key_block(block + " " * (LARGEST_BLOCK - len(block) + 1))
