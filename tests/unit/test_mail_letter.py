"""A letter's headers are ours alone, whatever stands in its texts."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile.texts import hostile_texts
from wardbook.mail import Letter, is_one_address, write_letter

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
OURS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
}
INJECTIONS = [
    "x\r\nBcc: eve@evil.example",
    "x\nBcc: eve@evil.example",
    "x\rBcc: eve@evil.example",
    "x\u2028Bcc: eve@evil.example",
    "x\x0bBcc: eve@evil.example\x85\x1c",
    "x\r\n\r\nanother body",
    "=?utf-8?q?x=0D=0ABcc=3A_eve=40evil.example?=",
    "x\r\n.\r\nMAIL FROM:<eve@evil.example>\r\n",
    "\ud800" + "é" * 400,
]


def read(text: str) -> Any:
    letter = Letter("ada@hospital.example", text, text, text)
    message = write_letter(letter, sender="unit@hospital.example", name=text, now=NOW)
    return message_from_bytes(message.as_bytes(), policy=default)


def faults(message: Any) -> list[str]:
    found = sorted(set(message.keys()) - OURS)
    found += [name for name in set(message.keys()) if len(message.get_all(name)) > 1]
    if [one.addr_spec for one in message["To"].addresses] != ["ada@hospital.example"]:
        found.append("another recipient")
    if [one.addr_spec for one in message["From"].addresses] != ["unit@hospital.example"]:
        found.append("another sender")
    if len(str(message["Subject"]).splitlines()) > 1:
        found.append("a subject of several lines")
    return found


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_gets_out_of_its_header(text: str) -> None:
    assert faults(read(text)) == []


def test_hostile_texts_stay_text() -> None:
    for text in hostile_texts():
        assert faults(read(text)) == [], text


@given(st.text())
def test_any_text_stays_text(text: str) -> None:
    assert faults(read(text)) == []


def test_the_judge_sees_what_a_naive_letter_lets_in() -> None:
    for text in INJECTIONS[:3]:
        naive = (
            f"From: unit@hospital.example\nTo: ada@hospital.example\nSubject: {text}\n\nx".encode()
        )
        assert faults(message_from_bytes(naive, policy=default)) != []


def test_the_body_is_what_was_written() -> None:
    letter = Letter("ada@hospital.example", "Prêt", "Été\n.\nFrom x\nfin", "k")
    message = write_letter(letter, sender="unit@hospital.example", name="Unité", now=NOW)
    data = message.as_bytes()
    assert data.isascii(), "any server takes it"
    again = message_from_bytes(data, policy=default)
    assert again.get_content().rstrip("\r\n").replace("\r\n", "\n") == "Été\n.\nFrom x\nfin"
    assert again["Subject"] == "Prêt"


def test_the_same_intent_has_the_same_identity() -> None:
    letters = [
        write_letter(
            Letter("ada@hospital.example", subject, "x", key),
            sender="unit@hospital.example",
            name="Unité",
            now=NOW,
        )["Message-ID"]
        for subject, key in (("a", "k1"), ("b", "k1"), ("a", "k2"))
    ]
    assert letters[0] == letters[1] != letters[2]
    assert letters[0].endswith("@hospital.example>")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        "ada@",
        "@hospital.example",
        "ada@hospital.example, eve@evil.example",
        "ada@hospital.example\r\nBcc: eve@evil.example",
        "ada@hospital.example\n",
        "Ada <ada@hospital.example>",
        '"a b"@hospital.example',
        "ada@[127.0.0.1]",
        "ada..b@hospital.example",
        "ada@-x.example",
        "é@hospital.example",
        "a" * 65 + "@hospital.example",
        "eve@evil.example;ada@hospital.example",
    ],
)
def test_what_is_not_one_plain_address_is_none(text: str) -> None:
    assert not is_one_address(text)
    with pytest.raises(ValueError, match="plain address"):
        write_letter(Letter(text, "x", "x", "k"), sender="u@h.example", name="x", now=NOW)


@pytest.mark.parametrize("text", ["ada@hospital.example", "a.b+c@x.y.fr", "o'neil@h", "x_1@a-b.c"])
def test_plain_addresses(text: str) -> None:
    assert is_one_address(text)
