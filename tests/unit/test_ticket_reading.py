"""Persons and options of a Jira payload, as Server/DC, Cloud and a mere text field give them."""

from __future__ import annotations

from typing import Any

import pytest
from sample_settings import make_settings

from requests_sync.payloads import UnreadableTicket, ticket_of_payload
from wardbook.domain.ticket import Person, Ticket

FIELDS = make_settings().jira.fields
SERVER = {"name": "hbernard", "key": "JIRAUSER1", "displayName": "Dr Hélène Bernard"}
CLOUD = {"accountId": "712020:5d1", "displayName": "Dr Hélène Bernard"}


def payload(**fields: Any) -> dict[str, Any]:
    raw = {getattr(FIELDS, name): value for name, value in fields.items()}
    known = {
        "summary": "Combien ?",
        "description": None,
        "status": {"name": "À traiter", "statusCategory": {"key": "new"}},
        "reporter": {"name": "cmoreau", "displayName": "Claire Moreau"},
        "updated": "2026-03-02T11:59:00.000+0000",
        "created": "2026-03-02T11:59:00.000+0000",
    }
    return {"key": "DATA-1", "id": "10001", "fields": known | raw}


def read(**fields: Any) -> Ticket:
    return ticket_of_payload(payload(**fields), FIELDS)


@pytest.mark.parametrize(
    ("given", "person"),
    [
        (SERVER, Person("hbernard", "Dr Hélène Bernard")),
        (CLOUD, Person("712020:5d1", "Dr Hélène Bernard")),
        ({"name": "old.account"}, Person("old.account", "old.account")),
        (" hbernard ", Person("hbernard", "hbernard")),
        ("", None),
        (None, None),
        ({}, None),
    ],
)
def test_a_person_has_the_account_that_counts_and_the_name_people_know(
    given: Any, person: Person | None
) -> None:
    ticket = read(approver=given, dpo=given)
    assert ticket.approver == ticket.dpo == person


def test_several_persons_in_one_field_are_told_as_unreadable() -> None:
    with pytest.raises(UnreadableTicket, match=FIELDS.dpo):
        read(dpo=[SERVER])


def test_an_option_is_its_value() -> None:
    assert read(recurrence={"value": "Mensuelle / monthly"}).recurrence == "Mensuelle / monthly"
    assert read(ethics="CER-2026-031").ethics == "CER-2026-031"


def test_a_new_name_for_the_same_account_asks_nothing_new() -> None:
    before = read(approver=SERVER)
    assert (
        read(approver=SERVER | {"displayName": "Pr H. Bernard"}).fingerprint == before.fingerprint
    )
    assert read(approver=SERVER | {"name": "vroux"}).fingerprint != before.fingerprint


@pytest.mark.parametrize("field", ["ethics", "recurrence"])
def test_each_new_field_is_part_of_what_is_asked(field: str) -> None:
    assert read(**{field: "x"}).fingerprint != read().fingerprint
    assert read(**{field: None}).fingerprint == read().fingerprint


@pytest.mark.parametrize(
    "key", ["../../x", "DATA-1/..", "DATA-1\n", "DATA 1", "", "-1", "DATA-", "DÀTA-1", "DATA-1;x"]
)
def test_a_key_that_is_none_is_told_as_unreadable(key: str) -> None:
    with pytest.raises(UnreadableTicket):
        ticket_of_payload(payload() | {"key": key}, FIELDS)


def test_half_a_character_becomes_the_sign_for_one_that_is_unknown() -> None:
    ticket = ticket_of_payload(payload(ethics="a\ud800b \ud83d\ude00"), FIELDS)
    assert ticket.ethics == "a\ufffdb \U0001f600"
    assert ticket.ethics.encode()


@pytest.mark.parametrize(
    "given", [[SERVER, {"name": "b"}], " hbernard, b ,", [SERVER, {"name": "b"}, {}]]
)
def test_colleagues_are_a_list_of_people_or_accounts_with_commas(given: Any) -> None:
    fields = FIELDS.model_copy(update={"colleagues": "customfield_10112"})
    payload = {
        "key": "DATA-1",
        "id": "10001",
        "fields": {
            "summary": "Combien ?",
            "status": {"name": "À traiter"},
            "reporter": {"name": "cmoreau"},
            "updated": "2026-03-02T11:59:00.000+0000",
            "customfield_10112": given,
        },
    }
    ticket = ticket_of_payload(payload, fields)
    assert [one.username for one in ticket.colleagues] == ["hbernard", "b"]
    without = ticket_of_payload(payload, FIELDS)
    assert without.colleagues == ()
    assert without.fingerprint != ticket.fingerprint
