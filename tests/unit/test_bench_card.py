"""The card of a request: what it says, in which language, and that foreign text stays text."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from factories import make_record, make_request, make_ticket
from sample_settings import make_settings

from pipelines.bench.card import Card, GitLine, Seen, draw_card
from pipelines.bench.subject import is_expired
from requests_sync.issue_fields import wanted_fields
from wardbook.domain.mirror import Thread
from wardbook.domain.request import Request
from wardbook.domain.states import MOVES, State
from wardbook.ledger.history import Event
from wardbook.messages import LANGUAGES, Language, topic_texts
from wardbook.settings import Settings
from wardbook.shipped import shipped_folder
from wardbook.template.spec import load_template

TODAY = date(2026, 3, 2)
TEMPLATE = load_template(shipped_folder("templates") / "ward_activity")
SOURCES = {
    "wards": {
        "kind": "ward-stays", "path": "w.csv", "sensitivity": "sensitive", "purposes": ["care"],
    },
    "closed": {
        "kind": "ward-stays", "path": "c.csv", "sensitivity": "internal",
        "services": ["Hygiène hospitalière"],
    },
}  # fmt: skip
SEEN = Seen(
    texts={"start": "2026-02-01", "wards": "CARD", "unknown": "x", "end": ""},
    twins=frozenset({"stays"}),
    events=(),
    data="real",
    notebook="DATA-1/requests/DATA-1/notebook.ipynb",
    kernel_problem="",
    git=GitLine("request/DATA-1"),
    trial=None,
)


def settings() -> Settings:
    return make_settings(sources=SOURCES)


def draw(
    language: Language = "en", seen: Seen = SEEN, state: State = State.HELD, **changes: Any
) -> Card:
    asked = {"template": "ward_activity", "sources": {"stays": "wards"}} | changes
    request: Request = make_request(**asked)
    record = make_record(state, request=request)
    return draw_card(record, request, TEMPLATE, settings(), seen, TODAY, language)


def test_a_card_tells_who_asks_what_on_which_ground() -> None:
    card = draw()
    assert (card.key, card.title, card.requester) == (
        "DATA-1", "Hospitalisations du trimestre", "Claire Moreau",
    )  # fmt: skip
    assert (card.purpose, card.purpose_label) == ("care", "Care")
    assert card.basis == "Approval of the head of service"
    assert (card.reference, card.expires, card.expired) == ("NOTE-2026-014", "2027-12-31", False)
    assert (card.state, card.state_label) == ("held", "Under review")
    assert card.ticket_url == "https://jira.hospital.example/browse/DATA-1"
    assert card.template_title == "Activity of wards and emergency department"


def test_a_card_speaks_the_desks_language_and_names_the_requests() -> None:
    card = draw("fr")
    assert (card.purpose_label, card.state_label) == ("Soins", "En relecture")
    assert card.basis == "Accord du chef de service"
    assert [line.label for line in card.parameters] == ["Premier jour", "Services"]
    assert card.language == "fr"
    assert draw("en").language == "fr"


def test_parameters_are_those_of_the_branch_that_the_template_knows() -> None:
    lines = [(line.name, line.text) for line in draw().parameters]
    assert lines == [("start", "2026-02-01"), ("wards", "CARD")]


def test_sources_tell_sensitivity_twin_and_refusal() -> None:
    (source,) = draw().sources
    assert (source.source, source.sensitivity_label, source.twin) == ("wards", "Sensitive", True)
    assert source.refused == ""
    (closed,) = draw(sources={"stays": "closed"}).sources
    assert closed.refused == (
        "the source stays “closed” is not open to this service and this purpose."
    )
    (research,) = draw(purpose="research", legal_basis="mr_004").sources
    assert "is not open to" in research.refused
    (gone,) = draw(sources={"stays": "nowhere"}).sources
    assert gone.refused == "the source stays “nowhere” does not exist for this template."
    assert gone.sensitivity == "sensitive"  # as the template declares it


@pytest.mark.parametrize(
    ("expires", "expired"), [("2026-03-01", True), ("2026-03-02", False), ("2026-03-03", False)]
)
def test_the_last_day_of_a_basis_still_counts(expires: str, expired: bool) -> None:
    assert is_expired(make_request(expires=expires), TODAY) is expired
    card = draw(expires=expires)
    assert card.expired is expired
    assert (expires in card.note) is expired


def test_history_is_newest_first_in_words_with_names() -> None:
    events = tuple(
        Event(f"2026-03-0{day}T10:00:00+00:00", "DATA-1", actor, event, {"run": "r"})
        for day, actor, event in (
            (1, "platform", "gate.accepted"),
            (2, "hbernard", "approval.given"),
            (3, "x\u202e<b>", "new.event"),
        )
    )
    history = draw(seen=replace(SEEN, events=events)).history
    assert [(line.text, line.actor) for line in history] == [
        ("new.event", "x<b>"),
        ("Approved in GitLab", "Dr Hélène Bernard"),
        ("Accepted", "Platform"),
    ]
    assert history[0].at == "2026-03-03T10:00:00+00:00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_move_of_a_request_has_words(language: Language) -> None:
    texts = topic_texts(language, "bench")
    for move in MOVES:
        assert texts.get(f"card_event_{move.event.replace('.', '_')}"), move.event


def test_foreign_text_is_text_on_few_lines() -> None:
    hostile = "<script>alert(1)</script>\r\n/close\u202e\x00{0}"
    card = draw(
        title=hostile, question=hostile, requester_name=hostile, reference=hostile,
        sources={"stays": "wards"},
    )  # fmt: skip
    assert card.title == card.requester == card.reference == "<script>alert(1)</script> /close{0}"
    assert card.question == "<script>alert(1)</script>\n/close{0}"
    texts = replace(SEEN, texts={"wards": hostile})
    assert "\x00" not in draw(seen=texts).parameters[0].text


def test_a_try_names_no_ticket_and_says_how_to_file_one() -> None:
    card = draw(seen=replace(SEEN, is_try=True, data="twin"), expires="9999-12-31")
    assert (card.ticket_url, card.state_label, card.expires, card.service) == ("", "", "", "")
    assert "project DATA" in card.note
    assert "ward_activity" in card.note


def test_a_card_has_the_fields_that_the_panel_reads(tmp_path: Path) -> None:
    assert set(asdict(draw())) == {
        "key", "title", "question", "requester", "service", "purpose", "purpose_label", "basis",
        "reference", "expires", "expired", "parameters", "sources", "state", "state_label",
        "history", "issue_url", "ticket_url", "merge_request_url", "template", "template_title",
        "language", "data", "notebook", "kernel", "git", "trial", "is_try", "note",
    }  # fmt: skip


def test_an_issue_says_how_to_open_the_bench_and_links_to_it_where_it_has_an_address() -> None:
    link = "[ouvrir sur votre établi](http://localhost:8888/wardbook/open?request=DATA-1)"
    for address, linked in ((None, False), ("http://localhost:8888/", True)):
        unit = make_settings(bench={"address": address} if address else {})
        told = wanted_fields(make_ticket(), Thread(), "DATA-1", unit)["description"]
        assert "`wardbook lab DATA-1`" in told
        assert ("/wardbook/open" in told) is linked
        assert (link in told) is linked
